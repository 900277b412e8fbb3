//! Names and places for the return addresses in a trace.
//!
//! A process writes the addresses of its stacks and the files that they lie in; what they mean is in the
//! debug information of those files, which is looked up here, inlined frames included. That must be done
//! where the files are, and before they are built anew: right after the run, [`append`] writes what it
//! finds to the trace itself, so that the trace can be read elsewhere and later. A file that is not the one
//! that the process had mapped is left alone. Of a stripped file, a frame is the file and the offset in it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use addr2line::Loader;
use lockdep::finding::FoundStack;
use object::{Object, ObjectSegment};
use serde::Deserialize;
use serde_json::{Value, json};

/// A file that was mapped into a process as code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// The first address of the mapping.
    pub start: u64,
    /// The address after its last one.
    pub end: u64,
    /// Where in the file the mapping begins, in bytes.
    pub offset: u64,
    /// The size of the file in bytes; zero where it was not known.
    #[serde(default)]
    pub size: u64,
    /// When the file was written, in nanoseconds of Unix time; zero where it was not known.
    #[serde(default)]
    pub modified: u64,
}

impl Module {
    /// Whether the file at the path is the one that was mapped.
    fn is_there(&self) -> bool {
        let Ok(data) = fs::metadata(&self.path) else { return false };
        let modified = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (data.len(), modified.map(|time| time.as_nanos() as u64))
            == (self.size, Some(self.modified))
    }
}

/// Looks addresses up, and keeps what it has read of each file.
#[derive(Default)]
pub struct Symbolizer {
    binaries: HashMap<String, Option<Binary>>,
}

/// The debug information of one file.
struct Binary {
    loader: Loader,
    /// Of each part that is loaded: where it is in the file, how long it is, and at which address its own
    /// symbols have it.
    segments: Vec<(u64, u64, u64)>,
}

impl Binary {
    fn open(path: &str) -> Option<Binary> {
        let data = fs::read(path).ok()?;
        let file = object::File::parse(&*data).ok()?;
        let segment = |segment: object::Segment<'_, '_>| {
            let (offset, length) = segment.file_range();
            (offset, length, segment.address())
        };
        let segments = file.segments().map(segment).collect();
        Some(Binary { loader: Loader::new(path).ok()?, segments })
    }

    /// The address that the file's own symbols have for this offset in it.
    fn address(&self, offset: u64) -> Option<u64> {
        self.segments.iter().find_map(|&(start, length, address)| {
            let within = offset.checked_sub(start).filter(|within| *within < length)?;
            Some(address + within)
        })
    }

    /// The frames at the address, innermost first; more than one where functions are inlined.
    fn frames(&self, address: u64) -> Option<Vec<String>> {
        let mut frames = Vec::new();
        let mut found = self.loader.find_frames(address).ok()?;
        while let Ok(Some(frame)) = found.next() {
            let function = frame.function.as_ref().and_then(|f| f.demangle().ok())?.into_owned();
            let place = frame.location.and_then(|location| {
                let (file, line) = (location.file?, location.line?);
                Some(format!("{file}:{line}:{}", location.column.unwrap_or(0)))
            });
            frames.push(match place {
                Some(place) => format!("{function} at {place}"),
                None => function,
            });
        }
        if frames.is_empty() {
            let symbol = self.loader.find_symbol(address)?;
            frames.push(format!("{:#}", rustc_demangle::demangle(symbol)));
        }
        Some(frames)
    }
}

impl Symbolizer {
    /// The frames that return to this address, innermost first, as `function at file:line:column`; of a
    /// function without debug information its name alone, and without a name the file and the offset in
    /// it. Empty where the file is not there any more.
    pub fn frames(&mut self, address: u64, modules: &[Module]) -> Vec<String> {
        // The call is before the place that it returns to.
        let call = address.saturating_sub(1);
        let Some(module) = modules.iter().find(|m| (m.start..m.end).contains(&call)) else {
            return Vec::new();
        };
        let offset = call - module.start + module.offset;
        let open = || module.is_there().then(|| Binary::open(&module.path)).flatten();
        let Some(binary) = self.binaries.entry(module.path.clone()).or_insert_with(open) else {
            return Vec::new();
        };
        binary.address(offset).and_then(|address| binary.frames(address)).unwrap_or_else(|| {
            let name = Path::new(&module.path).file_name().unwrap_or_default();
            vec![format!("{}+{offset:#x}", name.display())]
        })
    }
}

/// Appends to each trace in this directory what its addresses mean, as `symbol` lines.
///
/// # Errors
/// When a trace cannot be read or written; the report then lacks names, and nothing else.
pub fn append(traces: &Path) -> io::Result<()> {
    let mut symbolizer = Symbolizer::default();
    for entry in fs::read_dir(traces)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "lctrace") {
            append_to(&path, &mut symbolizer)?;
        }
    }
    Ok(())
}

fn append_to(path: &Path, symbolizer: &mut Symbolizer) -> io::Result<()> {
    let text = fs::read(path)?;
    let (mut modules, mut addresses) = (Vec::new(), BTreeSet::new());
    for line in text.split(|&byte| byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
        match line["t"].as_str() {
            Some("module") => modules.extend(Module::deserialize(&line)),
            Some("order") => {
                let held = line["held"].as_array().into_iter().flatten();
                addresses.extend(held.chain([&line]).flat_map(|at| stack(&at["stack"])));
            }
            Some("finding") => {
                let edges = line["edges"].as_array().into_iter().flatten();
                for edge in edges {
                    addresses.extend(stack(&edge["from_stack"]).chain(stack(&edge["stack"])));
                }
            }
            Some("symbol") => return Ok(()),
            _ => {}
        }
    }
    let mut lines = String::new();
    // A torn last line stays one of its own.
    if text.last().is_some_and(|&byte| byte != b'\n') {
        lines.push('\n');
    }
    for address in addresses {
        let frames = symbolizer.frames(address, &modules);
        if !frames.is_empty() {
            let line = json!({ "t": "symbol", "address": address, "frames": frames });
            _ = writeln!(lines, "{line}");
        }
    }
    OpenOptions::new().append(true).open(path)?.write_all(lines.as_bytes())
}

/// The addresses of a stack.
fn stack(addresses: &Value) -> impl Iterator<Item = u64> + '_ {
    addresses.as_array().into_iter().flatten().filter_map(Value::as_u64)
}

/// Whether this frame is of the program itself or of one of its dependencies.
pub fn is_of_program(frame: &str) -> bool {
    let place = frame.rsplit_once(" at ").map_or("", |(_, place)| place);
    // The runtime is compiled with its own path in place of that of its sources.
    FoundStack::is_of_program(frame)
        && !place.starts_with("/rustc/")
        && !place.starts_with("/lockcheck/")
}

/// Whether this frame is the one in which an executor polls a task of the program.
pub fn polls_a_task(frame: &str) -> bool {
    frame.rsplit_once(" at ").is_some_and(|(function, place)| {
        place.starts_with("/lockcheck/tracing.rs:") && function.contains("Instrumented<")
    })
}
