//! What the end-to-end tests share: how to build and run the command, and how to read its report.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use cargo_lockcheck::report::model::{Finding, Report};

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The built command. The first call builds it.
///
/// # Panics
/// When it does not build.
pub fn command_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "-q", "--package=cargo-lockcheck", "--bin=cargo-lockcheck"])
            .arg("--message-format=json")
            .current_dir(workspace())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "the command does not build");
        let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
            .expect("cargo names the executable")
    })
}

/// The toolchain whose compiler the checked programs have, where it is not the one that the tests have: the
/// directory named by `LOCKCHECK_TEST_TOOLCHAIN`, as `rustc --print sysroot` says it.
fn toolchain() -> Option<PathBuf> {
    env::var_os("LOCKCHECK_TEST_TOOLCHAIN").map(PathBuf::from)
}

/// A directory below `target` for what the tests build; kept from run to run, to save time. Each toolchain
/// has its own.
fn scratch() -> PathBuf {
    let target = command_path().ancestors().nth(2).expect("it is in `target/debug`");
    let scratch = target.join("end-to-end");
    match toolchain().as_deref().and_then(Path::file_name) {
        Some(toolchain) => scratch.join(toolchain),
        None => scratch,
    }
}

/// A package or workspace to check. Nobody else, in this process or another, has one of the same root
/// until it is dropped.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    _lock: File,
}

impl Project {
    /// A copy of `tests/fixtures/NAME`, which only the test that is named by `user` uses.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn fixture(name: &str, user: &str) -> Project {
        let project = Project::claim(user);
        project.copy("tests/fixtures", name);
        project
    }

    /// A copy of `examples/NAME`.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn example(name: &str) -> Project {
        let project = Project::claim(name);
        project.copy("examples", name);
        project
    }

    /// A copy of `tests/scenarios/NAME`, beside one of what its programs have in common.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn scenarios(name: &str) -> Project {
        Project::claim("pause").copy("tests/scenarios", "pause");
        let project = Project::claim(name);
        project.copy("tests/scenarios", name);
        project
    }

    /// A package of this edition without dependencies, whose binaries have these names and texts.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn binaries(user: &str, edition: &str, files: &[(String, String)]) -> Project {
        let project = Project::claim(user);
        let root = project.root();
        let directory = root.join("src/bin");
        fs::create_dir_all(&directory).expect("it can be made");
        let manifest = format!(
            "[package]\nname = \"probe\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n[workspace]\n"
        );
        fs::write(root.join("Cargo.toml"), manifest).expect("it can be written");
        for (name, text) in files {
            let path = directory.join(name).with_extension("rs");
            if fs::read_to_string(&path).ok().as_ref() != Some(text) {
                fs::write(path, text).expect("it can be written");
            }
        }
        project
    }

    /// The project whose root has this name. Waits until it is free.
    fn claim(name: &str) -> Project {
        let root = scratch().join(name);
        fs::create_dir_all(&root).expect("it can be made");
        let lock = File::create(root.with_extension("lock")).expect("it can be made");
        lock.lock().expect("it can be locked");
        Project { root, _lock: lock }
    }

    /// Fills it with the directory NAME below this one of the workspace.
    fn copy(&self, below: &str, name: &str) {
        let from = workspace().join(below).join(name);
        copy(&from, &self.root).expect("it can be copied");
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `cargo lockcheck` with these arguments, as cargo would start it, ready to run.
    pub fn lockcheck(&self, args: &[&str]) -> Command {
        let mut command = Command::new(command_path());
        command.arg("lockcheck").args(args).current_dir(&self.root).stdin(Stdio::null());
        command.env("LOCKCHECK_CACHE_DIR", scratch().join("runtime"));
        command.env("CARGO_TERM_COLOR", "never");
        if let Some(bin) = toolchain().map(|toolchain| toolchain.join("bin")) {
            for (name, program) in [("CARGO", "cargo"), ("RUSTC", "rustc"), ("RUSTDOC", "rustdoc")]
            {
                command.env(name, bin.join(program));
            }
            let path = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths([bin].into_iter().chain(env::split_paths(&path)));
            command.env("PATH", path.expect("no path has a colon in it"));
        }
        // What cargo and rustup have set for this test run is not meant for the checked project.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let is_of_this_run = name.starts_with("CARGO_PKG_")
                || ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI"].contains(&&*name)
                || name.starts_with("CARGO_MANIFEST_")
                || name.starts_with("LOCKDEP_")
                || ["CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTC_WRAPPER", "RUST_TEST_THREADS"]
                    .contains(&&*name);
            if is_of_this_run {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Runs `cargo lockcheck` with these arguments.
    pub fn check(&self, args: &[&str]) -> Checked {
        self.finish(self.lockcheck(args))
    }

    /// Runs a command that [`Project::lockcheck`] has made.
    ///
    /// # Panics
    /// When it does not start.
    pub fn finish(&self, mut command: Command) -> Checked {
        let report = self.report_path();
        // A report of an earlier run would be taken for one of this.
        let _ = fs::remove_file(&report);
        Checked::new(command.output().expect("the command starts"), &report)
    }

    /// Where the command keeps the last report.
    pub fn report_path(&self) -> PathBuf {
        self.root.join("target/lockcheck/report.json")
    }
}

/// What a run of the command has brought.
#[derive(Debug)]
pub struct Checked {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What was written to stdout.
    pub stdout: String,
    /// What was written to stderr.
    pub stderr: String,
    /// The report, if one was made.
    pub report: Option<Report>,
}

impl Checked {
    /// The outcome of a finished command whose report is at `report`.
    ///
    /// # Panics
    /// When there is a report that cannot be read.
    pub fn new(output: Output, report: &Path) -> Checked {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let report = fs::read(report).ok();
        Checked {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            report: report.map(|bytes| serde_json::from_slice(&bytes).expect("a report")),
        }
    }

    /// The report.
    ///
    /// # Panics
    /// When there is none.
    pub fn report(&self) -> &Report {
        self.report.as_ref().unwrap_or_else(|| panic!("there is no report: {self}"))
    }

    /// What was found, as `rule tier` pairs, without repetitions.
    pub fn found(&self) -> Vec<String> {
        let pair = |finding: &Finding| format!("{} {}", finding.rule, finding.tier);
        let mut pairs: Vec<String> = self.report().findings.iter().map(pair).collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }
}

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Makes `to` equal to `from`, but for a `target` directory; what is equal already is not touched,
/// so that cargo does not build it anew.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let target = to.join(&name);
        if path.is_dir() {
            if name != "target" {
                copy(&path, &target)?;
            }
            continue;
        }
        let mut text = fs::read(&path)?;
        if name == "Cargo.toml" {
            text = find_library(text);
        }
        if fs::read(&target).ok().as_ref() != Some(&text) {
            fs::write(&target, text)?;
        }
    }
    Ok(())
}

/// A package that uses the library has it near it, which a copy has not.
fn find_library(manifest: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(manifest).expect("a manifest is UTF-8");
    let library = format!("path = {:?}", workspace().join("lockdep"));
    text.replace(r#"path = "../../lockdep""#, &library).into_bytes()
}
