//! `lockcheck.toml`, at the root of the workspace: what every run of the command starts from.
//!
//! ```toml
//! [levels]                      # a rule or a tier, and what it does
//! guard-across-callback = "warn"
//! potential = "deny"
//!
//! [lint]
//! order = [["Bank.accounts", "Bank.log"]]   # locks in the order in which they are to be taken
//!
//! [[lint.locks]]                # a lock of another crate, or made of atomics
//! type = "kernel::SpinLock"
//! guard = "kernel::SpinGuard"
//! lock = ["acquire"]            # methods that wait for it; also `read` and `try_lock`
//!
//! [[allow]]                     # one finding that is accepted
//! id = "lock-order-35d1f204"    # as the report has it
//! reason = "the auditor runs at night, when nothing is transferred"
//! until = 2027-01-31            # the last day of it, if there is to be one
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::failure::Failure;
use crate::report::model::Level;

/// The file's name.
pub const NAME: &str = "lockcheck.toml";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Levels of rules and tiers; the command line's win over them.
    pub levels: BTreeMap<String, Level>,
    /// What the lint is told.
    pub lint: Lint,
    /// Findings that are accepted.
    pub allow: Vec<Allow>,
}

/// A finding that is accepted, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Its id.
    pub id: Spanned<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it is.
    #[serde(default)]
    pub until: Option<Datetime>,
}

/// A finding that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
    /// The last day on which it is; none for ever.
    pub until: Option<Date>,
    /// The line of the file that says so.
    pub line: u32,
}

/// What the file says, all of it with a meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// What was read.
    pub config: Config,
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
}

impl Config {
    /// Reads the file of a workspace; without one, nothing is set.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn load(workspace: &Path) -> Result<Read, Failure> {
        let path = workspace.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::default()),
            Err(error) => {
                return Err(Failure::new(
                    format!("cannot read `{}`: {error}", path.display()),
                    "Make the file readable, or remove it.",
                ));
            }
        };
        let config: Config = toml::from_str(&text).map_err(|error| {
            Failure::new(
                format!("`{}` is not understood: {error}", path.display()),
                "Write `[levels]` with lines such as `lock-order = \"deny\"`, `[lint]` with \
                 `order = [[\"First.lock\", \"Second.lock\"]]`, `[[lint.locks]]` with `type`, \
                 `guard` and `lock`, and `[[allow]]` with `id`, `reason` and, if it is to end, \
                 `until = 2027-01-31`.",
            )
        })?;
        let accepted = config.allow.iter().map(|allow| accepted(allow, &text));
        let accepted = accepted.collect::<Result<_, _>>()?;
        Ok(Read { config, accepted })
    }
}

/// An entry, with its meaning.
fn accepted(allow: &Allow, text: &str) -> Result<Accepted, Failure> {
    let (id, reason) = (allow.id.get_ref().clone(), allow.reason.trim().to_owned());
    let before = text.get(..allow.id.span().start).unwrap_or_default();
    let line = before.matches('\n').count() as u32 + 1;
    if reason.is_empty() {
        return Err(Failure::new(
            format!("`{NAME}` allows `{id}` without a reason, at line {line}"),
            "Say in `reason` why the finding is accepted, for whoever reads it next.",
        ));
    }
    let until = allow.until.map(|until| {
        until.to_string().parse::<Date>().map_err(|_| {
            Failure::new(
                format!("`{NAME}` allows `{id}` until `{until}`, which is no day"),
                "Write the last day on which it is accepted, as in `until = 2027-01-31`.",
            )
        })
    });
    Ok(Accepted { id, reason, until: until.transpose()?, line })
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::report::model::Level;

    #[test]
    fn the_file_sets_levels_and_orders() {
        let text = "[levels]\nlock-order = \"deny\"\n[lint]\norder = [[\"A.x\", \"B.y\"]]\n";
        let config: Config = toml::from_str(text).expect("it is right");
        assert_eq!(config.levels["lock-order"], Level::Deny);
        assert_eq!(config.lint.order, [["A.x", "B.y"]]);
        assert!(toml::from_str::<Config>("[lint]\nordre = []").is_err());
        let text =
            "[[lint.locks]]\ntype = \"SpinLock\"\nguard = \"SpinGuard\"\nlock = [\"acquire\"]\n";
        let config: Config = toml::from_str(text).expect("it is right");
        assert_eq!(config.lint.locks[0].lock, ["acquire"]);
    }
}
