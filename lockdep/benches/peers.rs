//! The locks of this crate beside those of the standard library and of other detectors.
//!
//! The other detectors, with all that they depend on, are no dependencies of this crate, not even
//! for its tests: the measurements are a package of their own in `benches/peers`, which this runs.
//! What follows `--` goes to it.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

#[expect(clippy::print_stderr, reason = "a benchmark is run by hand")]
fn main() -> ExitCode {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Its own target directory, as it has its own lock file and profile.
    command.args(["run", "--quiet", "--release", "--manifest-path"]);
    command.arg(package.join("Cargo.toml")).env_remove("CARGO_TARGET_DIR");
    command.arg("--").args(env::args_os().skip(1).filter(|word| word != "--bench"));
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{command:?} cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}
