//! The documents that are made from the code, or checked against it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_lockcheck::cli::args::Args;
use cargo_lockcheck::report::render::Format;
use cargo_lockcheck::report::rules;
use clap::Args as _;
use lockdep::finding::{Rule, Tier};
use serde_json::Value;

use crate::report::case_reports;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_document_on_rules_is_that_of_the_table() {
    let path = docs().join("rules.md");
    let text = rules::document();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &text).expect("the document can be written");
    }
    let there = fs::read_to_string(&path).expect("the document is there");
    assert!(there == text, "docs/rules.md is out of step: UPDATE_EXPECTED=1 cargo test writes it");
}

#[test]
fn reports_keep_to_the_schema() {
    let schema = fs::read_to_string(docs().join("report.schema.json")).expect("it is there");
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let reports = case_reports();
    for (name, report) in &reports {
        let json: Value = serde_json::from_str(report).expect("the report is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
    // The schema is not so loose that it takes anything.
    let (_, report) = &reports[0];
    for (good, bad) in [
        ("\"lockcheck-report/1\"", "\"lockcheck-report/2\""),
        ("\"rule\": \"", "\"rule\": \"no-such-"),
        ("\"level\": \"", "\"level\": \"no-such-"),
        ("\"count\": ", "\"count\": -"),
        ("\"locks\": [", "\"no_locks\": ["),
    ] {
        let broken = report.replacen(good, bad, 1);
        assert_ne!(&broken, report, "{good}");
        let json: Value = serde_json::from_str(&broken).expect("it is JSON still");
        assert!(!validator.is_valid(&json), "{bad}");
    }
}

#[test]
fn a_report_that_is_read_back_is_the_same() {
    for (name, text) in case_reports() {
        let report: cargo_lockcheck::report::model::Report =
            serde_json::from_str(&text).expect("a report can be read");
        let again = serde_json::to_string_pretty(&report).expect("and written") + "\n";
        assert_eq!(again, text, "{name}");
    }
}

#[test]
fn the_schema_knows_every_code() {
    let schema = fs::read_to_string(docs().join("report.schema.json")).expect("it is there");
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let codes = |key: &str| -> BTreeSet<String> {
        let listed = &schema["$defs"]["finding"]["properties"][key]["enum"];
        let listed = listed.as_array().expect("it is a list").iter();
        listed.map(|code| code.as_str().expect("of codes").to_owned()).collect()
    };
    let rules: BTreeSet<String> = Rule::ALL.iter().map(ToString::to_string).collect();
    let tiers: BTreeSet<String> = Tier::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(codes("rule"), rules);
    assert_eq!(codes("tier"), tiers);
}

#[test]
fn the_document_on_reports_has_every_form_and_where_it_goes() {
    let text = fs::read_to_string(docs().join("reports.md")).expect("it is there");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    for format in Format::ALL {
        let name = format!("`{}`", format.name());
        let row =
            rows.iter().find(|row| row.split('|').nth(1).is_some_and(|cell| cell.contains(&name)));
        let row = row.unwrap_or_else(|| panic!("docs/reports.md has no row for {name}"));
        let goes = format.file().map_or("it is printed".to_owned(), |file| format!("`{file}`"));
        assert!(row.contains(&goes), "{row} does not say {goes}");
    }
}

#[test]
fn the_document_on_the_command_has_its_options() {
    let text = fs::read_to_string(docs().join("command.md")).expect("it is there");
    let (_, rest) = text.split_once("lockcheck's own options (").expect("it names them");
    let (listed, _) = rest.split_once(')').expect("in brackets");
    let listed: BTreeSet<String> =
        listed.split('`').skip(1).step_by(2).map(|option| option.replace("--", "")).collect();
    let command = Args::augment_args(clap::Command::new("lockcheck"));
    let options: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .filter(|long| !["help", "version"].contains(long))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, options);
    for subcommand in command.get_subcommands().map(clap::Command::get_name) {
        let is_told = text.contains(subcommand);
        assert!(is_told, "docs/command.md does not speak of `cargo lockcheck {subcommand}`");
    }
}
