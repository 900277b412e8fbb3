//! Wrapper mode: cargo calls this binary in the place of `rustc` and `rustdoc`.
//!
//! A crate for the checked program gets the facade in addition to its own arguments; every other
//! call is passed on as it is. Crates for the host (build scripts, procedural macros) are told by
//! the missing `--target`, which is why the check always builds with one.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use serde::{Deserialize, Serialize};

use super::crate_patches::{Compilation, Substitute};
use super::runtime::Runtime;
use super::rustc_call::{RustcCall, keyed};
use super::std_use::{Cfgs, uses_std};
use crate::cli::failure::Failure;
use crate::cli::status;

/// The variable that holds the path of the [`Plan`]; set for cargo and all that it starts.
pub const PLAN: &str = "LOCKCHECK_PLAN";

/// What wrapper mode needs to know, in a file of the run's own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The directory of the runtime's libraries.
    pub libraries: PathBuf,
    /// The facade of the standard library.
    pub std: PathBuf,
    /// The compiler's own `cfg`s, one a line.
    pub cfgs: String,
    /// The wrapper that the user has set, which is called in the place of the compiler.
    pub next: Option<PathBuf>,
    /// The real documentation tool.
    pub rustdoc: PathBuf,
    /// A file to create when a checked crate does not compile.
    pub failed: PathBuf,
}

impl Plan {
    /// The plan for a check with this runtime.
    pub fn new(
        runtime: &Runtime,
        next: Option<PathBuf>,
        rustdoc: PathBuf,
        failed: PathBuf,
    ) -> Plan {
        let Runtime { directory, std, cfgs, .. } = runtime.clone();
        Plan { libraries: directory, std, cfgs, next, rustdoc, failed }
    }

    /// The plan that this process was started under, if any: it is then a wrapper, or it is a
    /// check that runs inside a check.
    pub fn inherited() -> Option<io::Result<Plan>> {
        let path = env::var_os(PLAN)?;
        Some(fs::read_to_string(path).and_then(|text| Ok(serde_json::from_str(&text)?)))
    }

    /// Writes the plan where [`PLAN`] will point to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_string(self)?)
    }
}

/// Does the work of the tool that cargo believes to call with `args`, and returns its exit code.
pub fn run(plan: &io::Result<Plan>, args: Vec<OsString>) -> ExitCode {
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            status::failure(&Failure::new(
                format!("the plan of this check, named by `{PLAN}`, cannot be read: {error}"),
                format!(
                    "Unset `{PLAN}` and `RUSTC_WRAPPER` when you call cargo outside of a check."
                ),
            ));
            return ExitCode::from(101);
        }
    };
    let mut args = args.into_iter();
    // cargo gives a wrapper the compiler's path first, and a documentation tool its options.
    let (tool, arguments, is_checked, failed) = match args.next() {
        Some(first) if !first.as_encoded_bytes().starts_with(b"-") => {
            let next = plan.next.as_ref().map(|next| next.clone().into_os_string());
            let tool: Vec<OsString> = next.into_iter().chain([first]).collect();
            let arguments: Vec<OsString> = args.collect();
            let is_checked = is_checked(&RustcCall::read(&arguments));
            (tool, arguments, is_checked, Some(&*plan.failed))
        }
        first => {
            let arguments: Vec<OsString> = first.into_iter().chain(args).collect();
            let call = RustcCall::read(&arguments);
            let is_checked = call.has("--test") && is_checked(&call);
            // What fails here may be a doctest as well, and then the build has not failed.
            (vec![plan.rustdoc.clone().into_os_string()], arguments, is_checked, None)
        }
    };
    let mut command = Command::new(&tool[0]);
    command.args(&tool[1..]).args(&arguments);
    if !is_checked {
        return finish(&tool, command.status(), None);
    }
    let call = RustcCall::read(&arguments);
    let searched = searched(plan, &call);
    let added = [&*searched, &facade(plan, &call)].concat();
    if let (Some(substitute), Some(root)) = (Substitute::of(&call), call.root()) {
        let compilation = Compilation {
            compiler: &tool,
            call: &call,
            searched: &searched,
            added: &added,
            root,
            libraries: &plan.libraries,
        };
        return finish(&tool, compilation.run(substitute), failed);
    }
    finish(&tool, command.args(added).status(), failed)
}

/// Where the libraries of a checked crate are searched besides.
fn searched(plan: &Plan, call: &RustcCall) -> Vec<OsString> {
    let directories = iter::once(&*plan.libraries).chain(call.directories_of_externs());
    directories.flat_map(|path| ["-L".into(), keyed("dependency=", path)]).collect()
}

/// What gives a checked crate the facade in the place of the standard library.
fn facade(plan: &Plan, call: &RustcCall) -> Vec<OsString> {
    let mut added = Vec::new();
    if takes_facade(call, &plan.cfgs) {
        added.extend([OsString::from("--extern"), keyed("std=", &plan.std)]);
        // An explicit `std` makes lints such as `unused_extern_crates` speak, which some crates
        // deny; and cargo has already silenced the crates that are not the user's own.
        if !call.has("--cap-lints") {
            added.push("--cap-lints=warn".into());
        }
    }
    added
}

/// The exit code for what became of the tool; on failure creates `failed`.
fn finish(tool: &[OsString], ended: io::Result<ExitStatus>, failed: Option<&Path>) -> ExitCode {
    match ended {
        Ok(status) => {
            if let (false, Some(failed)) = (status.success(), failed) {
                // Without the file, the check takes the failure for one of a test.
                let _ = fs::write(failed, "");
            }
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .map_or(ExitCode::from(101), ExitCode::from)
        }
        Err(error) => {
            let program = tool[0].display();
            status::failure(&Failure::new(
                format!("cannot start `{program}`: {error}"),
                "See that the program exists, or unset the option or variable that names it \
                 (`RUSTC`, `RUSTC_WRAPPER`, `RUSTDOC`).",
            ));
            ExitCode::from(101)
        }
    }
}

/// Whether it compiles a crate of the checked program, and not for the host or to ask the compiler a
/// question.
fn is_checked(call: &RustcCall) -> bool {
    call.has("--target")
        && !call.has("--print")
        && call.root().is_some()
        && !call.values("--extern").any(|value| value.starts_with("std="))
}

/// Whether the crate uses the standard library.
fn takes_facade(call: &RustcCall, compilers: &str) -> bool {
    let Some(root) = call.root() else { return false };
    let cfgs = Cfgs::new(compilers.lines().chain(call.values("--cfg")), call.has("--test"));
    uses_std(root, &cfgs)
}
