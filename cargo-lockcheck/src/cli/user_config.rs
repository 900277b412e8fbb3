//! `lockcheck.toml`, at the root of the workspace: what every run of the command starts from.
//!
//! ```toml
//! [levels]                      # a rule or a tier, and what it does
//! guard-across-callback = "warn"
//! potential = "deny"
//!
//! [[override]]                  # other levels in a part of the program
//! paths = ["src/legacy/**"]     # by files, or `crates = ["bank-*"]`, or both
//! levels = { lock-order = "warn" }
//!
//! [lint]
//! order = [["Bank.accounts", "Bank.log"]]   # locks in the order in which they are to be taken
//!
//! [[lint.locks]]                # a lock of another crate, or made of atomics
//! type = "kernel::SpinLock"
//! guard = "kernel::SpinGuard"
//! lock = ["acquire"]            # methods that wait for it; also `read`, `try_lock` and two more
//!
//! [[lint.calls]]                # a function that is no lock's, of another crate or of this one
//! function = "kernel::Queue::drain"
//! does = "waits"                # or `starts`, `runs`, `keeps`
//!
//! [[allow]]                     # one finding that is accepted
//! id = "lock-order-35d1f204"    # as the report has it
//! reason = "the auditor runs at night, when nothing is transferred"
//! until = 2027-01-31            # the last day of it, if there is to be one
//!
//! [[allow]]                     # or all that are alike
//! rule = "recursive-read"       # also `locks`, `paths`, `crates` and `tests`
//! paths = ["benches/**"]
//! reason = "benches have no writer"
//! ```
//!
//! The same may stand in the manifest at the root of the workspace, under `[workspace.metadata.lockcheck]`
//! or, for a single package, `[package.metadata.lockcheck]`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use lockdep::finding::Rule;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::failure::Failure;
use crate::report::classify::{Levels, Settings};
use crate::report::model::{Level, Place};
use crate::report::pattern::{Pattern, Patterns};

/// The file's name.
pub const NAME: &str = "lockcheck.toml";

/// The name of the manifest, which may hold it too.
const MANIFEST: &str = "Cargo.toml";

/// A key that is named like an unknown one is at least so much like it.
const ALIKE: f64 = 0.75;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    levels: BTreeMap<String, Level>,
    r#override: Vec<Override>,
    lint: Lint,
    allow: Vec<Allow>,
}

/// Levels in a part of the program, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    #[serde(default)]
    crates: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    levels: Spanned<BTreeMap<String, Level>>,
}

/// Findings that are accepted, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default)]
    id: Option<Spanned<String>>,
    #[serde(default)]
    rule: Option<Spanned<String>>,
    #[serde(default)]
    locks: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    crates: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    reason: Spanned<String>,
    #[serde(default)]
    until: Option<Datetime>,
}

/// Findings that are accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Which.
    pub which: Which,
    /// Why.
    pub reason: String,
    /// The last day on which they are; none for ever.
    pub until: Option<Date>,
    /// Where that is written.
    pub written: Place,
}

/// Which findings are accepted.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one with this id.
    Id(String),
    /// All that are alike.
    Like(Box<Pattern>),
}

/// What the files say, all of it with a meaning.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Levels of rules and tiers, in the program and in parts of it; the command line's win over them.
    pub levels: Levels,
    /// What the lint is told.
    pub lint: Lint,
    /// Findings that are accepted.
    pub accepted: Vec<Accepted>,
}

/// What the lint is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lint {
    /// Lists of locks by their names, each in the order in which they are to be taken.
    pub order: Vec<Vec<String>>,
    /// Types of locks that are not known by themselves.
    pub locks: Vec<LockType>,
    /// Functions that are not known by themselves.
    pub calls: Vec<KnownCall>,
}

/// A type of locks: its methods take one, and hold it as long as what they return lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockType {
    /// The path of the type, or its end.
    #[serde(rename = "type")]
    pub ty: String,
    /// The path of the guard's type, or its end.
    pub guard: String,
    /// The methods that wait for the lock alone.
    #[serde(default)]
    pub lock: Vec<String>,
    /// The methods that wait for the lock together with others that read.
    #[serde(default)]
    pub read: Vec<String>,
    /// The methods that take the lock if it is free.
    #[serde(default)]
    pub try_lock: Vec<String>,
    /// The methods that wait for the lock alone, and hold it only until they return: those of a map
    /// with a lock inside.
    #[serde(default)]
    pub lock_inside: Vec<String>,
    /// The methods that read in the same way.
    #[serde(default)]
    pub read_inside: Vec<String>,
}

/// A function that is not known by itself, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownCall {
    /// The path of the function, or its end. That of a method begins with its type or its trait.
    pub function: String,
    /// What it does.
    pub does: CallEffect,
}

