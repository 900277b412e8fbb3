//! Reports that were written as JSON, read back.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::failure::Failure;
use crate::report::model::{Report, SCHEMA};

/// What every version of a report says first.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// Reads the report at `path`.
///
/// # Errors
/// When there is none that this version understands.
pub fn read(path: &Path) -> Result<Report, Failure> {
    let shown = path.display();
    let text = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(
            format!("there is no report at `{shown}`"),
            "Run `cargo lockcheck test` or `cargo lockcheck` first, which leave one in \
             `target/lockcheck/report.json`, or name one that `--output json=PATH` has written.",
        ),
        _ => Failure::new(
            format!("the report at `{shown}` cannot be read: {error}"),
            "Name a file that you may read.",
        ),
    })?;
    let written = "Name a file that `--output json=PATH` has written, or write it anew.";
    let head: Head = serde_json::from_slice(&text).map_err(|error| {
        Failure::new(format!("`{shown}` is no JSON report of lockcheck: {error}"), written)
    })?;
    if head.schema != SCHEMA {
        return Err(Failure::new(
            format!(
                "`{shown}` is of the form `{}`, and this cargo-lockcheck reads `{SCHEMA}`",
                head.schema
            ),
            "Use the cargo-lockcheck that has written it, or write it anew.",
        ));
    }
    serde_json::from_slice(&text).map_err(|error| {
        Failure::new(
            format!("the report at `{shown}` is damaged, or of another version: {error}"),
            written,
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read;

    #[test]
    fn what_is_no_report_is_told() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("report.json");
        let said = |text: Option<&str>| {
            if let Some(text) = text {
                fs::write(&path, text).expect("it can be written");
            }
            read(&path).expect_err("it is none").to_string()
        };
        assert!(said(None).contains("there is no report at"));
        assert!(said(Some("<html>")).contains("is no JSON report"));
        assert!(said(Some("{\"runs\": []}")).contains("is no JSON report"));
        assert!(
            said(Some("{\"schema\": \"lockcheck-report/2\"}")).contains("`lockcheck-report/2`")
        );
        assert!(said(Some("{\"schema\": \"lockcheck-report/1\"}")).contains("damaged"));
    }
}
