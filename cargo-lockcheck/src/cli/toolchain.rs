//! The compiler that cargo uses here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockdep::sources::RUST_VERSION;

use super::cargo_config::CargoConfig;
use super::failure::Failure;

/// A compiler, and what it says of itself.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The compiler.
    pub rustc: PathBuf,
    /// The documentation tool, which runs doctests.
    pub rustdoc: PathBuf,
    /// All of `rustc -vV`: two compilers that agree in it can use each other's libraries.
    pub version: String,
    /// The platform that it runs on.
    pub host: String,
    /// The platform that it builds for.
    pub target: String,
}

/// The oldest minor version of Rust 1 that compiles the runtime.
const OLDEST: u32 = parse_minor(RUST_VERSION);

impl Toolchain {
    /// Its version, as it says it: `1.95.0`.
    pub fn release(&self) -> &str {
        line(&self.version, "release: ").unwrap_or("of no version")
    }

    /// The minor version of Rust 1 that it is.
    pub fn minor(&self) -> Option<u32> {
        Some(self.release()).filter(|release| release.starts_with("1.")).map(parse_minor)
    }

    /// Sees that it is new enough for the runtime.
    ///
    /// # Errors
    /// When it is not.
    pub fn compiles_runtime(&self) -> Result<(), Failure> {
        if self.minor().is_none_or(|minor| minor >= OLDEST) {
            return Ok(());
        }
        Err(Failure::new(
            format!(
                "the runtime needs Rust 1.{OLDEST} or newer, and this is Rust {}",
                self.release()
            ),
            "Choose a newer toolchain for this check, for example `cargo +stable lockcheck test`.",
        ))
    }

    /// The toolchain that cargo picks with this configuration in the directory `cwd`.
    ///
    /// # Errors
    /// When there is no compiler.
    pub fn find(config: &CargoConfig, cwd: &Path) -> Result<Toolchain, Failure> {
        let rustc = config.program("RUSTC", "build.rustc").unwrap_or_else(|| "rustc".into());
        let rustdoc =
            config.program("RUSTDOC", "build.rustdoc").unwrap_or_else(|| "rustdoc".into());
        let version = ask(&rustc, &["-vV"], cwd)?;
        let host = line(&version, "host: ");
        let release = line(&version, "release: ");
        let (Some(host), Some(_)) = (host, release) else {
            return Err(Failure::new(
                format!("`{} -vV` does not say what it is", rustc.display()),
                "Set `RUSTC` to a Rust compiler, or unset it.",
            ));
        };
        let host = host.to_owned();
        Ok(Toolchain { rustc, rustdoc, target: host.clone(), host, version })
    }

    /// The `cfg`s that the compiler sets for its target, one a line.
    ///
    /// # Errors
    /// When the compiler cannot be started or fails.
    pub fn cfgs(&self, cwd: &Path) -> Result<String, Failure> {
        ask(&self.rustc, &["--print", "cfg", "--target", &self.target], cwd)
    }
}

/// The standard output of a compiler.
fn ask(rustc: &Path, args: &[&str], cwd: &Path) -> Result<String, Failure> {
    let call = || {
        let words = [
            &[rustc.as_os_str().to_owned()],
            &*args.iter().map(OsString::from).collect::<Vec<_>>(),
        ];
        words.concat().join(" ".as_ref()).display().to_string()
    };
    let output = Command::new(rustc).args(args).current_dir(cwd).output().map_err(|error| {
        Failure::new(
            format!("cannot start the compiler, `{}`: {error}", call()),
            "Install Rust with rustup, or set `RUSTC` to its compiler.",
        )
    })?;
    if !output.status.success() {
        return Err(Failure::new(
            format!("`{}` failed: {}", call(), String::from_utf8_lossy(&output.stderr).trim()),
            "Repair the toolchain, for example with `rustup toolchain install`.",
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start))
}

/// The `95` of `1.95.0`, or 0.
const fn parse_minor(release: &str) -> u32 {
    let bytes = release.as_bytes();
    let (mut at, mut minor) = (0, 0);
    while at < bytes.len() && bytes[at] != b'.' {
        at += 1;
    }
    at += 1;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        minor = minor * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    minor
}

#[cfg(test)]
mod tests {
    use super::parse_minor;

    #[test]
    fn the_minor_version_is_read() {
        assert_eq!(parse_minor("1.95.0"), 95);
        assert_eq!(parse_minor("1.100.0-nightly"), 100);
        assert_eq!(parse_minor("unknown"), 0);
    }
}
