//! From the lines of a trace to what they tell.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use lockdep::finding::{Rule, Tier};

use super::line::{
    EdgeLine, FindingLine, HoldLine, Line, LockLine, MostLine, SiteLine, StackLine, StandingLine,
    WaitLine,
};
use super::{
    Blocked, Class, Edge, Found, Header, Hold, Order, ProcessKey, Stacks, Standing, StandingWait,
    Taken, Thread, Times, Trace, Wait, Warning,
};
use crate::report::model::Place;
use crate::report::sources::Sources;
use crate::traces::doc_examples::DocExamples;
use crate::traces::symbols::{self, Module, Symbolizer};

/// The newest version of the format that is understood.
pub const VERSION: u64 = 2;

/// A longer line is not one of a trace, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

impl Trace {
    /// Reads the trace at `path`. What is not a trace at all gives none.
    pub fn read(path: &Path, sources: &Sources) -> (Option<Trace>, Vec<Warning>) {
        let name = path.display();
        match File::open(path) {
            Ok(file) => {
                let mut reader = Reader::new(sources);
                reader.examples = File::open(path).ok().and_then(|again| examples(again, sources));
                Trace::parse_by(reader, &mut BufReader::new(file), &name.to_string())
            }
            Err(error) => {
                let warning = format!("{name} could not be opened ({error}), so it is left out");
                (None, vec![Warning(warning)])
            }
        }
    }

    /// Reads a trace from `input`, which warnings call `name`.
    pub fn parse(
        input: &mut dyn BufRead,
        name: &str,
        sources: &Sources,
    ) -> (Option<Trace>, Vec<Warning>) {
        Trace::parse_by(Reader::new(sources), input, name)
    }

    fn parse_by(
        mut reader: Reader<'_>,
        input: &mut dyn BufRead,
        name: &str,
    ) -> (Option<Trace>, Vec<Warning>) {
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(Warning(text));
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match (&mut *input).take(LONGEST_LINE).read_until(b'\n', &mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    warn(format!(
                        "{name} could not be read to its end ({error}); \
                         the {} lines before are used",
                        reader.good
                    ));
                    break;
                }
            }
            let whole = buffer.last() == Some(&b'\n');
            let line = trim(&buffer);
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(line) {
                Ok(Line::Trace(header)) if reader.good == 0 => {
                    if header.version > VERSION {
                        warn(format!(
                            "{name} has version {} of the trace format, and this program knows \
                             versions up to {VERSION}; it is left out, so update cargo-lockcheck",
                            header.version
                        ));
                        return (None, warnings);
                    }
                    reader.begin(header);
                }
                _ if reader.good == 0 => {
                    warn(format!("{name} does not begin like a lock trace, so it is left out"));
                    return (None, warnings);
                }
                Ok(line) => reader.line(line),
                Err(_) if !whole => reader.torn = true,
                Err(_) => reader.bad += 1,
            }
        }
        if reader.good == 0 {
            warn(format!("{name} is empty: its process was killed before it took a lock"));
            return (None, warnings);
        }
        if reader.torn {
            warn(format!(
                "{name} ends in the middle of a line; the {} whole lines before are used",
                reader.good
            ));
        }
        if reader.bad > 0 {
            warn(format!(
                "{name} is damaged: {} of its lines could not be understood and are left out, \
                 {} are used",
                reader.bad, reader.good
            ));
        }
        reader.name_frames();
        reader.trace.standing.sort();
        reader.trace.classes = reader.used.take().into_iter().collect();
        (Some(reader.trace), warnings)
    }
}

