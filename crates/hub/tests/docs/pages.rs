//! Reading the pages and the sources that they are compared with.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A page of the documentation.
pub struct Page {
    /// Relative to `docs`.
    pub name: String,
    pub text: String,
}

/// A fenced block of a page.
pub struct Block {
    pub language: String,
    pub text: String,
}

/// A row of a table whose first cell is an error code.
pub struct ErrorRow {
    pub code: String,
    pub text: String,
}

/// The pages for engineers of DFSPs and for operators.
pub fn all() -> Vec<Page> {
    let mut names: Vec<String> =
        ["administration.md", "connect.md", "interscheme.md", "operations.md", "security.md", "tokens.md"]
            .map(String::from)
            .to_vec();
    let resources = fs::read_dir(root().join("docs/fspiop")).unwrap();
    names.extend(resources.map(|entry| format!("fspiop/{}", entry.unwrap().file_name().to_string_lossy())));
    names.sort();
    names.into_iter().map(|name| page(&name)).collect()
}

pub fn page(name: &str) -> Page {
    Page { name: name.to_owned(), text: read(&format!("docs/{name}")) }
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust sources under a directory of the repository, in one text.
pub fn sources(directory: &str) -> String {
    let mut text = String::new();
    gather(&root().join(directory), &mut text);
    text
}

fn gather(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Page {
    pub fn blocks(&self, language: &str) -> Vec<Block> {
        let mut parts = self.text.split("\n```");
        parts.next();
        let mut blocks = Vec::new();
        // Opening and closing fences take turns.
        while let Some(block) = parts.next() {
            let (found, text) = block.split_once('\n').unwrap();
            blocks.push(Block { language: found.to_owned(), text: text.to_owned() });
            parts.next().unwrap_or_else(|| panic!("{}: a block is not closed", self.name));
        }
        blocks.retain(|block| block.language == language);
        blocks
    }

    pub fn errors(&self) -> Vec<ErrorRow> {
        let rows = self.text.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let code = cells.next()?.trim().strip_suffix('`')?;
            let text = cells.next()?.trim().strip_prefix('`')?.strip_suffix('`')?;
            let is_code = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit());
            is_code.then(|| ErrorRow { code: code.to_owned(), text: text.to_owned() })
        });
        rows.collect()
    }

    /// Everything between single backticks outside of blocks.
    pub fn code_spans(&self) -> Vec<String> {
        let mut spans = Vec::new();
        for outside in self.text.split("\n```").step_by(2) {
            spans.extend(outside.split('`').skip(1).step_by(2).map(str::to_owned));
        }
        spans
    }
}
