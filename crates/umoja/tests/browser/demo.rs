//! The demo as a program of its own, on free ports.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

pub struct Demo {
    process: Child,
    /// Kept open, so that the demo can write on.
    _output: BufReader<ChildStdout>,
    pub green: String,
    pub blue: String,
    pub lake: String,
}

impl Demo {
    /// Starts it and reads the addresses of the pages out of the welcome.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umoja"));
        command.args(["demo", "--free-ports"]).args(arguments).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut address = |title: &str| loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "the demo ended before it named {title}");
            match line.trim().strip_prefix(title).map(str::trim) {
                Some(url) if url.starts_with("http://") => break url.to_owned(),
                Some(_) | None => {}
            }
        };
        let (green, blue, lake) = (address("Green Bank"), address("Blue Wallet"), address("Lake Savings"));
        Self { process, _output: output, green, blue, lake }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
