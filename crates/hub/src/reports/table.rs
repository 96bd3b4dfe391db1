//! A report as a table, in JSON and CSV.

use serde_json::{Map, Value, json};

/// Rows under columns, with what stands above and below them.
pub struct Table {
    pub report: &'static str,
    /// What the report is about: name and value.
    pub about: Vec<(&'static str, String)>,
    pub columns: Vec<String>,
    /// As many cells as there are columns.
    pub rows: Vec<Vec<String>>,
    /// Name and value of what the rows must add up to.
    pub control: Vec<(String, String)>,
}

impl Table {
    pub fn json(&self, generated_at: &str) -> Value {
        let row = |cells: &Vec<String>| -> Value {
            self.columns.iter().cloned().zip(cells.iter().map(|cell| json!(cell))).collect::<Map<_, _>>().into()
        };
        let about: Map<String, Value> =
            self.about.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let control: Map<String, Value> =
            self.control.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "report": self.report,
            "generatedAt": generated_at,
            "about": about,
            "columns": self.columns,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "control": control,
        })
    }

    /// The columns, the rows, and a row for each control total, with its name in the first column.
    pub fn csv(&self) -> String {
        let mut text = line(&self.columns);
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        for (name, value) in &self.control {
            text.push_str(&line(&[format!("CONTROL {name}"), value.clone()]));
        }
        text
    }
}

/// One line of CSV (RFC 4180).
pub fn line(cells: &[String]) -> String {
    let mut text = cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

/// A spreadsheet would run a text that begins like a formula; numbers may begin with a minus.
fn cell(text: &str) -> String {
    let is_number = text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_formula = !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_not_run() {
        let cells = ["plain", "with, comma", "a \"word\"", "=1+1", "-5.00", "-cmd", "@x", ""].map(str::to_owned);
        assert_eq!(line(&cells), "plain,\"with, comma\",\"a \"\"word\"\"\",'=1+1,-5.00,'-cmd,'@x,\r\n");
    }

    #[test]
    fn a_table_says_the_same_in_both_forms() {
        let table = Table {
            report: "r",
            about: vec![("settlementId", "1".into())],
            columns: vec!["a".into(), "b".into()],
            rows: vec![vec!["1".into(), "2".into()]],
            control: vec![("sum".into(), "3".into())],
        };
        assert_eq!(table.csv(), "a,b\r\n1,2\r\nCONTROL sum,3\r\n");
        let json = table.json("now");
        assert_eq!(
            (&json["rows"][0]["b"], &json["control"]["sum"], &json["about"]["settlementId"]),
            (&json!("2"), &json!("3"), &json!("1"))
        );
    }
}