/// What the places mean in the trace of a process that runs an example of the documentation. These processes
/// are small, so that they are read twice.
fn examples(file: File, sources: &Sources) -> Option<DocExamples> {
    let mut lines = BufReader::new(file).lines().map_while(Result::ok);
    let Ok(Line::Trace(header)) = serde_json::from_str(&lines.next()?) else { return None };
    DocExamples::is_one(&header).then(|| {
        let place = |line: String| match serde_json::from_str(&line) {
            Ok(Line::Site { file, line, column, .. }) => {
                Some(Place { file: sources.shorten(&file), line, column })
            }
            _ => None,
        };
        let places: Vec<Place> = lines.filter_map(place).collect();
        DocExamples::of(&header, &places, sources)
    })
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// What has been introduced so far, by the file's own numbers.
struct Reader<'a> {
    sources: &'a Sources,
    /// Of a process that runs an example of the documentation: where its places are.
    examples: Option<DocExamples>,
    trace: Trace,
    process: ProcessKey,
    sites: HashMap<u64, Arc<Place>>,
    classes: HashMap<u64, Arc<Class>>,
    /// Those that other lines speak of.
    used: RefCell<BTreeSet<Arc<Class>>>,
    threads: HashMap<u64, Thread>,
    modules: Vec<Module>,
    symbols: HashMap<u64, Symbol>,
    /// The addresses of stacks, by finding: of each edge, where its first lock was acquired and its second
    /// one asked for.
    finding_stacks: Vec<(usize, Vec<[Vec<u64>; 2]>)>,
    /// Those of orders, by order: where the lock was asked for, and where each of the others was acquired.
    order_stacks: Vec<(usize, Vec<u64>, Vec<Vec<u64>>)>,
    good: u64,
    bad: u64,
    torn: bool,
}

