//! Lists the public items of a crate, one a line, from the JSON that rustdoc writes of it:
//! `lockcheck-api FILE`. `Send` and `Sync` are among them, as a private field that changes
//! decides them; the other auto traits are not, nor what every type has.
//!
//! Ends with code 3 where the JSON has a format other than the one that is known.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use public_api::Builder;
use serde::Deserialize;

/// The format that `public_api` reads; the compiler changes it now and then.
const FORMAT: u32 = 57;

/// Traits that the compiler implements, and about which nobody asks.
const PASSED_OVER: [&str; 6] = [
    "core::marker::Freeze",
    "core::marker::StructuralPartialEq",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

/// The only part of the JSON that every format has.
#[derive(Deserialize)]
struct Head {
    format_version: u32,
}

fn main() -> ExitCode {
    match list() {
        Ok(code) => code,
        Err(error) => {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(io::stderr(), "lockcheck-api: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let json = PathBuf::from(env::args_os().nth(1).ok_or("name the JSON of a crate")?);
    let head: Head = serde_json::from_str(&fs::read_to_string(&json)?)?;
    if head.format_version != FORMAT {
        let has = head.format_version;
        writeln!(io::stderr(), "rustdoc's JSON has format {has}, and {FORMAT} is what is read")?;
        return Ok(ExitCode::from(3));
    }
    let api = Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let mut out = io::stdout().lock();
    for item in api.items() {
        let line = item.to_string();
        if is_listed(&line) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a line tells of something that the crate decides.
fn is_listed(line: &str) -> bool {
    let Some(header) = line.strip_prefix("impl") else { return true };
    let implemented = header.split(" for ").next().unwrap_or_default();
    let implemented = implemented.rsplit([' ', '!']).next().unwrap_or_default();
    !PASSED_OVER.contains(&implemented)
}
