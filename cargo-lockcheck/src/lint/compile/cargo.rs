//! Has cargo check the workspace, and the compiler write the MIR of its members meanwhile.
//!
//! Cargo is given this program as the workspace's compiler wrapper. For a member that is being
//! checked, the wrapper adds the options that make rustc write MIR. They exist on the stable
//! compiler behind `RUSTC_BOOTSTRAP`, which is set for that one process alone, so that no build
//! script and no dependency sees it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use serde_json::Value;

use super::read::Reader;
use super::target::Checked;
use crate::cli::failure::Failure;
use crate::cli::phase::Voice;
use crate::cli::settings::Settings;
use crate::cli::status;
use crate::cli::toolchain::Toolchain;
use crate::report::model::Coverage;

/// Tells this program that cargo calls it as the compiler of the workspace's members.
pub const WRAPPER: &str = "LOCKCHECK_LINT";

/// What makes rustc write MIR as the parser expects it.
const OPTIONS: &[&str] = &[
    "--emit=mir",
    "-Zmir-include-spans=on",
    "-Zmir-opt-level=0",
    "-Ztrim-diagnostic-paths=no",
    // Writing MIR counts as generating code, for which checked dependencies hold too little.
    "-Zno-codegen",
];

/// Keeps rustc from collecting what generic code a library would export, which needs that code
/// of its dependencies too: a crate with this attribute exports none. It says nothing else here,
/// since nothing is linked.
const LIBRARY_OPTIONS: &[&str] = &[
    "-Zcrate-attr=feature(compiler_builtins)",
    "-Zcrate-attr=compiler_builtins",
    "-Ainternal_features",
];

/// How many of a thousand functions may be skipped without a word beside the count in the summary.
const UNREAD_PER_THOUSAND: u64 = 1;

/// What a report says of a compiler that writes MIR which is not read, where that is more than a trace.
pub fn unread(toolchain: &Toolchain, coverage: &Coverage) -> Option<String> {
    let (read, skipped) = (coverage.functions_analyzed, coverage.functions_skipped);
    (skipped * 1000 > (read + skipped) * UNREAD_PER_THOUSAND).then(|| {
        format!(
            "{skipped} of {} functions could not be read as Rust {} writes them, and were not looked at",
            read + skipped,
            toolchain.release(),
        )
    })
}

/// What cargo has checked.
#[derive(Debug)]
pub struct Compiled {
    /// The targets of the workspace's members.
    pub targets: Vec<Checked>,
    /// cargo's exit code.
    pub code: u8,
    /// cargo's message that the build is over.
    pub finished: Option<String>,
    /// What has read their MIR meanwhile.
    pub(crate) reader: Reader,
}

impl Compiled {
    /// Whether something of each of these packages was compiled.
    pub fn has_all_of(&self, packages: &[String]) -> bool {
        packages.iter().all(|package| self.targets.iter().any(|target| target.package == *package))
    }
}

/// Runs `cargo check`. What the compiler says goes where cargo would put it.
///
/// A target whose MIR is gone or damaged, though cargo takes it for checked, is checked anew.
///
/// # Errors
/// When cargo cannot be started, or refuses to.
pub fn run(settings: &Settings) -> Result<Compiled, Failure> {
    let compiled = check(settings)?;
    // Once it has begun it says at the end how it went.
    if compiled.code != 0 && compiled.finished.is_none() {
        return Err(Failure::new(
            "cargo compiled nothing, so nothing was checked",
            "Mend what cargo reports above. All arguments but lockcheck's own are `cargo check`'s; \
             `cargo lockcheck --help` lists those.",
        ));
    }
    let damaged: Vec<&Checked> = compiled.targets.iter().filter(|t| !has_mir(&t.mir)).collect();
    if damaged.is_empty() {
        return Ok(compiled);
    }
    for target in damaged {
        // Without its result, cargo has the compiler run again.
        let _ = fs::remove_file(&target.metadata);
    }
    check(settings)
}

/// Whether a file begins as the compiler's MIR does.
fn has_mir(path: &Path) -> bool {
    let mut begin = [0; 2];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"//"
}

