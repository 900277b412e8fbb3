//! What somebody meets who has only the documents: each of their command lines, as it is written, with
//! the installed command in a home directory of its own, from the first finding to a green check with
//! one finding accepted.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lockcheck_tests::{command_path, workspace};

/// A user: a home directory with the command installed in it, and a project.
struct User {
    home: tempfile::TempDir,
    rustup: PathBuf,
}

impl User {
    fn new() -> User {
        let home = tempfile::tempdir().expect("a home directory");
        let bin = home.path().join(".cargo/bin");
        fs::create_dir_all(&bin).expect("it can be made");
        let name = command_path().file_name().expect("a file");
        fs::copy(command_path(), bin.join(name)).expect("it can be installed");
        let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from);
        let rustup = rustup.or_else(|| Some(env::home_dir()?.join(".rustup")));
        // Where a shell looks for completions.
        fs::create_dir_all(home.path().join(".zfunc")).expect("it can be made");
        let user = User { home, rustup: rustup.expect("a home directory") };
        user.write("Cargo.toml", &fs::read_to_string(example("Cargo.toml")).expect("a manifest"));
        user.write("src/lib.rs", &fs::read_to_string(example("src/lib.rs")).expect("a source"));
        // The documents' package is called `bank`, and can be run.
        let manifest = user.read("Cargo.toml");
        let name = manifest.lines().find(|line| line.starts_with("name = ")).expect("a name");
        user.write("Cargo.toml", &manifest.replace(name, "name = \"bank\""));
        user.write("src/main.rs", "fn main() {}\n");
        user
    }

    fn project(&self) -> PathBuf {
        self.home.path().join("bank")
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project().join(path)).expect("it is there")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// Runs a line of a document. Returns the exit code and what was written to stderr.
    fn run(&self, line: &str) -> (i32, String) {
        let cargo_home = self.home.path().join(".cargo");
        let path = env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.project())
            .stdin(Stdio::null())
            .env_clear()
            .env("HOME", self.home.path())
            .env("CARGO_HOME", &cargo_home)
            .env("RUSTUP_HOME", &self.rustup)
            .env("PATH", format!("{}:{path}", cargo_home.join("bin").display()));
        if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap_or(-1), said)
    }

    fn has(&self, line: &str) -> bool {
        self.run(line).0 == 0
    }
}

fn example(path: &str) -> PathBuf {
    workspace().join("examples/01-abba").join(path)
}

/// The lines with the command in the documents for users, each once, in their order.
fn lines() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for document in [
        "README.md",
        "docs/command.md",
        "docs/lint.md",
        "docs/accepting.md",
        "docs/ci.md",
        "docs/reports.md",
    ] {
        let text = fs::read_to_string(workspace().join(document)).expect("a document");
        for line in text.lines() {
            let indented = line.strip_prefix("    cargo lockcheck").map(|rest| rest.to_owned());
            let step = line.trim_start().strip_prefix("- run: cargo lockcheck").map(str::to_owned);
            // A pattern of what can be written is no line.
            let Some(rest) = indented.or(step).filter(|rest| !rest.contains('[')) else { continue };
            let line = format!("cargo lockcheck{rest}").replace("${{ matrix.shard }}", "1");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// In the lines that report no findings.
const NO_REPORT: &[&str] =
    &[" baseline", " clean", " completions", " man ", " merge", " explain", " diff"];

#[test]
fn the_install_lines_name_what_there_is() {
    let page = fs::read_to_string(workspace().join("README.md")).expect("the first page");
    let installs = page.lines().filter_map(|line| line.strip_prefix("    cargo install "));
    let installs: Vec<&str> = installs.collect();
    assert_eq!(installs.len(), 2, "{installs:?}");
    let directory = installs[0].rsplit(' ').next().expect("a word");
    assert!(workspace().join(directory).join("Cargo.toml").is_file(), "{directory}");
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("the manifest");
    let repository = manifest.lines().find_map(|line| line.strip_prefix("repository = "));
    let repository = repository.expect("a repository").trim_matches('"');
    assert!(installs[1].contains(repository), "{installs:?}");
    assert!(workspace().join("Cargo.lock").is_file(), "`--locked` needs it");
}

#[test]
fn every_line_of_the_documents_works_and_the_first_finding_can_be_accepted() {
    let user = User::new();
    let lines = lines();
    assert!(lines.len() >= 7, "{lines:?}");
    let has_nextest = user.has("cargo nextest --version");
    for line in &lines {
        if line.contains("nextest") && !has_nextest {
            continue;
        }
        // The traces of other machines are there by then, as those of this one.
        if line.contains(" shards") {
            copy_traces(&user.project());
        }
        let (code, said) = user.run(line);
        let makes_a_report = !NO_REPORT.iter().any(|word| line.contains(word));
        let expected: &[i32] = if makes_a_report { &[0, 100] } else { &[0] };
        assert!(expected.contains(&code), "`{line}` ends with {code}:\n{said}");
        assert!(!makes_a_report || said.contains("Bank.audit"), "`{line}`:\n{said}");
        if line.contains(" baseline") {
            // The lines after it are of other pages, with nothing accepted.
            fs::remove_file(user.project().join("lockcheck-baseline.toml")).expect("it was made");
        }
    }

    let (code, said) = user.run("cargo lockcheck test");
    assert_eq!(code, 100, "{said}");
    let id = said.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    let accepting = fs::read_to_string(workspace().join("docs/accepting.md")).expect("a document");

    let entry = block(&accepting, "toml");
    let written = entry.lines().find_map(|line| line.strip_prefix("id = ")).expect("an id");
    let entry = entry.replace(written, &format!("{id:?}"));
    let entry: String =
        entry.lines().filter(|line| !line.starts_with("until")).collect::<Vec<_>>().join("\n");
    user.write("lockcheck.toml", &entry);
    let (code, said) = user.run("cargo lockcheck test");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 accepted"), "{said}");
    fs::remove_file(user.project().join("lockcheck.toml")).expect("it was there");

    let comment = block(&accepting, "rust");
    let (comment, code) = comment.split_once('\n').expect("two lines");
    let source = user.read("src/lib.rs");
    assert!(source.contains(code.trim()), "the example is of this program");
    user.write(
        "src/lib.rs",
        &source.replacen(code.trim(), &format!("{comment}\n{}", code.trim()), 1),
    );
    let (code, said) = user.run("cargo lockcheck test");
    assert_eq!(code, 0, "{said}");
    let (code, said) = user.run("cargo lockcheck");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 accepted"), "{said}");
}

/// The first block of this language.
fn block(document: &str, language: &str) -> String {
    let begin = format!("```{language}\n");
    let (_, rest) = document.split_once(&begin).expect("a block");
    rest.split("```").next().unwrap_or_default().to_owned()
}

/// Puts the traces of all runs where a job would put those of other machines.
fn copy_traces(project: &Path) {
    let shards = project.join("shards");
    fs::create_dir_all(&shards).expect("it can be made");
    let runs = fs::read_dir(project.join("target/lockcheck/runs")).expect("runs");
    for traces in runs.flatten().filter_map(|run| fs::read_dir(run.path().join("traces")).ok()) {
        for trace in traces.flatten() {
            fs::copy(trace.path(), shards.join(trace.file_name())).expect("it can be copied");
        }
    }
}