/// What a function does that is no lock's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallEffect {
    /// It waits for something that other threads bring about.
    Waits,
    /// It starts a thread or task with the closure or future that it is given.
    Starts,
    /// It runs the closure that it is given before it returns.
    Runs,
    /// It keeps the closure that it is given for later.
    Keeps,
}

/// The manifest, as far as it may hold what the file does.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    workspace: Holder,
    package: Holder,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Holder {
    metadata: Tools,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tools {
    lockcheck: Option<Config>,
}

impl Read {
    /// Reads the files of a workspace; without any, nothing is set. What `lockcheck.toml` says comes after
    /// what the manifest does, and wins over it.
    ///
    /// # Errors
    /// When there is a file that cannot be read, or says something that has no meaning.
    pub fn load(workspace: &Path) -> Result<Read, Failure> {
        let mut read = Read::default();
        if let Some(text) = text_of(&workspace.join(MANIFEST))? {
            // What else is wrong with a manifest is cargo's to say.
            if text.contains("metadata.lockcheck") {
                let manifest: Manifest = parse(&text, MANIFEST)?;
                for Holder { metadata } in [manifest.package, manifest.workspace] {
                    if let Some(config) = metadata.lockcheck {
                        read.add(config, &text, MANIFEST)?;
                    }
                }
            }
        }
        if let Some(text) = text_of(&workspace.join(NAME))? {
            read.add(parse(&text, NAME)?, &text, NAME)?;
        }
        Ok(read)
    }

    /// What the text of a `lockcheck.toml` says.
    ///
    /// # Errors
    /// When it says something that has no meaning.
    pub fn parse(text: &str) -> Result<Read, Failure> {
        let mut read = Read::default();
        read.add(parse(text, NAME)?, text, NAME)?;
        Ok(read)
    }

    fn add(&mut self, config: Config, text: &str, file: &str) -> Result<(), Failure> {
        for (code, level) in &config.levels {
            self.levels.base.set(code, *level).map_err(|what| no_code(file, &what, "[levels]"))?;
        }
        for entry in config.r#override {
            let line = line_at(text, entry.levels.span().start);
            if entry.crates.is_empty() && entry.paths.is_empty() {
                return Err(Failure::new(
                    format!(
                        "an `[[override]]` in `{file}`, at line {line}, is for no part of the program"
                    ),
                    "Say in `crates` or `paths` what it is for, as in `paths = [\"src/legacy/**\"]`; what \
                     is for all of the program stands under `[levels]`.",
                ));
            }
            let pattern = Pattern {
                crates: patterns(&entry.crates, file, line)?,
                paths: patterns(&entry.paths, file, line)?,
                ..Pattern::default()
            };
            let mut levels = Settings::default();
            for (code, level) in entry.levels.get_ref() {
                levels.set(code, *level).map_err(|what| no_code(file, &what, "[[override]]"))?;
            }
            self.levels.parts.push((pattern, levels));
        }
        for allow in config.allow {
            self.accepted.push(accepted(allow, text, file)?);
        }
        self.lint.order.extend(config.lint.order);
        self.lint.locks.extend(config.lint.locks);
        self.lint.calls.extend(config.lint.calls);
        Ok(())
    }
}

/// The text of a file, if there is one.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(
            format!("cannot read `{}`: {error}", path.display()),
            "Make the file readable, or remove it.",
        )),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str, file: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let next = nearest(error.message()).unwrap_or_else(|| {
            "Write `[levels]` with lines such as `lock-order = \"deny\"`, `[[override]]` with `paths` or \
             `crates` and `levels`, `[lint]` with `order = [[\"First.lock\", \"Second.lock\"]]`, \
             `[[lint.locks]]` with `type`, `guard` and `lock`, `[[lint.calls]]` with `function` and `does`, \
             and `[[allow]]` with `id`, `reason` and, if \
             it is to end, `until = 2027-01-31`."
                .to_owned()
        });
        Failure::new(format!("`{file}` is not understood: {error}"), next)
    })
}

/// Which key is spelt most like the unknown one that a parser's error is about.
fn nearest(error: &str) -> Option<String> {
    let (unknown, known) = error.strip_prefix("unknown field `")?.split_once('`')?;
    let known = known.split('`').skip(1).step_by(2);
    let alike = known.map(|known| (strsim::jaro_winkler(unknown, known), known));
    let (_, best) = alike.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(alike, _)| *alike > ALIKE)?;
    Some(format!("Write `{best}`, which is spelt most like `{unknown}`."))
}

