//! Says of which findings no source is here, where a report would quote it.

use std::collections::BTreeSet;

use crate::report::model::{Finding, Place};
use crate::report::sources::Sources;

/// A sentence, if there are findings none of whose places is in a file that can be read.
pub(super) fn note(findings: &[Finding], sources: &Sources) -> Option<String> {
    let is_gone =
        |finding: &&Finding| places(finding).all(|place| sources.text(&place.file).is_none());
    let gone = findings.iter().filter(is_gone).flat_map(places);
    let files: BTreeSet<&str> = gone.map(|place| &*place.file).collect();
    let first = files.first()?;
    let which = match files.len() - 1 {
        0 => format!("`{first}` is not here"),
        1 => format!("`{first}` and one more source file are not here"),
        more => format!("`{first}` and {more} more source files are not here"),
    };
    Some(format!(
        "{which}, so locks are named by their places: `cargo lockcheck report` in a checkout of the \
         program that ran names their fields and shows the lines"
    ))
}

fn places(finding: &Finding) -> impl Iterator<Item = &Place> {
    let edges = finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
    let sites = finding.sites.iter().map(|site| &site.place);
    edges.chain(sites).chain(finding.waits.iter().map(|wait| &wait.site))
}
