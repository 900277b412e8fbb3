//! Where a suite's sources come from: cargo fetches the crate as a dependency, and what it put into
//! its registry is copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::suite::Suite;

/// The directory with the sources of `suite`, fetched if it is not there yet.
///
/// The copy is as published, but for an empty `[workspace]` in the manifest, which keeps cargo from
/// looking for one in the directories above, and for the lock file: `locks/NAME-VERSION.lock`, where it
/// exists, takes its place, so that everyone runs the suite on the same dependencies.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn unpack(suite: &Suite, work: &Path) -> Result<PathBuf, String> {
    let target = unpack_as(suite, work, |copy| stand_alone(&copy.join("Cargo.toml")))?;
    use_lock(&suite.directory(), &target)?;
    Ok(target)
}

/// The directory with the sources of `suite` as a member of a workspace in `work`.
///
/// The copy is as published, but for what only the root of a workspace may say.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn unpack_member(suite: &Suite, work: &Path) -> Result<PathBuf, String> {
    unpack_as(suite, work, |copy| {
        for name in ["Cargo.lock", "rust-toolchain", "rust-toolchain.toml"] {
            let _ = fs::remove_file(copy.join(name));
        }
        Ok(())
    })
}

fn unpack_as(
    suite: &Suite,
    work: &Path,
    change: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let target = work.join(suite.directory());
    if !target.join("Cargo.toml").exists() {
        let registry = fetch(suite, &work.join("fetch").join(suite.directory()))?;
        // Complete before it has its name, so that an interrupt leaves no half of it.
        let partial = work.join(format!("{}.partial", suite.directory()));
        let _ = fs::remove_dir_all(&partial);
        copy(&registry, &partial)?;
        change(&partial)?;
        fs::rename(&partial, &target).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    Ok(target)
}

/// Has cargo use the versions in the lock file of this name, where there is one.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn use_lock(name: &str, directory: &Path) -> Result<(), String> {
    let lock = locks().join(format!("{name}.lock"));
    if lock.exists() {
        let to = directory.join("Cargo.lock");
        fs::copy(&lock, &to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    Ok(())
}

/// Keeps the lock file that something was built with, under this name.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn keep_lock(name: &str, sources: &Path) -> Result<(), String> {
    let to = locks().join(format!("{name}.lock"));
    fs::create_dir_all(locks())
        .and_then(|()| fs::copy(sources.join("Cargo.lock"), &to))
        .map_err(|e| format!("{}: {e}", to.display()))?;
    Ok(())
}

fn locks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("locks")
}

/// The crate's place in cargo's registry.
fn fetch(suite: &Suite, scratch: &Path) -> Result<PathBuf, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", scratch.display());
    fs::create_dir_all(scratch.join("src")).map_err(failed)?;
    fs::write(scratch.join("src/lib.rs"), "").map_err(failed)?;
    let manifest = format!(
        "[package]\nname = \"fetch\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\"{}\" = \"={}\"\n",
        suite.name, suite.version
    );
    fs::write(scratch.join("Cargo.toml"), manifest).map_err(failed)?;
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .current_dir(scratch)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo cannot be run: {e}"))?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("cargo metadata fetched no {}: {e}", suite.name))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["name"] == suite.name && package["version"] == suite.version)
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_path_buf)
        .next()
        .ok_or_else(|| format!("cargo metadata does not list {}", suite.directory()))
}

fn stand_alone(manifest: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", manifest.display());
    let mut text = fs::read_to_string(manifest).map_err(failed)?;
    if !text.lines().any(|line| line.trim() == "[workspace]") {
        text.push_str("\n[workspace]\n");
    }
    fs::write(manifest, text).map_err(failed)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(failed)?;
        }
    }
    Ok(())
}
