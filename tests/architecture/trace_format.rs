//! `docs/trace.md` against the code that writes traces and the code that reads them.
//!
//! The runtime writes each line with one format string, in which the keys stand as they do in the file;
//! the reader has a variant for each line. So both are read as sources, and no line has to be produced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use lockcheck_tests::workspace;
use syn::{Attribute, Field, Fields, Item, Lit, LitStr};

type Keys = BTreeSet<String>;

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).expect("it is there")
}

/// The keys in a text of JSON: each name in quotes before a colon.
fn keys(text: &str) -> Keys {
    let is_name = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let parts: Vec<&str> = text.split('"').collect();
    let pairs = parts.windows(2).filter(|pair| pair[1].trim_start().starts_with(':'));
    pairs.map(|pair| pair[0]).filter(is_name).map(str::to_owned).collect()
}

/// The words in code quotes.
fn quoted(text: &str) -> Keys {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is written: the keys of each line by its `t`, and all keys.
fn written() -> (BTreeMap<String, Keys>, Keys) {
    let runtime = text("lockdep/src/observer/trace.rs") + &text("lockdep/src/process/inquiry.rs");
    let command = text("cargo-lockcheck/src/traces/symbols.rs");
    let command = command.lines().filter(|line| line.contains("json!"));
    let source: Vec<&str> =
        runtime.lines().filter(|line| line.contains("\"")).chain(command).collect();
    let mut lines = BTreeMap::new();
    let mut all = Keys::new();
    for line in source {
        let line = line.replace("\\\"", "\"");
        let mut keys = keys(&line);
        all.extend(keys.iter().cloned());
        if let Some((_, rest)) = line.split_once("\"t\":") {
            let name = rest.split('"').nth(1).expect("a name");
            keys.remove("t");
            lines.insert(name.to_owned(), keys);
        }
    }
    (lines, all)
}

/// The rows of the table of lines: the keys that stand in the row of each `t`.
fn documented(document: &str) -> BTreeMap<String, Keys> {
    let table = document.split("| `t` | keys | meaning |").nth(1).expect("the table");
    let table = table.split("\n\n").next().expect("its rows");
    let mut rows = BTreeMap::new();
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells[0].trim_matches(['|', ' ', '`']).to_owned();
        let mut all = quoted(cells[1]);
        all.extend(keys(cells[1]));
        rows.insert(name, all);
    }
    rows
}

/// The names under which serde knows a field.
fn names(field: &Field) -> Vec<String> {
    let own = field.ident.iter().map(ToString::to_string);
    let others = renamed(&field.attrs);
    if others.is_empty() { own.collect() } else { others }
}

fn renamed(attributes: &[Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let read = attribute.parse_nested_meta(|meta| {
            if let Ok(value) = meta.value() {
                let value = value.parse::<Lit>()?;
                if let (true, Lit::Str(name)) =
                    (meta.path.is_ident("rename") || meta.path.is_ident("alias"), value)
                {
                    names.push(LitStr::value(&name));
                }
            }
            Ok(())
        });
        read.expect("attributes of serde");
    }
    names
}

fn names_of(fields: &Fields) -> Keys {
    fields.iter().flat_map(names).collect()
}

#[test]
fn what_is_written_is_documented() {
    let document = text("docs/trace.md");
    let rows = documented(&document);
    let (lines, all) = written();
    assert!(lines.len() > 10, "{lines:?}");
    for (name, keys) in &lines {
        let row = rows.get(name).unwrap_or_else(|| panic!("`{name}` is not in docs/trace.md"));
        let missing: Vec<&String> = keys.difference(row).collect();
        // The parts of a finding have a table of their own.
        assert!(name == "finding" || missing.is_empty(), "`{name}` lacks {missing:?}");
    }
    let mut known = quoted(&document);
    known.extend(keys(&document));
    let missing: Vec<&String> = all.difference(&known).filter(|key| *key != "t").collect();
    assert!(missing.is_empty(), "docs/trace.md lacks {missing:?}");
}

#[test]
fn what_is_documented_is_written() {
    let document = text("docs/trace.md");
    let (lines, all) = written();
    for (name, keys) in documented(&document) {
        assert!(lines.contains_key(&name), "nothing writes `{name}`");
        // What is no key is a value or an example of one.
        let is_key =
            |word: &&String| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let values = ["lock", "join", "event", "unpark", "time"].map(str::to_owned);
        for key in keys.iter().filter(is_key).filter(|key| !values.contains(key)) {
            assert!(all.contains(key), "nothing writes `{key}` of `{name}`");
        }
    }
}

#[test]
fn what_is_read_is_written() {
    let (lines, all) = written();
    let reader = text("cargo-lockcheck/src/traces/trace/line.rs");
    let mut read = 0;
    for item in syn::parse_file(&reader).expect("it is Rust").items {
        match item {
            Item::Enum(item) if item.ident == "Line" => {
                for variant in item.variants.iter().filter(|variant| variant.ident != "Other") {
                    let name = variant.ident.to_string().to_lowercase();
                    let keys =
                        lines.get(&name).unwrap_or_else(|| panic!("nothing writes `{name}`"));
                    if let Fields::Named(_) = variant.fields {
                        let own: Vec<String> =
                            names_of(&variant.fields).difference(&all).cloned().collect();
                        assert!(own.is_empty(), "nothing writes {own:?} of `{name}`: {keys:?}");
                    }
                    read += 1;
                }
            }
            Item::Struct(item) => {
                let own: Vec<String> = names_of(&item.fields).difference(&all).cloned().collect();
                assert!(own.is_empty(), "nothing writes {own:?} of `{}`", item.ident);
            }
            _ => {}
        }
    }
    assert_eq!(read, lines.len(), "a line that is written is not read");
}
