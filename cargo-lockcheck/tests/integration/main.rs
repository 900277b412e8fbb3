//! The stages of the command, from files to files.

mod across;
mod documents;
mod formats;
mod ids;
mod links;
mod merging;
mod pages;
mod predict;
mod reading;
mod report;
mod settings_file;
mod synthetic;
