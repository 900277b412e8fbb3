//! The command on real programs, one module a topic.

mod accepted;
mod advice;
mod apart;
mod bad_input;
mod baseline;
mod cache;
mod confirm;
mod declared;
mod doctests;
mod examples;
mod first_hour;
mod formats;
mod found;
#[cfg(unix)]
mod hangs;
mod lint;
mod notes;
mod ordinary;
mod parking_lot;
mod predicted;
mod projects;
#[cfg(unix)]
mod ready_made;
mod release;
mod runtimes;
mod scenarios;
mod siblings;
mod source;
mod suggestions;
mod told_once;
mod unwatched;
