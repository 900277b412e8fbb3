//! Prints reports: one file for each format. Nothing here decides what is worth showing.

mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod look;
pub mod markdown;
mod order_graph;
mod sarif;
mod text;

use std::io::{self, Write};

pub use look::{Format, Look, Show};

use super::model::{Finding, Report};

/// Prints `report` as `format` to `out`.
///
/// # Errors
/// Those of `out`.
pub fn render(
    report: &Report,
    format: Format,
    out: &mut dyn Write,
    look: &Look<'_>,
) -> io::Result<()> {
    match format {
        Format::Text => text::render(report, out, look),
        Format::Json => json::render(report, out),
        Format::Html => html::render(report, out, look),
        Format::Sarif => sarif::render(report, out, look),
        Format::Github => github::render(report, out, look),
        Format::Junit => junit::render(report, out, look),
        Format::Gitlab => gitlab::render(report, out, look),
        Format::Markdown => markdown::render(report, out, look, markdown::COMMENT),
        Format::Dot => order_graph::dot(report, out),
        Format::Graphml => order_graph::graphml(report, out),
    }
}

/// One finding as the text report shows it.
pub fn finding(finding: &Finding, look: &Look<'_>) -> String {
    text::finding(finding, look)
}