fn check(settings: &Settings) -> Result<Compiled, Failure> {
    let this = env::current_exe().map_err(|error| {
        Failure::new(
            format!("the path of this program is not known: {error}"),
            "Start it by its full path.",
        )
    })?;
    let mut child = Command::new(&settings.cargo)
        .args(&settings.cargo_args)
        .env("RUSTC_WORKSPACE_WRAPPER", &this)
        .env(WRAPPER, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Failure::new(
                format!("cannot start `{}`: {error}", settings.cargo.display()),
                "Install cargo with rustup, or set `CARGO` to it.",
            )
        })?;
    let has_tests =
        settings.cargo_args.iter().any(|arg| arg == "--all-targets" || arg == "--tests");
    let mut reader = Reader::new(&settings.workspace, has_tests);
    let mut targets = Vec::new();
    let mut finished = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
            let reason = message["reason"].as_str();
            if reason == Some("compiler-artifact") {
                let target = checked(&message, &settings.members);
                target.iter().for_each(|target| reader.begin(target));
                targets.extend(target);
            }
            match reason {
                // What is found comes before the end.
                Some("build-finished") => finished = Some(line),
                Some(_) if settings.forward_messages => forward(&line),
                Some("compiler-message") if settings.voice != Voice::Quiet => {
                    let text = message["message"]["rendered"].as_str().unwrap_or_default();
                    // In colour where that is wanted. A closed stderr leaves nobody to tell.
                    let _ = anstream::stderr().write_all(text.as_bytes());
                }
                _ => {}
            }
        }
    }
    let code = match child.wait() {
        Ok(status) => exit_code(status),
        Err(_) => 101,
    };
    Ok(Compiled { targets, code, finished, reader })
}

/// Passes a message of cargo's on, for an editor.
fn forward(line: &str) {
    let mut out = io::stdout().lock();
    // A closed stdout leaves nobody to tell.
    let _ = writeln!(out, "{line}");
}

/// The target that an artifact message is about, if the compiler was to write its MIR.
fn checked(message: &Value, members: &[String]) -> Option<Checked> {
    // What is also linked has none.
    let [Value::String(metadata)] = message["filenames"].as_array()?.as_slice() else {
        return None;
    };
    let metadata = Path::new(metadata);
    let stem = metadata.file_stem()?.to_str()?.strip_prefix("lib")?;
    let mir = metadata.with_file_name(format!("{stem}.mir"));
    let package = message["package_id"].as_str()?;
    if metadata.extension()? != "rmeta" || !members.iter().any(|member| member == package) {
        return None;
    }
    let target = &message["target"];
    let kinds: Vec<&str> = target["kind"].as_array()?.iter().filter_map(Value::as_str).collect();
    let is_lib = !kinds.iter().any(|kind| {
        matches!(*kind, "bin" | "test" | "bench" | "example" | "custom-build" | "proc-macro")
    });
    let files = fs::read_to_string(metadata.with_file_name(format!("{stem}.d")))
        .map(|text| source_files(&text))
        .unwrap_or_default();
    Some(Checked {
        name: target["name"].as_str()?.replace('-', "_"),
        is_lib,
        is_test: message["profile"]["test"].as_bool().unwrap_or(false),
        is_tested: target["test"].as_bool().unwrap_or(false),
        source: PathBuf::from(target["src_path"].as_str().unwrap_or_default()),
        mir,
        metadata: metadata.to_owned(),
        files,
        package: package.to_owned(),
        manifest: message["manifest_path"].as_str().unwrap_or_default().to_owned(),
        described: target.clone(),
    })
}

/// The files of a list of dependencies in make's form: `path:` alone on its line, for each.
fn source_files(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_suffix(':'));
    lines.map(|name| name.replace("\\ ", " ")).filter(|name| name.ends_with(".rs")).collect()
}

/// Does the work of the compiler that cargo believes to call, and has it write MIR too.
pub fn wrap(args: Vec<OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let Some(compiler) = args.next() else { return ExitCode::from(101) };
    let args: Vec<OsString> = args.collect();
    let mut command = Command::new(&compiler);
    command.args(&args).env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove(WRAPPER);
    if is_checked(&args) {
        command.args(OPTIONS).env("RUSTC_BOOTSTRAP", "1");
        if is_library(&args) {
            command.args(LIBRARY_OPTIONS);
        }
    }
    match command.status() {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            status::failure(&Failure::new(
                format!("cannot start `{}`: {error}", compiler.display()),
                "See that the toolchain is complete: `rustup component list` tells.",
            ));
            ExitCode::from(101)
        }
    }
}

/// Whether the crate is only checked, and for itself: what is also linked runs on the host.
fn is_checked(args: &[OsString]) -> bool {
    let words = || args.iter().filter_map(|arg| arg.to_str());
    let emits = |kind: &str| {
        words().any(|word| {
            word.strip_prefix("--emit=").is_some_and(|kinds| kinds.split(',').any(|k| k == kind))
        })
    };
    let is_host = words().any(|word| word == "proc-macro");
    let is_build_script = words().any(|word| word == "build_script_build");
    emits("metadata") && !emits("link") && !is_host && !is_build_script
}

