//! What is done to a request before it is sent.

use crate::{originals::Request, random::Random};

const VISIBLE: &[u8] = b"abcXYZ019-_.~!$&'()*+,;=:@/? \"{}[]<>|\\^`%#";
const TOKEN: &[u8] = b"abcdefxyz019-_.!$&'*+^`|~";
const PATH: &[u8] = b"abcXYZ019-_.~!$&'()*+,;=:@/?%";
const METHODS: [&[u8]; 9] = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"BREW", b"get"];
/// Values that parsers have stumbled over.
const ODD: [&[u8]; 20] = [
    b"",
    b"0",
    b"-1",
    b"1e999999999",
    b"99999999999999999999999999",
    b"NaN",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"\"\\ud800\"",
    b"\"\\u0000\"",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"'; DROP TABLE transfers; --",
    b"../../../etc/passwd",
    b"${jndi:ldap://127.0.0.1:1/a}",
    b"<script>",
    b"%00%0d%0aset-cookie:a=b",
];
/// They say where a request ends; who changes them breaks the framing.
const FRAMING: [&[u8]; 4] = [b"host", b"content-length", b"transfer-encoding", b"connection"];

/// A request as it is sent.
pub struct Mutated {
    pub bytes: Vec<u8>,
    /// Whether it is a complete HTTP request, to which there must be an answer.
    pub is_framed: bool,
}

/// Spoils a copy of the request in one to three places; every tenth stays as it is.
pub fn mutate(original: &Request, random: &mut Random) -> Mutated {
    let mut request = original.clone();
    if random.below(12) == 0 {
        return break_framing(request, random);
    }
    if random.below(10) > 0 {
        for _ in 0..=random.below(3) {
            match random.below(10) {
                0..4 => spoil_bytes(&mut request.body, random),
                4..7 => spoil_headers(&mut request, random),
                7..9 => spoil_target(&mut request.target, random),
                _ => spoil_method(&mut request.method, random),
            }
        }
    }
    let length = request.body.len().to_string();
    if !request.body.is_empty() {
        request.headers.push((b"content-length".to_vec(), length.into_bytes()));
    }
    Mutated { bytes: render(&request), is_framed: true }
}

fn spoil_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = if bytes.is_empty() { 0 } else { random.place(bytes.len()) };
    match random.below(9) {
        0 | 1 if !bytes.is_empty() => bytes[place] = random.byte(),
        2 => bytes.insert(place, random.byte()),
        3 if !bytes.is_empty() => drop(bytes.remove(place)),
        4 => bytes.truncate(place),
        5 => {
            let copy = bytes[place..].to_vec();
            bytes.extend(copy);
        }
        6 => drop(bytes.splice(place..place, random.pick(&ODD).iter().copied())),
        7 => {
            let depth = 1 + random.place(2_000);
            let nested = [vec![b'['; depth], vec![b']'; depth]].concat();
            drop(bytes.splice(place..place, nested));
        }
        _ => replace_value(bytes, random),
    }
}

/// Puts something odd in the place of a JSON value.
fn replace_value(bytes: &mut Vec<u8>, random: &mut Random) {
    let colons: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] == b':').collect();
    if colons.is_empty() {
        return bytes.extend_from_slice(random.pick::<&[u8]>(&ODD));
    }
    let start = random.pick(&colons) + 1;
    let length = bytes[start..].iter().position(|byte| b",}".contains(byte)).unwrap_or(0);
    drop(bytes.splice(start..start + length, random.pick(&ODD).iter().copied()));
}

