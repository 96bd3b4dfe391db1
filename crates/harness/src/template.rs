//! Messages prepared before the clock starts: the text is there, and a few fields are patched in.
//!
//! Invariant: a rendered request is complete, and its `content-length` is that of its body. The same values give the
//! same bytes, so a request that is repeated is repeated exactly.

use std::mem;

/// What differs from one message to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Payer,
    Payee,
    PayerParty,
    PayeeParty,
    QuoteId,
    TransferId,
    Amount,
    Packet,
    Condition,
    Fulfilment,
    Date,
    Expiration,
    Signature,
}

const FIELDS: [(&str, Field); 13] = [
    ("payer", Field::Payer),
    ("payee", Field::Payee),
    ("payerParty", Field::PayerParty),
    ("payeeParty", Field::PayeeParty),
    ("quoteId", Field::QuoteId),
    ("transferId", Field::TransferId),
    ("amount", Field::Amount),
    ("packet", Field::Packet),
    ("condition", Field::Condition),
    ("fulfilment", Field::Fulfilment),
    ("date", Field::Date),
    ("expiration", Field::Expiration),
    ("signature", Field::Signature),
];

/// One text per field, ready to be copied.
#[derive(Clone, Copy)]
pub struct Values<'a>([&'a [u8]; FIELDS.len()]);

/// A request with gaps.
#[derive(Clone, Debug)]
pub struct Template {
    head: Vec<Piece>,
    body: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Field(Field),
}

impl<'a> Values<'a> {
    pub fn new() -> Self {
        Self([b""; FIELDS.len()])
    }

    #[must_use]
    pub fn with(mut self, field: Field, text: &'a [u8]) -> Self {
        self.0[field as usize] = text;
        self
    }
}

impl Default for Values<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Template {
    /// `head` is the request line and the header lines, each ended by CR LF, without `content-length` and the empty
    /// line. Gaps are written `{field}`. Panics on an unknown field: templates are constants of this crate.
    pub fn new(head: &str, body: &str) -> Self {
        assert!(head.ends_with("\r\n"), "the head ends its last line");
        Self { head: pieces(head), body: pieces(body) }
    }

    /// Appends the head without its end to one, and the body to the other.
    pub fn render_parts(&self, values: &Values, head: &mut Vec<u8>, body: &mut Vec<u8>) {
        append(&self.head, values, head);
        append(&self.body, values, body);
    }

    /// Appends the request.
    pub fn render(&self, values: &Values, out: &mut Vec<u8>) {
        append(&self.head, values, out);
        let body_length: usize = self.body.iter().map(|piece| piece.text(values).len()).sum();
        if body_length > 0 {
            out.extend_from_slice(b"content-length: ");
            append_decimal(body_length, out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        append(&self.body, values, out);
    }
}

impl Piece {
    fn text<'a>(&'a self, values: &Values<'a>) -> &'a [u8] {
        match self {
            Self::Text(text) => text,
            Self::Field(field) => values.0[*field as usize],
        }
    }
}

fn append(pieces: &[Piece], values: &Values, out: &mut Vec<u8>) {
    for piece in pieces {
        out.extend_from_slice(piece.text(values));
    }
}

fn append_decimal(mut number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// A brace opens a gap if the name of a field and a closing brace follow; otherwise it is text, as in JSON.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        let (before, after) = (&rest[..brace], &rest[brace + 1..]);
        literal.push_str(before);
        let name = after.split('}').next().unwrap_or("");
        if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
            pieces.push(Piece::Text(mem::take(&mut literal).into_bytes().into()));
            pieces.push(Piece::Field(*field));
            rest = &after[name.len() + 1..];
        } else {
            let is_json = !name.starts_with(|first: char| first.is_ascii_alphabetic());
            assert!(is_json, "there is no field called {name}");
            literal.push('{');
            rest = after;
        }
    }
    literal.push_str(rest);
    pieces.push(Piece::Text(literal.into_bytes().into()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &Template, values: &Values) -> String {
        let mut out = Vec::new();
        template.render(values, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_patched_into_head_and_body_and_the_length_follows() {
        let template =
            Template::new("POST /quotes HTTP/1.1\r\nfspiop-source: {payer}\r\n", r#"{"quoteId":"{quoteId}","a":{}}"#);
        let values = Values::new().with(Field::Payer, b"dfsp01").with(Field::QuoteId, b"x");
        assert_eq!(
            rendered(&template, &values),
            "POST /quotes HTTP/1.1\r\nfspiop-source: dfsp01\r\ncontent-length: 22\r\n\r\n{\"quoteId\":\"x\",\"a\":{}}"
        );
        let longer = values.with(Field::QuoteId, b"0123456789");
        assert!(rendered(&template, &longer).contains("content-length: 31\r\n"));
    }

    #[test]
    fn the_same_values_give_the_same_bytes() {
        let template = Template::new("GET /{date} HTTP/1.1\r\n", "");
        let values = Values::new().with(Field::Date, b"today");
        assert_eq!(rendered(&template, &values), "GET /today HTTP/1.1\r\n\r\n");
        assert_eq!(rendered(&template, &values), rendered(&template, &values));
    }

    #[test]
    fn every_field_has_its_own_place_and_name() {
        for (index, (name, field)) in FIELDS.into_iter().enumerate() {
            assert_eq!(field as usize, index, "{name}");
            assert_eq!(pieces(&format!("{{{name}}}"))[1], Piece::Field(field));
        }
    }

    #[test]
    #[should_panic(expected = "there is no field called qoteId")]
    fn a_misspelt_field_is_found_when_the_template_is_made() {
        Template::new("GET / HTTP/1.1\r\n", "{qoteId}");
    }
}
