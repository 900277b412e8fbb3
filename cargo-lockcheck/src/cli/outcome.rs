//! How a check ended, as the exit code that scripts read.

use std::process::ExitCode;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is at level `deny`.
    Passed,
    /// Something is at level `deny`.
    Denied,
    /// The tests failed, or the program did, with this code.
    Failed(u8),
    /// The check could not be made, or not of everything that was asked for.
    NotChecked,
}

/// The code of a test runner, libtest's and cargo's, whose tests have failed.
pub const TESTS_FAILED: u8 = 101;

impl Outcome {
    /// Its code.
    pub const fn code(self) -> u8 {
        match self {
            Outcome::Passed => 0,
            Outcome::Denied => 100,
            Outcome::Failed(code) => code,
            Outcome::NotChecked => 102,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(outcome.code())
    }
}
