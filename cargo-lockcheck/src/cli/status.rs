//! What lockcheck itself says while it works: lines in cargo's own style, on stderr.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use super::failure::Failure;

const STAGE: Style = AnsiColor::Green.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Prints what lockcheck does now, as cargo prints `   Compiling …`.
pub fn stage(message: impl Display) {
    anstream::eprintln!("{STAGE}   Lockcheck{STAGE:#} {message}");
}

/// Prints something that limits the check but does not end it.
pub fn warning(message: impl Display) {
    anstream::eprintln!("{WARNING}warning{WARNING:#}: {message}");
}

/// Prints why there is no check, and what to do next.
pub fn failure(failure: &Failure) {
    anstream::eprintln!("{ERROR}error{ERROR:#}: {failure}");
    anstream::eprintln!("  {HELP}help{HELP:#}: {}", failure.next());
}