fn no_code(file: &str, what: &str, table: &str) -> Failure {
    Failure::new(
        format!("`{file}` sets a level for what does not exist: {what}"),
        format!("Correct the name under `{table}`."),
    )
}

fn patterns(texts: &[String], file: &str, line: u32) -> Result<Patterns, Failure> {
    Patterns::new(texts).map_err(|what| {
        Failure::new(
            format!("`{file}` has a pattern that is none, at line {line}: {what}"),
            "Write a name in which `*` stands for any part of it and `**` for any directories, as in \
             `src/legacy/**`.",
        )
    })
}

fn line_at(text: &str, offset: usize) -> u32 {
    text.get(..offset).unwrap_or_default().matches('\n').count() as u32 + 1
}

/// An entry, with its meaning.
fn accepted(allow: Allow, text: &str, file: &str) -> Result<Accepted, Failure> {
    let spans = [allow.id.as_ref(), allow.rule.as_ref(), Some(&allow.reason)];
    let start = spans.into_iter().flatten().map(|key| key.span().start).min();
    let line = line_at(text, start.unwrap_or_default());
    let reason = allow.reason.get_ref().trim().to_owned();
    let rule = allow.rule.as_ref().map(|rule| {
        let code = rule.get_ref();
        Rule::from_code(code).ok_or_else(|| {
            Failure::new(
                format!("`{file}` allows `{code}`, which is no rule, at line {line}"),
                match near(code) {
                    Some(near) => format!("Write `{near}`, which is spelt most like it."),
                    None => "`cargo lockcheck explain` lists the rules.".to_owned(),
                },
            )
        })
    });
    let pattern = Pattern {
        rule: rule.transpose()?,
        locks: patterns(&allow.locks, file, line)?,
        paths: patterns(&allow.paths, file, line)?,
        crates: patterns(&allow.crates, file, line)?,
        tests: patterns(&allow.tests, file, line)?,
    };
    let which = match (&allow.id, pattern.is_empty()) {
        (Some(id), true) => Which::Id(id.get_ref().clone()),
        (None, false) => Which::Like(Box::new(pattern)),
        (has_id, _) => {
            let what = match has_id {
                Some(id) => format!("`{}` and what is like something else", id.get_ref()),
                None => "nothing".to_owned(),
            };
            return Err(Failure::new(
                format!("`{file}` has an `[[allow]]` for {what}, at line {line}"),
                "Write `id`, for one finding, or some of `rule`, `locks`, `paths`, `crates` and `tests`, for \
                 those that all of them fit.",
            ));
        }
    };
    if reason.is_empty() {
        let what = match &which {
            Which::Id(id) => format!("`{id}`"),
            Which::Like(_) => "findings".to_owned(),
        };
        return Err(Failure::new(
            format!("`{file}` allows {what} without a reason, at line {line}"),
            "Say in `reason` why it is accepted, for whoever reads it next.",
        ));
    }
    let until = allow.until.map(|until| {
        until.to_string().parse::<Date>().map_err(|_| {
            Failure::new(
                format!(
                    "`{file}` allows something until `{until}`, which is no day, at line {line}"
                ),
                "Write the last day on which it is accepted, as in `until = 2027-01-31`.",
            )
        })
    });
    let written = Place { file: file.to_owned(), line, column: 1 };
    Ok(Accepted { which, reason, until: until.transpose()?, written })
}

