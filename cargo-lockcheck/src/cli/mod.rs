//! What a check is asked to do, and what it says beside the report.
//!
//! The command line, cargo's configuration and the environment become [`settings`], once; no later
//! stage looks at them again. Failures and progress go to stderr ([`failure`], [`status`], [`phase`]), and the
//! finished report goes where the settings say ([`output`]), which may depend on the service that the
//! check runs in ([`ci`]).

pub mod failure;
pub mod outcome;
pub mod status;

pub mod phase;
pub mod replace;

pub mod args;
mod arrange;
pub mod cargo_args;
pub mod cargo_config;
pub mod invocation;
pub mod kept_report;
pub mod manual;
pub mod packages;
pub mod toolchain;
pub mod user_config;

pub mod destination;

pub mod ci;

pub mod settings;

pub mod output;
