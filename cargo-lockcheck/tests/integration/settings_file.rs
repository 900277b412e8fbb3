//! `lockcheck.toml`: what its schema takes is what the command reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cargo_lockcheck::cli::user_config::Read;
use lockdep::finding::{Rule, Tier};
use serde_json::Value;

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lockcheck.schema.json");
    let text = fs::read_to_string(path).expect("it is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// Whether the schema takes a text, and whether the command does.
fn taken(text: &str) -> [bool; 2] {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    let value: toml::Value = toml::from_str(text).expect("it is TOML");
    let json = serde_json::to_value(&value).expect("it is JSON");
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("lockcheck.toml"), text).expect("it can be written");
    [validator.is_valid(&json), Read::load(directory.path()).is_ok()]
}

#[test]
fn the_schema_takes_what_the_command_takes() {
    for text in [
        "",
        "[levels]\nlock-order = \"warn\"\npotential = \"deny\"\n",
        "[[override]]\ncrates = [\"a\"]\nlevels = { guarded = \"warn\" }\n",
        "[[override]]\npaths = [\"a/**\"]\ncrates = [\"b\"]\nlevels = {}\n",
        "[lint]\norder = [[\"A\", \"B\"]]\n[[lint.locks]]\ntype = \"a\"\nguard = \"b\"\nlock = [\"c\"]\n\
         read = [\"d\"]\ntry_lock = [\"e\"]\nlock_inside = [\"f\"]\nread_inside = [\"g\"]\n",
        "[[lint.calls]]\nfunction = \"a::b\"\ndoes = \"waits\"\n[[lint.calls]]\nfunction = \"c\"\n\
         does = \"keeps\"\n",
        "[[allow]]\nid = \"lock-order-35d1f204\"\nreason = \"r\"\nuntil = 2027-01-31\n",
        "[[allow]]\nrule = \"deadlock\"\nlocks = [\"a\"]\npaths = [\"b\"]\ncrates = [\"c\"]\ntests = [\"d\"]\n\
         reason = \"r\"\n",
    ] {
        assert_eq!(taken(text), [true, true], "{text}");
    }
    for text in [
        "level = {}\n",
        "[levels]\nlock-odour = \"warn\"\n",
        "[levels]\nlock-order = \"fatal\"\n",
        "[[override]]\nlevels = {}\n",
        "[[override]]\npaths = [\"a\"]\n",
        "[[override]]\npaths = [\"a\"]\nlevels = {}\nrules = []\n",
        "[lint]\nordre = []\n",
        "[[lint.locks]]\ntype = \"a\"\n",
        "[[lint.calls]]\nfunction = \"a\"\n",
        "[[lint.calls]]\nfunction = \"a\"\ndoes = \"sleeps\"\n",
        "[[allow]]\nid = \"lock-order-35d1f204\"\n",
        "[[allow]]\nreason = \"r\"\n",
        "[[allow]]\nid = \"lock-order-35d1f204\"\nrule = \"deadlock\"\nreason = \"r\"\n",
        "[[allow]]\nrule = \"dead-lock\"\nreason = \"r\"\n",
        "[[allow]]\nid = \"lock-order-35d1f204\"\nreason = \"\"\n",
    ] {
        assert_eq!(taken(text), [false, false], "{text}");
    }
}

#[test]
fn the_schema_of_the_settings_knows_every_code() {
    let schema = schema();
    let codes = |name: &str| -> BTreeSet<String> {
        let listed = schema["$defs"][name]["enum"].as_array().expect("it is a list");
        listed.iter().map(|code| code.as_str().expect("of codes").to_owned()).collect()
    };
    assert_eq!(codes("rule"), Rule::ALL.iter().map(ToString::to_string).collect());
    assert_eq!(codes("tier"), Tier::ALL.iter().map(ToString::to_string).collect());
}
