//! A compiled target of the workspace, and where what the compiler has written of it is.

use std::path::PathBuf;

use serde_json::Value;

/// One checked target of a member.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The crate's name.
    pub name: String,
    /// Whether other crates can use it.
    pub is_lib: bool,
    /// Whether it is compiled as a test.
    pub is_test: bool,
    /// Whether cargo compiles it as a test where it compiles tests.
    pub is_tested: bool,
    /// The file that it begins with.
    pub source: PathBuf,
    /// The compiler's MIR.
    pub mir: PathBuf,
    /// What else the compiler has written of it, without which it would be checked anew.
    pub metadata: PathBuf,
    /// The source files.
    pub files: Vec<String>,
    /// The package, as cargo names it.
    pub package: String,
    /// The package's manifest.
    pub manifest: String,
    /// The target, as cargo describes it.
    pub described: Value,
}
