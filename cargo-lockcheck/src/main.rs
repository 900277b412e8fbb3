//! The `cargo lockcheck` subcommand.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use cargo_lockcheck::args::Args;
use cargo_lockcheck::collect;
use cargo_lockcheck::failure::Failure;
use cargo_lockcheck::runtime::Runtime;
use cargo_lockcheck::settings::Settings;
use cargo_lockcheck::status;
use cargo_lockcheck::wrapper::{self, Plan};

/// The check could not be made.
const COULD_NOT_CHECK: u8 = 101;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    let is_subcommand = arguments.get(1).is_some_and(|first| first == "lockcheck");
    if let (Some(plan), false) = (Plan::inherited(), is_subcommand) {
        return wrapper::run(&plan, arguments.into_iter().skip(1).collect());
    }
    let args = match Args::parse(arguments) {
        Ok(args) => args,
        Err(error) => {
            // A closed stdout or stderr leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    check(args).unwrap_or_else(|failure| {
        status::failure(&failure);
        ExitCode::from(COULD_NOT_CHECK)
    })
}

/// The stages of a check that runs the program.
fn check(args: Args) -> Result<ExitCode, Failure> {
    let settings = Settings::resolve(args)?;
    let runtime = Runtime::prepare(&settings.cache, &settings.toolchain, settings.quiet)?;
    let collected = collect::run(&settings, &runtime)?;
    if !settings.quiet {
        status::stage(format_args!("traces are in {}", collected.traces.display()));
    }
    Ok(ExitCode::from(collected.code))
}