/// What an address means.
struct Symbol {
    /// The frames of the program there, innermost first.
    frames: Vec<String>,
    /// Whether an executor polls a task there: what is further out is the executor's.
    polls_a_task: bool,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a Sources) -> Reader<'a> {
        Reader {
            sources,
            examples: None,
            trace: Trace::default(),
            process: ProcessKey(0),
            sites: HashMap::new(),
            classes: HashMap::new(),
            used: RefCell::default(),
            threads: HashMap::new(),
            modules: Vec::new(),
            symbols: HashMap::new(),
            finding_stacks: Vec::new(),
            order_stacks: Vec::new(),
            good: 0,
            bad: 0,
            torn: false,
        }
    }

    fn begin(&mut self, header: Header) {
        self.process = header.key();
        self.trace.header = header;
        self.good = 1;
    }

    /// Takes a line, or counts it as bad when it speaks of something that was never introduced.
    fn line(&mut self, line: Line) {
        match self.take(line) {
            Some(()) => self.good += 1,
            None => self.bad += 1,
        }
    }

    fn take(&mut self, line: Line) -> Option<()> {
        match line {
            Line::Trace(_) => return None,
            Line::Site { id, file, line, column } => {
                let place = self.place(Place { file, line, column });
                self.sites.insert(id, Arc::new(place));
            }
            Line::Class { id, kind, ty, site, anonymous, place } => {
                let created = Place::clone(self.sites.get(&site)?);
                let anonymous = anonymous.then_some((self.process, id));
                let class = Arc::new(Class { created, kind, ty, anonymous, place });
                self.classes.insert(id, class);
            }
            Line::Many { class } => self.trace.many.push(self.class(class)?),
            Line::Thread { id, name, site, task } => {
                let kind = if task { "task" } else { "thread" };
                let label = self.label(kind, id, name, site);
                self.threads.insert(id, Thread { process: self.process, id, label });
            }
            Line::Order { thread, lock, held, stack } => {
                let order = Order { lock: self.hold(&lock)?, held: self.holds(&held)? };
                let thread = self.threads.get(&thread)?.clone();
                let at = self.trace.orders.len();
                self.trace.orders.push(Taken { order, thread, stacks: Stacks::default() });
                let of_held = held.iter().map(|held| held.stack.addresses().to_vec()).collect();
                self.order_stacks.push((at, stack.addresses().to_vec(), of_held));
            }
            Line::Module(module) => self.modules.push(module),
            Line::Symbol { address, frames } => {
                let symbol = self.symbol(frames);
                self.symbols.insert(address, symbol);
            }
            Line::Finding(finding) => {
                let both = |edge: &EdgeLine| {
                    [&edge.from_stack, &edge.stack].map(|stack| stack.addresses().to_vec())
                };
                let stacks = finding.edges.iter().map(both).collect();
                let found = self.finding(*finding)?;
                self.finding_stacks.push((self.trace.findings.len(), stacks));
                self.trace.findings.push(found);
            }
            Line::Counts(counts) => self.trace.counts = counts,
            Line::Blocked { thread, awaited, class, site } => {
                self.trace.blocked.push(Blocked {
                    thread: self.threads.get(&thread)?.label.clone(),
                    awaited,
                    class: class.and_then(|class| self.class(class)),
                    site: Arc::clone(self.sites.get(&site)?),
                });
            }
            Line::Look {} => self.trace.standing.clear(),
            Line::Standing(line) => {
                let standing = self.standing(line);
                self.trace.standing.push(standing);
            }
            Line::Times {
                class,
                acquisitions,
                contended,
                wait,
                hold,
                longest_wait,
                longest_hold,
                most_bypassed,
            } => {
                let most = |line: Option<MostLine>| {
                    let line = line?;
                    Some((line.most, Arc::clone(self.sites.get(&line.site)?)))
                };
                let times = Times {
                    acquisitions,
                    contended,
                    wait,
                    hold,
                    longest_wait: most(longest_wait),
                    longest_hold: most(longest_hold),
                    most_bypassed: most(most_bypassed),
                };
                self.trace.times.push((self.class(class)?, times));
            }
            Line::End => self.trace.ended = true,
            Line::Other => {}
        }
        Some(())
    }

    /// A recorded place, by its file's short name.
    fn place(&self, place: Place) -> Place {
        let place = Place { file: self.sources.shorten(&place.file), ..place };
        match &self.examples {
            Some(examples) => examples.place(place),
            None => place,
        }
    }

    fn label(&self, kind: &str, id: u64, name: Option<String>, site: Option<u64>) -> String {
        let spawned = site.and_then(|site| self.sites.get(&site));
        match (name.filter(|name| !name.is_empty()), spawned) {
            (Some(name), _) if name == "main" => {
                let test = self.trace.header.only_test().map(str::to_owned);
                let example = || self.examples.as_ref().and_then(DocExamples::name);
                test.or_else(example).unwrap_or(name)
            }
            (Some(name), _) => name,
            (None, Some(place)) => format!("{kind} spawned at {place}"),
            (None, None) => format!("{kind} {id}"),
        }
    }

    fn class(&self, id: u64) -> Option<Arc<Class>> {
        let class = self.classes.get(&id).cloned()?;
        self.used.borrow_mut().insert(Arc::clone(&class));
        Some(class)
    }

    /// What a thread did. The line was written by a process in any state, so that what it names may
    /// never have been introduced.
    fn standing(&self, line: StandingLine) -> Standing {
        let thread = |id: u64| {
            self.threads.get(&id).map_or_else(|| format!("thread {id}"), |t| t.label.clone())
        };
        let short = |place: Place| Arc::new(self.place(place));
        let held = line.held.into_iter().filter_map(|hold| {
            Some(Hold { class: self.class(hold.class)?, mode: hold.mode, site: short(hold.at) })
        });
        let held = held.collect();
        let wait = line.awaited.zip(line.at).map(|(awaited, at)| StandingWait {
            awaited,
            class: line.class.and_then(|class| self.class(class)),
            thread: line.ends.map(thread),
            site: short(at),
            nanos: line.ns,
        });
        let task = line.task.filter(|_| !self.threads.contains_key(&line.thread));
        let name = match task {
            Some(spawned) => format!("task spawned at {}", self.place(spawned)),
            None => thread(line.thread),
        };
        Standing { id: line.thread, thread: name, wait, held }
    }

    fn hold(&self, hold: &HoldLine) -> Option<Hold> {
        Some(Hold {
            class: self.class(hold.class)?,
            mode: hold.mode,
            site: Arc::clone(self.sites.get(&hold.site)?),
        })
    }

    fn holds(&self, holds: &[HoldLine]) -> Option<Vec<Hold>> {
        holds.iter().map(|hold| self.hold(hold)).collect()
    }

    fn finding(&self, line: FindingLine) -> Option<Found> {
        let count = line.locks.len();
        let locks = line.locks.iter().map(|lock| self.class(lock.class));
        let edge = |edge: EdgeLine| {
            Some(Edge {
                from: Some(edge.from).filter(|index| *index < count)?,
                to: Some(edge.to).filter(|index| *index < count)?,
                thread: self.threads.get(&edge.thread)?.clone(),
                from_mode: edge.from_mode,
                to_mode: edge.to_mode,
                from_site: Arc::clone(self.sites.get(&edge.from_site)?),
                to_site: Arc::clone(self.sites.get(&edge.to_site)?),
                stack: match edge.stack {
                    StackLine::Frames(frames) => self.frames(frames),
                    StackLine::Addresses(_) => Vec::new(),
                },
                from_stack: Vec::new(),
            })
        };
        let among = |held: &HoldLine| {
            let same = |lock: &LockLine| {
                held.instance != 0 && (lock.class, lock.instance) == (held.class, held.instance)
            };
            line.locks.iter().position(same)
        };
        let wait = |wait: WaitLine| {
            Some(Wait {
                thread: self.threads.get(&wait.thread)?.clone(),
                awaited: wait.awaited,
                lock: wait.lock.filter(|index| *index < count),
                site: Arc::clone(self.sites.get(&wait.site)?),
                held: self
                    .holds(&wait.held)?
                    .into_iter()
                    .zip(wait.held.iter().map(among))
                    .collect(),
            })
        };
        let site = |site: SiteLine| Some((Arc::clone(self.sites.get(&site.site)?), site.label));
        Some(Found {
            rule: Rule::from_code(&line.rule)?,
            tier: Tier::from_code(&line.tier)?,
            message: line.message,
            instances: line.locks.iter().map(|lock| lock.instance).collect(),
            locks: locks.collect::<Option<_>>()?,
            edges: line.edges.into_iter().map(edge).collect::<Option<_>>()?,
            sites: line.sites.into_iter().map(site).collect::<Option<_>>()?,
            waits: line.waits.into_iter().map(wait).collect::<Option<_>>()?,
            reason: line.reason,
            notes: line.notes,
            apart: line
                .apart
                .iter()
                .map(|site| self.sites.get(site).cloned())
                .collect::<Option<_>>()?,
        })
    }

    /// Gives the stacks of findings and orders their names, from the trace itself or else from the files
    /// that the process had mapped, where they are still there.
    fn name_frames(&mut self) {
        let mut symbolizer = Symbolizer::default();
        for (finding, stacks) in std::mem::take(&mut self.finding_stacks) {
            for (edge, addresses) in stacks.into_iter().enumerate() {
                let [from_stack, stack] =
                    addresses.map(|stack| self.named(&stack, &mut symbolizer));
                let edge = &mut self.trace.findings[finding].edges[edge];
                edge.from_stack = from_stack;
                if !stack.is_empty() {
                    edge.stack = stack;
                }
            }
        }
        for (order, asked, held) in std::mem::take(&mut self.order_stacks) {
            let asked = self.named(&asked, &mut symbolizer);
            let held = held.iter().map(|stack| self.named(stack, &mut symbolizer)).collect();
            self.trace.orders[order].stacks = Stacks { asked, held };
        }
    }

    fn named(&mut self, addresses: &[u64], symbolizer: &mut Symbolizer) -> Vec<String> {
        let mut named = Vec::new();
        for &address in addresses {
            if !self.symbols.contains_key(&address) {
                let frames = symbolizer.frames(address, &self.modules);
                let symbol = self.symbol(frames);
                self.symbols.insert(address, symbol);
            }
            let symbol = &self.symbols[&address];
            named.extend(symbol.frames.iter().cloned());
            if symbol.polls_a_task {
                break;
            }
        }
        named
    }

    /// What an address means: the frames of the program there, with short paths.
    fn symbol(&self, frames: Vec<String>) -> Symbol {
        let polls_a_task = frames.iter().any(|frame| symbols::polls_a_task(frame));
        let of_task = frames.into_iter().take_while(|frame| !symbols::polls_a_task(frame));
        let frames = self.frames(of_task.filter(|f| symbols::is_of_program(f)).collect());
        Symbol { frames, polls_a_task }
    }

    fn frames(&self, stack: Vec<String>) -> Vec<String> {
        let shorten = |frame: String| match frame.rsplit_once(" at ") {
            Some((function, place)) => format!("{function} at {}", self.sources.shorten(place)),
            None => frame,
        };
        stack.into_iter().map(shorten).collect()
    }
}
