//! A small reader of Rust: enough to tell code from comments and literals, and to measure functions.
//!
//! Invariant: [`code_only`] keeps every byte's position, so a line number in the code is one in the file. It knows
//! nested comments, escapes, raw strings and lifetimes; it assumes code that compiles. Braces in a signature (a const
//! generic's block) would be taken for the body; rustfmt'ed code of ours has none.

use super::files::File;

/// A Rust file and its code without comments and literals.
pub struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub code: String,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Line of the keyword `fn`, counted from 1.
    pub line: usize,
    /// From the keyword `fn` to the closing brace, both lines included.
    pub lines: usize,
}

impl<'a> Source<'a> {
    pub fn new(file: &'a File) -> Self {
        Self { path: &file.path, text: &file.text, code: code_only(&file.text) }
    }
}

/// The text with comments and literals (strings, bytes, characters) turned into blanks.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(end) = comment_or_literal_end(bytes, at) {
            let end = end.min(bytes.len());
            code[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            at = end;
        } else {
            at = word_end(bytes, at).max(at + 1);
        }
    }
    String::from_utf8(code).expect("only whole comments and literals are replaced")
}

/// Every function that has a body, in the order of the file. A function inside another counts on its own as well.
pub fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (at, word) in words(code) {
        let after = at + word.len();
        if word != "fn" || !code[after..].starts_with(char::is_whitespace) {
            continue;
        }
        let Some((name_at, name)) = words(&code[after..]).next() else { continue };
        // `$name` in a macro, or a function pointer type followed by something else.
        if !code[after..after + name_at].trim().is_empty() {
            continue;
        }
        let Some(end) = body_end(code.as_bytes(), after + name_at) else { continue };
        let (line, last_line) = (line_of(code, at), line_of(code, end));
        functions.push(Function { name: name.to_owned(), line, lines: last_line - line + 1 });
    }
    functions
}

/// The identifiers, keywords and numbers of the code with their byte positions.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().position(|byte| is_word(*byte))?;
        let start = at;
        at = word_end(bytes, at);
        Some((start, &code[start..at]))
    })
}

/// The line of a byte position, counted from 1.
pub fn line_of(code: &str, position: usize) -> usize {
    code.as_bytes()[..position].iter().filter(|byte| **byte == b'\n').count() + 1
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count()
}

/// Where the comment or literal that starts here ends; `None` if none starts here.
fn comment_or_literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest[0] {
        b'/' if rest.starts_with(b"//") => Some(at + rest.iter().take_while(|byte| **byte != b'\n').count()),
        b'/' if rest.starts_with(b"/*") => Some(block_comment_end(bytes, at)),
        b'"' => Some(quoted_end(bytes, at + 1, b'"')),
        b'\'' => character_end(bytes, at),
        _ => prefixed_literal_end(bytes, at),
    }
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The end of a literal with escapes, given the position after its opening quote.
fn quoted_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// A quote opens a character literal, unless it opens a lifetime or a label.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    if first == b'\\' {
        return Some(quoted_end(bytes, at + 1, b'\''));
    }
    let continuation_bytes = bytes[at + 2..].iter().take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
    let closing = at + 2 + continuation_bytes;
    (bytes.get(closing) == Some(&b'\'')).then_some(closing + 1)
}

/// `b"…"`, `c"…"`, `b'…'`, and the raw ones: `r"…"`, `br#"…"#`, and so on.
fn prefixed_literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let prefix_end = word_end(bytes, at);
    let prefix = &bytes[at..prefix_end];
    match (prefix, bytes.get(prefix_end)?) {
        (b"b" | b"c", b'"') => Some(quoted_end(bytes, prefix_end + 1, b'"')),
        (b"b", b'\'') => character_end(bytes, prefix_end),
        (b"r" | b"br" | b"cr", b'"' | b'#') => raw_string_end(bytes, prefix_end),
        _ => None,
    }
}

fn raw_string_end(bytes: &[u8], hashes_at: usize) -> Option<usize> {
    let hashes = bytes[hashes_at..].iter().take_while(|byte| **byte == b'#').count();
    let opening = hashes_at + hashes;
    if bytes.get(opening) != Some(&b'"') {
        return None; // a raw identifier
    }
    let mut closing = vec![b'"'];
    closing.resize(hashes + 1, b'#');
    let contents = &bytes[opening + 1..];
    let length = contents.windows(closing.len()).position(|window| window == closing).unwrap_or(contents.len());
    Some(opening + 1 + length + closing.len())
}

/// The closing brace of the body whose function's name stands here; `None` for a declaration without a body.
fn body_end(code: &[u8], name_at: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (at, byte) in code.iter().enumerate().skip(name_at) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if brackets == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str) -> Vec<(String, usize, usize)> {
        functions(&code_only(text)).into_iter().map(|found| (found.name, found.line, found.lines)).collect()
    }

    #[test]
    fn comments_and_literals_become_blanks_of_the_same_size() {
        for (text, code) in [
            ("let a = \"x{\"; // {\nb", "let a =     ;     \nb"),
            ("a /* { /* } */ { */ b", "a                   b"),
            (r#"f("\"{", '\'', '{')"#, r"f(     ,     ,    )"),
            ("r#\"a \" { \"# + br\"\\\" + b'{' + c\"{\"", "            +       +      +     "),
            ("fn f<'a>(x: &'a str) { 'outer: loop {} }", "fn f<'a>(x: &'a str) { 'outer: loop {} }"),
            ("r#type + 'é' + 'e", "r#type +      + 'e"),
            ("\"a\nb\"", "  \n  "),
        ] {
            assert_eq!(code_only(text), code, "{text}");
        }
    }

    #[test]
    fn a_function_is_measured_from_fn_to_its_closing_brace() {
        let text = "/// fn no() {}\npub fn one() {}\n\npub(crate) const fn two(\n    a: [u8; 2],\n) -> u8\nwhere\n    \
                    u8: Copy,\n{\n    let _ = \"}\";\n    if true { 1 } else { 2 }\n}\n";
        assert_eq!(measured(text), [("one".to_owned(), 2, 1), ("two".to_owned(), 4, 9)]);
    }

    #[test]
    fn declarations_pointers_and_macro_fragments_are_no_functions() {
        assert_eq!(measured("trait T { fn declared(&self) -> [u8; 4]; }\ntype P = fn(u8) -> u8;\n"), []);
        assert_eq!(measured("macro_rules! m { ($n:ident) => { fn $n() {} } }\n"), []);
    }

    #[test]
    fn methods_and_inner_functions_count_on_their_own() {
        let text = "impl A {\n    fn outer(&self) {\n        fn inner() {\n        }\n        inner();\n    }\n}\n";
        assert_eq!(measured(text), [("outer".to_owned(), 2, 5), ("inner".to_owned(), 3, 2)]);
    }

    #[test]
    fn a_text_that_breaks_off_is_read_to_its_end() {
        for text in ["\"never closed", "/* never closed", "r##\"never closed\"#", "'\\", "fn broken() {", "b'", "'"] {
            let code = code_only(text);
            assert_eq!(code.len(), text.len(), "{text}");
            assert_eq!(functions(&code), [], "{text}");
        }
    }

    #[test]
    fn words_are_identifiers_and_numbers_with_their_places() {
        let found: Vec<_> = words("let x_1 = 1.5f64;").collect();
        assert_eq!(found, [(0, "let"), (4, "x_1"), (10, "1"), (12, "5f64")]);
    }
}
