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
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

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
    pub fn load(workspace: &Path) -> Result<Config, Failure> {
        let path = workspace.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
            Err(error) => {
                return Err(Failure::new(
                    format!("cannot read `{}`: {error}", path.display()),
                    "Make the file readable, or remove it.",
                ));
            }
        };
        toml::from_str(&text).map_err(|error| {
            Failure::new(
                format!("`{}` is not understood: {error}", path.display()),
                "Write `[levels]` with lines such as `lock-order = \"deny\"`, and `[lint]` with \
                 `order = [[\"First.lock\", \"Second.lock\"]]`, and `[[lint.locks]]` with `type`, \
                 `guard` and `lock`.",
            )
        })
    }
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