/// The rule that is spelt most like `code`.
pub fn near(code: &str) -> Option<&'static str> {
    let rules = Rule::ALL.iter().map(|rule| (strsim::jaro_winkler(code, rule.code()), rule.code()));
    let best = rules.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(alike, _)| *alike > ALIKE).map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use lockdep::finding::{Rule, Tier};

    use super::{CallEffect, Failure, Read, Which, near};
    use crate::report::model::{Finding, Level};

    /// What these two files say.
    fn load(manifest: &str, file: &str) -> Result<Read, Failure> {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("Cargo.toml"), manifest).expect("it can be written");
        fs::write(directory.path().join("lockcheck.toml"), file).expect("it can be written");
        Read::load(directory.path())
    }

    fn level(read: &Read, finding: &Finding) -> Level {
        read.levels.of(finding).0
    }

    #[test]
    fn the_file_sets_levels_and_orders() {
        let read = load(
            "[workspace]",
            "[levels]\nlock-order = \"warn\"\n[lint]\norder = [[\"A.x\", \"B.y\"]]\n\
             [[lint.locks]]\ntype = \"SpinLock\"\nguard = \"SpinGuard\"\nlock = [\"acquire\"]\n\
             [[lint.calls]]\nfunction = \"Queue::drain\"\ndoes = \"waits\"\n",
        );
        let read = read.expect("it is right");
        let finding = Finding::new(Rule::LockOrder, Tier::Reachable, "");
        assert_eq!(level(&read, &finding), Level::Warn);
        assert_eq!(read.lint.order, [["A.x", "B.y"]]);
        assert_eq!(read.lint.locks[0].lock, ["acquire"]);
        assert_eq!(read.lint.calls[0].does, CallEffect::Waits);
    }

    #[test]
    fn the_manifest_may_say_it_and_the_file_wins() {
        let manifest = "[workspace]\n[workspace.metadata.lockcheck.levels]\nlock-order = \"warn\"\n\
                        double-lock = \"allow\"\n[workspace.metadata.other]\nx = 1\n";
        let read = load(manifest, "[levels]\nlock-order = \"allow\"\n").expect("it is right");
        let order = Finding::new(Rule::LockOrder, Tier::Reachable, "");
        let double = Finding::new(Rule::DoubleLock, Tier::Potential, "");
        assert_eq!([level(&read, &order), level(&read, &double)], [Level::Allow, Level::Allow]);
        let error = load("[package.metadata.lockcheck]\nlevel = 1\n", "").expect_err("it is wrong");
        assert!(error.to_string().contains("`Cargo.toml` is not understood"), "{error}");
        assert!(error.next().contains("`levels`"), "{}", error.next());
    }

    #[test]
    fn a_part_of_the_program_has_levels_of_its_own() {
        let read = load(
            "",
            "[[override]]\ncrates = [\"bank-*\"]\nlevels = { lock-order = \"warn\" }\n\
             [[override]]\npaths = [\"src/legacy/**\"]\nlevels = { reachable = \"allow\" }\n",
        );
        let read = read.expect("it is right");
        let mut finding = Finding::new(Rule::LockOrder, Tier::Reachable, "");
        assert_eq!(level(&read, &finding), Level::Deny);
        finding.package = Some("bank-core".to_owned());
        assert_eq!(level(&read, &finding), Level::Warn);
        finding.at = Some(crate::report::model::Place {
            file: "src/legacy/a/b.rs".into(),
            line: 1,
            column: 1,
        });
        assert_eq!(level(&read, &finding), Level::Allow);
    }

    #[test]
    fn what_has_no_meaning_is_told_with_what_is_meant() {
        for (text, parts) in [
            ("[lint]\nordre = []\n", &["lockcheck.toml", "`ordre`", "Write `order`"][..]),
            ("[levles]\n", &["`levles`", "Write `levels`"]),
            ("[[alow]]\n", &["`alow`", "Write `allow`"]),
            ("[levels]\nlock-odour = \"deny\"\n", &["`lock-odour`", "[levels]"]),
            ("[levels]\nlock-order = \"fatal\"\n", &["`fatal`", "`deny`"]),
            ("[[override]]\nlevels = {}\n", &["line 2", "no part", "`paths`"]),
            ("[[override]]\npaths = [\"a[\"]\nlevels = {}\n", &["a[", "`*`"]),
            ("[[allow]]\nreason = \"r\"\n", &["nothing", "line 2", "`id`"]),
            ("[[allow]]\nid = \"x\"\nrule = \"deadlock\"\nreason = \"r\"\n", &["line 2", "`rule`"]),
            (
                "[[allow]]\nrule = \"dead-lock\"\nreason = \"r\"\n",
                &["`dead-lock`", "Write `deadlock`"],
            ),
            ("[[allow]]\nid = \"x\"\nreason = \" \"\n", &["without a reason", "line 2"]),
            ("[[allow]]\nid = \"x\"\n", &["reason"]),
            ("[[allow]]\nid = \"x\"\nreason = \"r\"\nuntil = 10:00:00\n", &["no day"]),
            ("[levels\n", &["lockcheck.toml", "[levels]"]),
        ] {
            let error = load("", text).expect_err(text);
            let said = format!("{error}\n{}", error.next());
            assert!(parts.iter().all(|part| said.contains(part)), "{text}: {said}");
        }
    }

    #[test]
    fn entries_know_where_they_are_written() {
        let text = "[[allow]]\nid = \"lock-order-35d1f204\"\nreason = \"r\"\n\n\
                    [[allow]]\npaths = [\"src/**\"]\nrule = \"deadlock\"\nreason = \"r\"\n";
        let read = load("", text).expect("it is right");
        let lines: Vec<u32> = read.accepted.iter().map(|entry| entry.written.line).collect();
        assert_eq!(lines, [2, 7]);
        assert!(matches!(read.accepted[1].which, Which::Like(_)));
    }

    #[test]
    fn a_misspelt_rule_is_recognised() {
        assert_eq!(near("lock-odour"), Some("lock-order"));
        assert_eq!(near("xyz"), None);
    }
}
