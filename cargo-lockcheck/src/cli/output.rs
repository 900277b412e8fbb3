//! Where the report goes: the terminal, the files that were asked for, and `target/lockcheck`.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process;

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use super::failure::Failure;
use super::settings::Settings;
use crate::report::model::Report;
use crate::report::render::{Format, Look, render};
use crate::report::sources::Sources;

/// The width of text where there is no terminal.
const WIDTH: usize = 120;

/// Prints the report and writes it to all files.
///
/// Text goes to stderr, so that it is never mixed with the output of a program; every other format
/// goes to stdout.
///
/// # Errors
/// When a file that was asked for, or the terminal, cannot be written.
pub fn write(report: &Report, settings: &Settings, sources: &Sources) -> Result<(), Failure> {
    let plain = Look { sources, show: &settings.show, color: false, width: WIDTH };
    for output in &settings.outputs {
        write_file(report, output.format, &output.path, &plain)?;
    }
    write_file(report, Format::Json, &settings.directory.join("report.json"), &plain)?;

    let printed = match settings.format {
        Format::Text => {
            let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
            let look = Look { color, width: width(), ..plain };
            print(report, Format::Text, &mut io::stderr().lock(), &look)
        }
        format => print(report, format, &mut io::stdout().lock(), &plain),
    };
    match printed {
        // Nobody reads on, as in `… | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            Failure::new(
                format!("the report cannot be printed: {error}"),
                "Write it to a file with `--output text=PATH`.",
            )
        }),
    }
}

/// The columns of the terminal; where there is none, `COLUMNS` may say how many to use.
fn width() -> usize {
    let terminal = terminal_size_of(io::stderr()).map(|(Width(columns), _)| columns.into());
    let said = || env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns >= 40);
    terminal.or_else(said).unwrap_or(WIDTH)
}

fn print(report: &Report, format: Format, to: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let mut text = Vec::new();
    render(report, format, &mut text, look)?;
    to.write_all(&text)?;
    to.flush()
}

/// Writes a file beside and gives it its name, so that a reader never sees half of it.
fn write_file(
    report: &Report,
    format: Format,
    path: &Path,
    look: &Look<'_>,
) -> Result<(), Failure> {
    let replace = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut text = Vec::new();
        render(report, format, &mut text, look)?;
        if path.exists() && !path.is_file() {
            // A pipe or a device (`/dev/stdout`) stays what it is.
            return fs::write(path, text);
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", process::id()));
        fs::write(&beside, text)?;
        fs::rename(&beside, path)
    };
    replace().map_err(|error| {
        Failure::new(
            format!("the report cannot be written to `{}`: {error}", path.display()),
            "Name a file in a directory that you may write, with `--output FORMAT=PATH`.",
        )
    })
}
