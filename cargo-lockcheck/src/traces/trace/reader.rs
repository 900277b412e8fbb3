//! From the lines of a trace to what they tell.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use lockdep::finding::{Rule, Tier};

use super::addresses::{Names, shorten};
use super::line::{
    BlockedLine, ClassLine, EdgeLine, FindingLine, HeldLine, HoldLine, LabelledLine, Line,
    LockLine, MostLine, OrderLine, SiteLine, StackLine, StandingLine, SymbolLine, ThreadLine,
    TimesLine, WaitLine,
};
use super::shared::Shared;
use super::{
    Blocked, Class, Edge, Found, Header, Hold, Order, Orders, ProcessKey, Standing, StandingWait,
    Taken, Thread, Times, Trace, UnreadStacks, Wait, Warning,
};
use crate::report::model::Place;
use crate::report::sources::{Recorded, Sources};
use crate::traces::doc_examples::DocExamples;

/// The newest version of the format that is understood.
pub const VERSION: u64 = 2;

/// A longer line is not one of a trace, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

impl Trace {
    /// Reads the trace at `path`, gives its orders to `orders`, and takes from `shared` what other traces
    /// have, too. What is not a trace at all gives none.
    pub fn read(
        path: &Path,
        sources: &Sources,
        shared: &mut Shared,
        orders: &mut dyn Orders,
    ) -> (Option<Trace>, Vec<Warning>) {
        let name = path.display();
        match File::open(path) {
            Ok(file) => {
                let mut reader = Reader::new(sources, shared, orders);
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
        let (mut shared, mut orders) = (Shared::default(), Vec::new());
        let reader = Reader::new(sources, &mut shared, &mut orders);
        let (trace, warnings) = Trace::parse_by(reader, input, name);
        (trace.map(|trace| Trace { orders, ..trace }), warnings)
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
            match Line::parse(line) {
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
        reader.trace.classes = reader.used_classes();
        (Some(reader.trace), warnings)
    }
}

/// What the places mean in the trace of a process that runs an example of the documentation. These processes
/// are small, so that they are read twice.
fn examples(file: File, sources: &Sources) -> Option<DocExamples> {
    let mut lines = BufReader::new(file).lines().map_while(Result::ok);
    let Ok(Line::Trace(header)) = Line::parse(lines.next()?.as_bytes()) else { return None };
    let recorded = Recorded::new(sources, header.workspace.as_deref());
    DocExamples::is_one(&header).then(|| {
        let place = |line: String| match Line::parse(line.as_bytes()) {
            Ok(Line::Site(SiteLine { file, line, column, .. })) => {
                Some(Place { file: recorded.shorten(&file), line, column })
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
    recorded: Recorded<'a>,
    shared: &'a mut Shared,
    orders: &'a mut dyn Orders,
    /// Of a process that runs an example of the documentation: where its places are.
    examples: Option<DocExamples>,
    trace: Trace,
    process: ProcessKey,
    sites: HashMap<u64, Arc<Place>>,
    classes: HashMap<u64, Known>,
    /// Classes that other lines speak of and whose numbers were given to others since.
    replaced: Vec<Arc<Class>>,
    threads: HashMap<u64, Arc<Thread>>,
    /// The addresses of stacks, by finding: of each edge, where its first lock was acquired and its second
    /// one asked for.
    finding_stacks: Vec<(usize, Vec<[Vec<u64>; 2]>)>,
    good: u64,
    bad: u64,
    torn: bool,
}

/// A class that was introduced.
struct Known {
    class: Arc<Class>,
    /// Whether another line speaks of it.
    is_used: Cell<bool>,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a Sources, shared: &'a mut Shared, orders: &'a mut dyn Orders) -> Reader<'a> {
        Reader {
            recorded: Recorded::new(sources, None),
            shared,
            orders,
            examples: None,
            trace: Trace::default(),
            process: ProcessKey(0),
            sites: HashMap::new(),
            classes: HashMap::new(),
            replaced: Vec::new(),
            threads: HashMap::new(),
            finding_stacks: Vec::new(),
            good: 0,
            bad: 0,
            torn: false,
        }
    }

    fn begin(&mut self, header: Header) {
        self.process = header.key();
        self.recorded = self.recorded.below(header.workspace.as_deref());
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
            Line::Site(SiteLine { id, file, line, column }) => {
                let place = self.place(Place { file, line, column });
                self.sites.insert(id, self.shared.place(place));
            }
            Line::Class(ClassLine { id, kind, ty, site, anonymous, place }) => {
                let created = Place::clone(self.sites.get(&site)?);
                let anonymous = anonymous.then_some((self.process, id));
                let class = Class { created, kind, ty, anonymous, place };
                let class = self.shared.class(class);
                let known = Known { class, is_used: Cell::new(false) };
                // Only a damaged trace gives a number twice: what was told of the first one stays.
                if let Some(before) = self.classes.insert(id, known).filter(|k| k.is_used.get()) {
                    self.replaced.push(before.class);
                }
            }
            Line::Many(line) => self.trace.many.push(self.class(line.class)?),
            Line::Thread(ThreadLine { id, name, site, task }) => {
                let kind = if task { "task" } else { "thread" };
                let label = self.label(kind, id, name, site);
                self.threads.insert(id, Arc::new(Thread { process: self.process, id, label }));
            }
            Line::Order(OrderLine { thread, lock, mut held, stack }) => {
                let order = Order {
                    lock: self.held(&lock)?,
                    held: held.iter().map(|held| self.held(held)).collect::<Option<_>>()?,
                };
                let thread = Arc::clone(self.threads.get(&thread)?);
                let held = held.iter_mut().map(|held| held.stack.take()).collect();
                let stacks = UnreadStacks { asked: stack, held };
                self.orders.take(Taken { order, thread, stacks });
            }
            Line::Module(module) => self.trace.addresses.modules.push(module),
            Line::Symbol(SymbolLine { address, frames }) => {
                self.trace.addresses.frames.insert(address, frames);
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
            Line::Blocked(BlockedLine { thread, awaited, class, site }) => {
                self.trace.blocked.push(Blocked {
                    thread: self.threads.get(&thread)?.label.clone(),
                    awaited,
                    class: class.and_then(|class| self.class(class)),
                    site: Arc::clone(self.sites.get(&site)?),
                });
            }
            Line::Look => self.trace.standing.clear(),
            Line::Standing(line) => {
                let standing = self.standing(line);
                self.trace.standing.push(standing);
            }
            Line::Times(line) => {
                let TimesLine { class, acquisitions, contended, wait, hold, .. } = line;
                let TimesLine { longest_wait, longest_hold, most_bypassed, .. } = line;
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
        let place = Place { file: self.recorded.shorten(&place.file), ..place };
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
        let known = self.classes.get(&id)?;
        known.is_used.set(true);
        Some(Arc::clone(&known.class))
    }

    fn used_classes(&self) -> Vec<Arc<Class>> {
        let used = self.classes.values().filter(|known| known.is_used.get());
        let used = used.map(|known| &known.class).chain(&self.replaced);
        let mut used: Vec<Arc<Class>> = used.cloned().collect();
        used.sort();
        used.dedup();
        used
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

    fn held(&self, held: &HeldLine) -> Option<Hold> {
        Some(Hold {
            class: self.class(held.class)?,
            mode: held.mode,
            site: Arc::clone(self.sites.get(&held.site)?),
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
                thread: Thread::clone(self.threads.get(&edge.thread)?),
                from_mode: edge.from_mode,
                to_mode: edge.to_mode,
                from_site: Arc::clone(self.sites.get(&edge.from_site)?),
                to_site: Arc::clone(self.sites.get(&edge.to_site)?),
                stack: match edge.stack {
                    StackLine::Frames(frames) => shorten(frames, &self.recorded),
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
                thread: Thread::clone(self.threads.get(&wait.thread)?),
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
        let site = |site: LabelledLine| Some((Arc::clone(self.sites.get(&site.site)?), site.label));
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

    /// Gives the stacks of findings their names.
    fn name_frames(&mut self) {
        if self.finding_stacks.is_empty() {
            return;
        }
        let mut names = Names::new(&self.trace.addresses, &self.recorded);
        for (finding, stacks) in self.finding_stacks.drain(..) {
            for (edge, addresses) in stacks.into_iter().enumerate() {
                let mut text = |stack: Vec<u64>| -> Vec<String> {
                    let frames = names.of(&stack, &mut Arc::from);
                    frames.iter().map(ToString::to_string).collect()
                };
                let [from_stack, stack] = addresses.map(&mut text);
                let edge = &mut self.trace.findings[finding].edges[edge];
                edge.from_stack = from_stack;
                if !stack.is_empty() {
                    edge.stack = stack;
                }
            }
        }
    }
}
