//! The report as one JSON object: `docs/report.schema.json`.

use std::io::{self, Write};

use crate::report::model::Report;

pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
