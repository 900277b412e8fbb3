//! Small correct programs in the styles that people write: nothing is found in any of them, by running
//! or in the source, whatever the edition.

use std::fs;

use cargo_lockcheck::report::model::Finding;
use lockcheck_tests::Project;

fn place(finding: &Finding) -> String {
    let edge = finding.edges.first().map(|edge| edge.to_site.to_string());
    let site = finding.sites.first().map(|site| site.place.to_string());
    edge.or(site).unwrap_or_default()
}

/// What is found in them in an edition, by both ways of looking, as `rule tier: sentence`.
fn found(edition: &str) -> Vec<String> {
    let project = Project::fixture("ordinary", &format!("ordinary-{edition}"));
    let manifest = project.root().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let written = format!("edition = \"{edition}\"");
    fs::write(&manifest, text.replace("edition = \"2024\"", &written)).expect("it can be written");
    let mut all = Vec::new();
    for args in [&["test", "--lib", "-q"][..], &["check", "-q"]] {
        let checked = project.check(args);
        assert_eq!(checked.report().warnings, [""; 0], "{checked}");
        let coverage = checked.report().coverage;
        assert!(coverage.locks > 40 || coverage.functions_analyzed > 100, "{checked}");
        assert!([0, 100].contains(&checked.code), "{checked}");
        all.extend(checked.report().findings.iter().map(|finding| {
            let Finding { rule, tier, message, .. } = finding;
            format!("{} {edition} {rule} {tier}: {} {message}", args[0], place(finding))
        }));
    }
    all
}

#[test]
fn nothing_is_found_in_correct_programs() {
    let all: Vec<String> = ["2021", "2024"].into_iter().flat_map(found).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}
