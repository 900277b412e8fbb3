//! Where the report goes: the terminal, the files that were asked for, and `target/lockcheck`.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use super::ci::Service;
use super::destination::Destination;
use super::failure::Failure;
use super::phase::Voice;
use super::replace::replace;
use super::settings::Settings;
use super::status;
use crate::report::model::Report;
use crate::report::render::{Format, Look, Show, markdown, render};
use crate::report::sources::Sources;

/// The width of text where there is no terminal.
const WIDTH: usize = 120;

/// Prints the report and writes it to all files.
///
/// Text goes to stderr, so that it is never mixed with the output of a program; every other format
/// goes to stdout. What cannot be written keeps nothing else from being written.
///
/// # Errors
/// When something that was asked for, or the terminal, cannot be written; with the first of it.
pub fn write(report: &Report, settings: &Settings, sources: &Sources) -> Result<(), Failure> {
    let printed = match settings.format {
        Format::Text => {
            let look = for_stderr(sources, settings);
            print_report(report, Format::Text, &mut io::stderr().lock(), &look)
        }
        format => {
            let look = for_files(sources, settings);
            print_report(report, format, &mut io::stdout().lock(), &look)
        }
    };
    let written = write_files(report, settings, sources);
    printed.and(written)
}

/// Writes the report to all files, and prints nothing but what goes to a service.
///
/// # Errors
/// As [`write()`].
pub fn write_files(report: &Report, settings: &Settings, sources: &Sources) -> Result<(), Failure> {
    let plain = for_files(sources, settings);
    let kept = settings.last_report();
    let mut results = vec![write_file(report, Format::Json, &kept, &plain)];
    for output in &settings.outputs {
        results.push(match &output.to {
            Destination::Named(path) => write_file(report, output.format, path, &plain),
            Destination::Kept(path) => {
                let written = write_file(report, output.format, path, &plain);
                if written.is_ok() && output.was_asked_for && settings.voice != Voice::Quiet {
                    status::stage(format_args!("wrote {}", path.display()));
                }
                written
            }
            Destination::Printed => {
                print_report(report, output.format, &mut io::stdout().lock(), &plain)
            }
        });
    }
    let formats = settings.outputs.iter().map(|output| output.format);
    if let Some(Service::Github { summary: Some(path) }) = &settings.service
        && formats.chain([settings.format]).any(|format| format == Format::Github)
    {
        results.push(add_summary(report, path, &plain));
    }
    results.into_iter().collect()
}

/// As text is printed to stderr.
pub fn for_stderr<'a>(sources: &'a Sources, settings: &'a Settings) -> Look<'a> {
    let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    Look { color, width: width(), ..for_files(sources, settings) }
}

/// As the report is written to files.
fn for_files<'a>(sources: &'a Sources, settings: &'a Settings) -> Look<'a> {
    Look { width: WIDTH, repository: &settings.repository, ..plain(sources, &settings.show) }
}

/// Adds the report to the summary of a job, which other steps write to as well.
fn add_summary(report: &Report, path: &Path, look: &Look<'_>) -> Result<(), Failure> {
    let add = || -> io::Result<()> {
        let mut text = Vec::new();
        markdown::render(report, &mut text, look, markdown::SUMMARY)?;
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(&text)
    };
    add().map_err(|error| {
        Failure::new(
            format!("the summary cannot be added to `{}`: {error}", path.display()),
            "Set `GITHUB_STEP_SUMMARY` to a file that can be written, or unset it.",
        )
    })
}

/// The columns of the terminal; where there is none, `COLUMNS` may say how many to use.
fn width() -> usize {
    let terminal = terminal_size_of(io::stderr()).map(|(Width(columns), _)| columns.into());
    let said = || env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns >= 40);
    terminal.or_else(said).unwrap_or(WIDTH)
}

/// For text that is printed without colour, as wide as the terminal is.
pub fn plain<'a>(sources: &'a Sources, show: &'a Show) -> Look<'a> {
    Look { sources, show, color: false, width: width(), repository: "" }
}

/// Prints a text that was asked for to stdout.
///
/// # Errors
/// When it cannot be printed.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    printed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// The outcome of printing. Where nobody reads on, as in `… | head`, nothing is wrong.
fn printed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            Failure::new(
                format!("the output cannot be printed: {error}"),
                "See that stdout and stderr are open, and that there is space where they lead.",
            )
        }),
    }
}

fn print_report(
    report: &Report,
    format: Format,
    to: &mut dyn Write,
    look: &Look<'_>,
) -> Result<(), Failure> {
    let mut print = || {
        let mut text = Vec::new();
        render(report, format, &mut text, look)?;
        to.write_all(&text)?;
        to.flush()
    };
    printed(print())
}

fn write_file(
    report: &Report,
    format: Format,
    path: &Path,
    look: &Look<'_>,
) -> Result<(), Failure> {
    replace(path, |out| render(report, format, out, look)).map_err(|error| {
        Failure::new(
            format!("the report cannot be written to `{}`: {error}", path.display()),
            "Name a file in a directory that you may write, with `--output FORMAT=PATH`.",
        )
    })
}
