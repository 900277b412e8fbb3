//! The command on real programs, one module a topic.

mod advice;
mod apart;
mod bad_input;
mod declared;
mod examples;
mod found;
mod lint;
mod notes;
mod parking_lot;
mod projects;
mod runtimes;
mod scenarios;
mod siblings;
mod source;
mod suggestions;
mod told_once;
