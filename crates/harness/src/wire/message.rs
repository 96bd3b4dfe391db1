//! Where a message ends (RFC 9112 §2, §6).

use super::MESSAGE_BYTES_MAX;
use std::{fmt, io::BufRead as _};

/// The head of a request or response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// The request line or status line, without its end.
    pub first_line: &'a [u8],
    /// Bytes up to the body.
    pub length: usize,
    /// Bytes of the body.
    pub body_length: usize,
    /// The sender closes the connection after this message.
    pub closes: bool,
}

/// Why bytes are not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    Chunked,
    ContentLength,
    TooLarge,
    FirstLine,
}

/// Reads the head at the beginning of the buffer; `None` if it is not complete yet.
pub fn parse_head(buffer: &[u8]) -> Result<Option<Head<'_>>, Malformed> {
    let mut rest = buffer;
    let Some(first_line) = take_line(&mut rest) else { return too_large_or_incomplete(buffer) };
    let mut head = Head { first_line, length: 0, body_length: 0, closes: first_line.ends_with(b"HTTP/1.0") };
    loop {
        let Some(line) = take_line(&mut rest) else { return too_large_or_incomplete(buffer) };
        match line.first() {
            None => break,
            Some(b'c' | b'C' | b't' | b'T') => head.read_field(line)?,
            Some(_) => {}
        }
    }
    head.length = buffer.len() - rest.len();
    if head.length.saturating_add(head.body_length) > MESSAGE_BYTES_MAX {
        return Err(Malformed::TooLarge);
    }
    Ok(Some(head))
}

impl<'a> Head<'a> {
    /// Bytes of the whole message.
    pub fn message_length(&self) -> usize {
        self.length + self.body_length
    }

    /// Method and path of a request.
    pub fn request_line(&self) -> Result<(&'a [u8], &'a [u8]), Malformed> {
        let mut words = self.first_line.split(|byte| *byte == b' ');
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(path), Some(_version)) => Ok((method, path)),
            _ => Err(Malformed::FirstLine),
        }
    }

    /// Status of a response.
    pub fn status(&self) -> Result<u16, Malformed> {
        let digits = self.first_line.get(9..12).and_then(|digits| str::from_utf8(digits).ok());
        digits.and_then(|digits| digits.parse().ok()).ok_or(Malformed::FirstLine)
    }

    fn read_field(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Ok(()) };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = str::from_utf8(value).map_err(|_| Malformed::ContentLength)?;
            self.body_length = digits.parse().map_err(|_| Malformed::ContentLength)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Err(Malformed::Chunked);
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.closes = value.eq_ignore_ascii_case(b"close");
        }
        Ok(())
    }
}

/// The next line without its end, if it has one. `skip_until` searches as fast as the platform can.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let whole = *rest;
    let length = rest.skip_until(b'\n').expect("memory is always readable");
    let line = whole[..length].strip_suffix(b"\n")?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

fn too_large_or_incomplete<'a>(buffer: &[u8]) -> Result<Option<Head<'a>>, Malformed> {
    if buffer.len() >= MESSAGE_BYTES_MAX { Err(Malformed::TooLarge) } else { Ok(None) }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chunked => "the message is chunked; only content-length is understood here",
            Self::ContentLength => "content-length is not a number",
            Self::TooLarge => "the message is larger than 1 MiB",
            Self::FirstLine => "the first line is neither a request line nor a status line",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"PUT /dfsp01/quotes/1 HTTP/1.1\r\nhost: x\r\nContent-Length: 2\r\n\r\n{}GET";

    #[test]
    fn a_request_ends_where_its_length_says() {
        let head = parse_head(REQUEST).unwrap().unwrap();
        assert_eq!(head.request_line(), Ok((&b"PUT"[..], &b"/dfsp01/quotes/1"[..])));
        assert_eq!(&REQUEST[head.length..head.message_length()], b"{}");
        assert!(!head.closes);
    }

    #[test]
    fn an_incomplete_head_is_neither_read_nor_refused() {
        for length in 0..REQUEST.len() - 5 {
            assert_eq!(parse_head(&REQUEST[..length]), Ok(None), "{length} bytes");
        }
    }

    #[test]
    fn a_response_has_a_status_and_may_close() {
        let head = parse_head(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let head = head.unwrap().unwrap();
        assert_eq!((head.status(), head.body_length, head.closes), (Ok(202), 0, true));
        assert_eq!(parse_head(b"HTTP\r\n\r\n").unwrap().unwrap().status(), Err(Malformed::FirstLine));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let parse = |field: &str| parse_head(format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n").as_bytes()).map(|_| ());
        assert_eq!(parse("transfer-encoding: chunked"), Err(Malformed::Chunked));
        assert_eq!(parse("content-length: many"), Err(Malformed::ContentLength));
        assert_eq!(parse("content-length: 1048576"), Err(Malformed::TooLarge));
    }
}