fn is_library(args: &[OsString]) -> bool {
    let is_test = args.iter().any(|arg| arg == "--test");
    let kinds = args.windows(2).filter(|pair| pair[0] == "--crate-type");
    !is_test && !kinds.clone().all(|pair| pair[1] == "bin")
}

fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(101)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lint/mir/golden");

    fn of_release(release: &str) -> Toolchain {
        let version = format!("rustc {release}\nhost: h\nrelease: {release}\n");
        Toolchain {
            rustc: "rustc".into(),
            rustdoc: "rustdoc".into(),
            version,
            host: "h".into(),
            target: "h".into(),
        }
    }

    /// `UPDATE_EXPECTED=1` writes the file of the compiler in use anew; `.ci/toolchains` runs this with each.
    #[test]
    fn the_compiler_in_use_writes_its_golden_file() {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let asked = Command::new(&rustc).arg("-vV").output().expect("the compiler starts");
        let version = String::from_utf8(asked.stdout).expect("UTF-8");
        let toolchain = Toolchain { version, ..of_release("") };
        let minor = toolchain.minor().expect("it says its version");
        let golden = Path::new(GOLDEN).join(format!("rustc-1.{minor}.mir"));
        let updates = env::var_os("UPDATE_EXPECTED").is_some();
        if !golden.exists() && !updates {
            return;
        }
        let out = tempfile::tempdir().expect("a temporary directory");
        let written = out.path().join("golden.mir");
        let done = Command::new(&rustc)
            .args(["golden.rs", "--edition=2024", "--crate-type=lib", "--emit=metadata"])
            .args(OPTIONS.iter().filter(|option| **option != "--emit=mir"))
            .arg(format!("--emit=mir={}", written.display()))
            .arg("--out-dir")
            .arg(out.path())
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(GOLDEN)
            .output()
            .expect("the compiler starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let text = without_toolchain(&fs::read_to_string(written).expect("it is written"));
        if updates {
            fs::write(&golden, &text).expect("it can be written");
        }
        let known = fs::read_to_string(golden).expect("it is there");
        assert!(text == known, "UPDATE_EXPECTED=1 cargo test -p cargo-lockcheck golden writes it");
    }

    /// The text without what the path of `alloc` begins with, which each installation has its own
    /// way of saying.
    fn without_toolchain(text: &str) -> String {
        const LIBRARY: &str = "/library/alloc/";
        let mut rest = text;
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once(LIBRARY) {
            let path = before.rfind(' ').map_or(0, |space| space + 1);
            result += &before[..path];
            result = result + "/rustc" + LIBRARY;
            rest = after;
        }
        result + rest
    }

    #[test]
    fn what_could_not_be_read_is_told_where_it_is_more_than_a_trace() {
        let toolchain = of_release("1.97.0-nightly");
        let note = |functions_analyzed, functions_skipped| {
            let coverage =
                Coverage { functions_analyzed, functions_skipped, ..Coverage::default() };
            unread(&toolchain, &coverage)
        };
        assert_eq!(note(0, 0), None);
        assert_eq!(note(5000, 0), None);
        assert_eq!(note(9990, 10), None);
        let expected = "11 of 10000 functions could not be read as Rust 1.97.0-nightly writes them, and \
                        were not looked at";
        assert_eq!(note(9989, 11).as_deref(), Some(expected));
        assert!(note(0, 1).is_some());
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn only_checked_members_write_mir() {
        assert!(is_checked(&words("--crate-type lib --emit=dep-info,metadata")));
        assert!(!is_checked(&words("--crate-type bin --emit=dep-info,link")));
        assert!(!is_checked(&words("--crate-type proc-macro --emit=dep-info,metadata")));
    }

    #[test]
    fn only_libraries_export_generics() {
        assert!(is_library(&words("--crate-type lib --emit=metadata")));
        assert!(is_library(&words("--crate-type rlib --crate-type cdylib")));
        assert!(!is_library(&words("--crate-type bin --emit=metadata")));
        assert!(!is_library(&words("--test --crate-type lib")));
    }

    #[test]
    fn files_are_read_from_the_list() {
        let text = "a.mir: src/lib.rs src/a\\ b.rs\n\nsrc/lib.rs:\nsrc/a\\ b.rs:\nnotes.txt:\n";
        assert_eq!(source_files(text), ["src/lib.rs", "src/a b.rs"]);
    }
}
