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
    let target = work.join(suite.directory());
    if !target.join("Cargo.toml").exists() {
        let registry = fetch(suite, &work.join("fetch").join(suite.directory()))?;
        // Complete before it has its name, so that an interrupt leaves no half of it.
        let partial = work.join(format!("{}.partial", suite.directory()));
        let _ = fs::remove_dir_all(&partial);
        copy(&registry, &partial)?;
        stand_alone(&partial.join("Cargo.toml"))?;
        fs::rename(&partial, &target).map_err(|e| format!("{}: {e}", target.display()))?;
    }
    let lock = locks().join(format!("{}.lock", suite.directory()));
    if lock.exists() {
        let to = target.join("Cargo.lock");
        fs::copy(&lock, &to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    Ok(target)
}

/// Keeps the lock file that the suite was built with.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn keep_lock(suite: &Suite, sources: &Path) -> Result<(), String> {
    let to = locks().join(format!("{}.lock", suite.directory()));
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