/// Values stay such as HTTP allows, and what frames the request stays.
fn spoil_headers(request: &mut Request, random: &mut Random) {
    let is_free = |(name, _): &(Vec<u8>, Vec<u8>)| !FRAMING.contains(&name.as_slice());
    let free: Vec<usize> = (0..request.headers.len()).filter(|place| is_free(&request.headers[*place])).collect();
    if free.is_empty() {
        let length = random.place(40);
        return request.headers.push((b"x-odd".to_vec(), random.word(VISIBLE, length)));
    }
    let place = *random.pick(&free);
    let length = random.place(200);
    match random.below(8) {
        0 => drop(request.headers.remove(place)),
        1 => {
            let copy = request.headers[place].clone();
            request.headers.push(copy);
        }
        2 => request.headers[place].1 = random.word(VISIBLE, length),
        3 => request.headers[place].1 = (0..length).map(|_| 0x80 | random.byte()).collect(),
        4 => request.headers[place].0 = random.word(TOKEN, 1 + length),
        5 => request.headers[place].1 = random.word(VISIBLE, 6_000),
        6 => {
            let other = *random.pick(&free);
            let value = request.headers[other].1.clone();
            request.headers[place].1 = value;
        }
        _ => {
            let value = &mut request.headers[place].1;
            let at = if value.is_empty() { 0 } else { random.place(value.len()) };
            value.insert(at, *random.pick(VISIBLE));
        }
    }
}

fn spoil_target(target: &mut Vec<u8>, random: &mut Random) {
    // The first character stays: a target that does not begin with a slash is no path.
    let place = 1 + random.place(target.len());
    match random.below(6) {
        0 if place < target.len() => target[place] = *random.pick(PATH),
        1 => target.insert(place, *random.pick(PATH)),
        2 if place < target.len() => drop(target.remove(place)),
        3 => {
            let length = random.place(5_000);
            let word = random.word(PATH, length);
            drop(target.splice(place..place, word));
        }
        4 => target.extend_from_slice(b"/%ff%00%2e%2e/"),
        _ => target.truncate(place),
    }
}

fn spoil_method(method: &mut Vec<u8>, random: &mut Random) {
    *method = if random.below(4) == 0 {
        let length = 1 + random.place(60);
        // HEAD alone has answers of another form; its letters are not in this alphabet.
        random.word(TOKEN, length)
    } else {
        random.pick(&METHODS).to_vec()
    };
}

/// Lies about the length, cuts off, or is no HTTP at all.
fn break_framing(mut request: Request, random: &mut Random) -> Mutated {
    let length = request.body.len();
    let claim = |text: String| (b"content-length".to_vec(), text.into_bytes());
    match random.below(12) {
        0 => request.headers.push(claim((length + 1 + random.place(1_000)).to_string())),
        1 => request.headers.push(claim((length / 2).to_string())),
        2 => request.headers.push(claim("-1".to_owned())),
        3 => request.headers.push(claim("99999999999999999999".to_owned())),
        4 => request.headers.extend([claim(length.to_string()), claim((length + 1).to_string())]),
        5 => request.headers.push((b"transfer-encoding".to_vec(), b"chunked".to_vec())),
        6 => {
            let coding = (b"transfer-encoding".to_vec(), b"gzip, chunked".to_vec());
            request.headers.extend([coding, claim(length.to_string())]);
        }
        7 => request.headers.push((b"x-huge".to_vec(), random.word(VISIBLE, 100_000))),
        8 => request.headers.extend((0..300).map(|number| (format!("x-{number}").into_bytes(), b"1".to_vec()))),
        9 => {
            let size = 1 + random.place(400);
            return Mutated { bytes: (0..size).map(|_| random.byte()).collect(), is_framed: false };
        }
        10 => request.headers.push((b"expect".to_vec(), b"200-impossible".to_vec())),
        _ => {
            request.headers.push(claim(length.to_string()));
            let mut bytes = render(&request);
            bytes.truncate(random.place(bytes.len()));
            if let Some(place) = (!bytes.is_empty()).then(|| random.place(bytes.len())) {
                bytes[place] = random.byte();
            }
            return Mutated { bytes, is_framed: false };
        }
    }
    Mutated { bytes: render(&request), is_framed: false }
}

fn render(request: &Request) -> Vec<u8> {
    let mut bytes = [&request.method, &b" "[..], &request.target, b" HTTP/1.1\r\n"].concat();
    for (name, value) in &request.headers {
        bytes.extend([name, &b": "[..], value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}
