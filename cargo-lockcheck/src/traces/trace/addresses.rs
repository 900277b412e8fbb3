//! Names for the addresses of one trace, looked up when somebody asks for them: of most orders nobody does,
//! as other threads have shown them, too.

use std::fmt;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use serde_json::value::RawValue;

use crate::report::sources::Recorded;
use crate::traces::symbols::{self, Module, Symbolizer};

/// What a trace tells of its addresses.
#[derive(Clone, Default)]
pub struct Addresses {
    /// The files that were mapped as code.
    pub(super) modules: Vec<Module>,
    /// The frames of each address, as they stand in the trace.
    pub(super) frames: HashMap<u64, Box<RawValue>>,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Addresses of {} modules", self.modules.len())
    }
}

/// The names, from the trace itself or else from the files that the process had mapped, where they are still
/// there.
pub(crate) struct Names<'a> {
    addresses: &'a Addresses,
    recorded: &'a Recorded<'a>,
    symbolizer: Symbolizer,
    known: HashMap<u64, Symbol>,
}

/// What an address means.
struct Symbol {
    /// The frames of the program there, innermost first.
    frames: Vec<Arc<str>>,
    /// Whether an executor polls a task there: what is further out is the executor's.
    polls_a_task: bool,
}

impl<'a> Names<'a> {
    pub(crate) fn new(addresses: &'a Addresses, recorded: &'a Recorded<'a>) -> Names<'a> {
        let (symbolizer, known) = (Symbolizer::default(), HashMap::new());
        Names { addresses, recorded, symbolizer, known }
    }

    /// The frames of the program in a stack, innermost first, with short paths. `one` gives the object that stands for
    /// a frame, of which it is asked once for each address.
    pub(crate) fn of(
        &mut self,
        stack: &[u64],
        one: &mut dyn FnMut(String) -> Arc<str>,
    ) -> Vec<Arc<str>> {
        let mut named = Vec::new();
        for &address in stack {
            let symbol = self.symbol(address, one);
            named.extend(symbol.frames.iter().cloned());
            if symbol.polls_a_task {
                break;
            }
        }
        named
    }

    fn symbol(&mut self, address: u64, one: &mut dyn FnMut(String) -> Arc<str>) -> &Symbol {
        let Names { addresses, recorded, symbolizer, known } = self;
        let Addresses { modules, frames } = addresses;
        known.entry(address).or_insert_with(|| {
            let told = frames.get(&address).and_then(|raw| serde_json::from_str(raw.get()).ok());
            let frames: Vec<String> = told.unwrap_or_else(|| symbolizer.frames(address, modules));
            let polls_a_task = frames.iter().any(|frame| symbols::polls_a_task(frame));
            let of_task = frames.into_iter().take_while(|frame| !symbols::polls_a_task(frame));
            let of_program = of_task.filter(|frame| symbols::is_of_program(frame)).collect();
            let named = shorten(of_program, recorded).into_iter();
            Symbol { frames: named.map(one).collect(), polls_a_task }
        })
    }
}

/// Frames with short paths.
pub(super) fn shorten(stack: Vec<String>, recorded: &Recorded<'_>) -> Vec<String> {
    let shorten = |frame: String| match frame.rsplit_once(" at ") {
        Some((function, place)) => format!("{function} at {}", recorded.shorten(place)),
        None => frame,
    };
    stack.into_iter().map(shorten).collect()
}
