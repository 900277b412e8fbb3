//! The locks of this crate beside what they stand in for: those of the standard library, along with
//! other detectors, and those of `parking_lot`.
//!
//! What is measured against, with all that it depends on, is no dependency of this crate, not even for
//! its tests: the measurements are a package of their own in `benches/peers`, which this runs. What
//! follows `--` chooses rows by words of their names.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

#[expect(clippy::print_stderr, reason = "a benchmark is run by hand")]
fn main() -> ExitCode {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    for table in ["detectors", "parking_lot"] {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Its own target directory, as it has its own lock file and profile.
        command.args(["run", "--quiet", "--release", "--manifest-path"]);
        command.arg(package.join("Cargo.toml")).env_remove("CARGO_TARGET_DIR");
        command.args(["--features", table, "--bin", table]);
        command.arg("--").args(env::args_os().skip(1).filter(|word| word != "--bench"));
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(_) => return ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{command:?} cannot be run: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
