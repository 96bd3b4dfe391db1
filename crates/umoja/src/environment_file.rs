//! A file of environment variables, for a program that is set by them.
//!
//! The program begins again in its own place with the variables of the file, because a process must not change its
//! environment while it has threads. Invariant: a variable that is set wins over the file.

use std::{os::unix::process::CommandExt as _, path::Path, process::Command};

/// Says to the program that has begun again which file it was.
const ENTERED: &str = "UMOJA_ENV_FILE_ENTERED";

/// Returns once the variables of the file are set; the first call does not return but begins the program again. The error is a
/// sentence.
pub fn enter(file: &Path) -> Result<(), String> {
    if std::env::var_os(ENTERED).is_some_and(|entered| entered == file.as_os_str()) {
        return Ok(());
    }
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("The file {shown} cannot be read: {error}."))?;
    let variables = parse(&text).map_err(|line| {
        format!("The file {shown} is wrong in line {line}: it must be NAME=VALUE, or a comment that begins with #.")
    })?;
    let program = std::env::current_exe().map_err(|error| format!("This program is not found: {error}."))?;
    let missing = variables.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    let error = Command::new(program).args(std::env::args_os().skip(1)).envs(missing).env(ENTERED, file).exec();
    Err(format!("This program cannot begin again with the variables of {shown}: {error}."))
}

/// Names and values. The error is the number of a line.
fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(number)?;
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(is_name) {
            return Err(number);
        }
        let value = value.trim();
        let inner = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        let value = inner('"').or_else(|| inner('\'')).unwrap_or(value);
        if value.contains('\0') {
            return Err(number);
        }
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_with_or_without_quotes_and_comments_left_out() {
        let text = "# a comment\n\nA=1\nexport B=\"two words\"\n C = 'x=y' \nD=\nE=\"\n";
        let variables = parse(text).unwrap();
        let read: Vec<_> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(read, [("A", "1"), ("B", "two words"), ("C", "x=y"), ("D", ""), ("E", "\"")]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for (text, line) in [("A=1\nB", 2), ("=1", 1), ("1A=1", 1), ("A B=1", 1), ("A=\0", 1)] {
            assert_eq!(parse(text), Err(line), "{text:?}");
        }
    }
}
