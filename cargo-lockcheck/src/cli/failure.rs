//! Why a check could not be made, in words for the user.

use std::error::Error;
use std::fmt;

/// A check that could not be made: what went wrong, and what to do next.
///
/// Both are whole sentences. There is no constructor without the second, so that no error leaves
/// its reader without a way on.
#[derive(Debug)]
pub struct Failure {
    what: String,
    next: String,
}

impl Failure {
    /// A failure that says `what` went wrong and what to do `next`.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Failure {
        Failure { what: what.into(), next: next.into() }
    }

    /// What to do next.
    pub fn next(&self) -> &str {
        &self.next
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {}
