//! The report as one HTML file, with everything that it needs in it: no network, no other file.
//!
//! The page is a document with the report as data; its scripts make of it what is looked at, when it is
//! looked at, so that a large report opens at once. What is said is made here; the scripts only show it.

mod data;

use std::io::{self, Write};

use super::look::Look;
use crate::report::model::Report;
use data::Page;

/// The document, in which each line of this form stands for what is put there.
const DOCUMENT: &str = include_str!("page/document.html");

/// What is put into the document, but for the data.
const PARTS: &[(&str, &[&str])] = &[
    ("<!--style-->", &[include_str!("page/style.css")]),
    (
        "<!--scripts-->",
        &[
            include_str!("page/vendor/dagre.min.js"),
            include_str!("page/elements.js"),
            include_str!("page/graph.js"),
            include_str!("page/finding.js"),
            include_str!("page/times.js"),
            include_str!("page/page.js"),
        ],
    ),
    ("<!--licence-->", &[include_str!("page/vendor/dagre.LICENSE.txt")]),
];

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let page = Page::of(report, look);
    // Nothing in the data may end the element that it is in.
    let data = serde_json::to_string(&page)?.replace('<', "\\u003c");
    for line in DOCUMENT.lines() {
        match line.trim() {
            "<!--data-->" => out.write_all(data.as_bytes())?,
            mark => match PARTS.iter().find(|(known, _)| *known == mark) {
                Some((_, texts)) => {
                    for text in *texts {
                        out.write_all(text.as_bytes())?;
                        out.write_all(b"\n")?;
                    }
                }
                None => out.write_all(line.as_bytes())?,
            },
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
