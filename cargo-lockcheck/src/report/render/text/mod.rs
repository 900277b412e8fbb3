//! The report for people, in the manner of the compiler's own messages.
//!
//! Each finding is a sentence, then for each thread the places that matter with their source
//! lines, then a way in which it comes about, then what to do. It is made to be read at 80 columns
//! and without colour, as in the log of a build server.

mod quote;
mod schedule;
mod standstill;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use annotate_snippets::{Group, Level as Mark, Renderer};
use lockdep::finding::{Tier, awaited, completes};
use quote::{Kind, Quote};

use super::look::{Look, Show};
use crate::report::model::{
    Awaited, Edge, Finding, Level, Lock, Mode, Place, Report, Site, Sort, Wait, WhyUnwatched,
};
use crate::report::naming::short_function;
use crate::report::{rules, wording};

/// Callers shown of each stack.
const FRAMES: usize = 6;

/// Packages named of those that are not watched.
const NAMED: usize = 4;

/// Threads shown of each finding.
const THREADS: usize = 6;

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let page = Page { look };
    for finding in &report.findings {
        writeln!(out, "{}\n", page.finding(finding, None))?;
    }
    for suppressed in report.suppressed.iter().filter(|suppressed| look.show.has(suppressed)) {
        writeln!(out, "{}\n", page.finding(&suppressed.finding, Some(&suppressed.reason)))?;
    }
    for process in &report.standstills {
        let text = standstill::describe(process);
        let group = Group::with_title(Mark::NOTE.secondary_title(text));
        writeln!(out, "{}", page.renderer().render(&[group]))?;
    }
    for warning in &report.warnings {
        writeln!(out, "{}", page.title(Mark::WARNING, warning))?;
    }
    for note in &report.notes {
        writeln!(out, "{}", page.title(Mark::NOTE, note))?;
    }
    if let Some(worst) = report.findings.first() {
        let rule = worst.rule;
        let way = format!(
            "to accept a finding, write `// lockcheck: allow({rule}) reason` above one of its lines, \
             or its id and a reason into `lockcheck.toml`"
        );
        writeln!(out, "{}", page.title(Mark::HELP, &way))?;
    }
    writeln!(out, "{}", summary(report, look.show))
}

pub(super) fn finding(finding: &Finding, look: &Look<'_>) -> String {
    Page { look }.finding(finding, None)
}

/// One line that says how it went, and one for each kind of finding that is not shown.
pub(super) fn summary(report: &Report, show: &Show) -> String {
    let mut parts = Vec::new();
    let levels = [Level::Deny, Level::Warn].map(|level| (report.count(level), level));
    let found: Vec<String> = levels
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, level)| format!("{count} {level}"))
        .collect();
    let coverage = &report.coverage;
    let is_unseen = coverage.processes == 0 && coverage.functions_analyzed == 0;
    parts.push(match found.as_slice() {
        [] if is_unseen => "nothing to check".to_owned(),
        [] if !report.standstills.is_empty() => {
            let (count, processes) = match report.standstills.len() {
                1 => (1, "process"),
                count => (count, "processes"),
            };
            format!("no finding, and {count} {processes} did not end")
        }
        [] => "nothing found".to_owned(),
        found => found.join(", "),
    });

    let counts = [
        (coverage.processes, "process", "processes"),
        (coverage.threads, "thread", "threads"),
        (coverage.locks, "lock", "locks"),
        (coverage.acquisitions, "acquisition", "acquisitions"),
        (coverage.functions_analyzed, "function analysed", "functions analysed"),
        (coverage.functions_skipped, "function skipped", "functions skipped"),
    ];
    let looked_at: Vec<String> = counts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    if !looked_at.is_empty() {
        parts.push(looked_at.join(", "));
    }

    let mut text = format!("lockcheck: {}", parts.join("; "));

    for why in WhyUnwatched::ALL {
        let of_why = report.unwatched.iter().filter(|unwatched| unwatched.why == *why);
        let packages: Vec<&str> = of_why.map(|unwatched| &*unwatched.package).collect();
        if !packages.is_empty() {
            let named = packages[..packages.len().min(NAMED)].join(", ");
            let more = match packages.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text += &format!("\nlockcheck: not watched: {} ({named}{more})", why.words());
        }
    }

    let mut hidden: BTreeMap<&str, usize> = BTreeMap::new();
    for suppressed in report.suppressed.iter().filter(|suppressed| !show.has(suppressed)) {
        *hidden.entry(Show::code(suppressed)).or_default() += 1;
    }
    for (code, count) in hidden {
        let what = match code {
            "accepted" => "accepted".to_owned(),
            code => format!("not shown ({code})"),
        };
        text += &format!("\nlockcheck: {count} {what}: --show {code}");
    }
    text
}

struct Page<'a> {
    look: &'a Look<'a>,
}

impl Page<'_> {
    fn renderer(&self) -> Renderer {
        let renderer = if self.look.color { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(self.look.width)
    }

    /// A line of its own, such as `note: ...`.
    fn title(&self, mark: Mark<'_>, text: &str) -> String {
        let text = self.wrap(text, "warning: ".len());
        self.renderer().render(&[Group::with_title(mark.secondary_title(text))])
    }

    /// Breaks `text` into lines that fit behind `indent` columns.
    fn wrap(&self, text: &str, indent: usize) -> String {
        schedule::wrap(text, self.look.width.saturating_sub(indent).max(30))
    }

    fn finding(&self, finding: &Finding, reason: Option<&str>) -> String {
        let mark = match finding.level {
            Level::Deny => Mark::ERROR,
            Level::Warn => Mark::WARNING,
            Level::Allow => Mark::NOTE,
        };
        let code = finding.rule.code();
        let message = self.wrap(&finding.message, "warning[]: ".len() + code.len());
        let quotes = self.quotes(finding);
        let title = Group::with_title(mark.primary_title(message).id(code));
        let mut groups = vec![match finding.place() {
            Some(place) => title.element(quote::origin(place)),
            None => title,
        }];
        groups.extend(quotes.iter().map(|quote| quote.group()));
        let steps = schedule::steps(finding, self.look.width.saturating_sub(6));
        if let Some(steps) = steps.filter(|_| reason.is_none()) {
            let comes = match finding.tier {
                Tier::Confirmed => "it came about like this",
                _ => "it can come about like this",
            };
            let text = match finding.witness.as_ref().map_or(0, |witness| witness.earlier) {
                0 => format!("{comes}:\n{steps}"),
                1 => format!("after one step {comes}:\n{steps}"),
                earlier => format!("after {earlier} steps {comes}:\n{steps}"),
            };
            groups.push(Group::with_title(Mark::NOTE.secondary_title(text)));
        }
        for note in &finding.notes {
            let text = self.wrap(note, "note: ".len());
            groups.push(Group::with_title(Mark::NOTE.secondary_title(text)));
        }
        if let Some(reason) = reason {
            let text = self.wrap(&format!("not counted: {reason}"), "note: ".len());
            groups.push(Group::with_title(Mark::NOTE.secondary_title(text)));
        }
        let cure = rules::info(finding.rule).cure;
        let help: Vec<&str> = match finding.help.as_slice() {
            _ if reason.is_some() => Vec::new(),
            [] => vec![cure],
            help => help.iter().map(String::as_str).collect(),
        };
        for help in help {
            let text = self.wrap(help, "help: ".len());
            groups.push(Group::with_title(Mark::HELP.secondary_title(text)));
        }
        let text = match finding.count {
            0 | 1 => finding.id.clone(),
            count => format!("{}, seen {count} times", finding.id),
        };
        groups.push(Group::with_title(Mark::INFO.with_name(Some("id")).secondary_title(text)));
        self.renderer().render(&groups)
    }

    /// The places of a finding, by thread.
    fn quotes(&self, finding: &Finding) -> Vec<Quote<'_>> {
        let mut quotes = Vec::new();
        if finding.waits.is_empty() {
            let groups = alike(&finding.edges);
            let shown = shown(groups.len());
            for edges in &groups[..shown] {
                quotes.push(self.edges(finding, edges));
            }
            if shown < groups.len() {
                let rest = groups.len() - shown;
                let title = format!("and {rest} more threads, which the JSON report lists");
                quotes.push(self.quote(title, None));
            }
        } else {
            let awaited: BTreeSet<usize> =
                finding.waits.iter().filter_map(|wait| wait.lock).collect();
            let shown = shown(finding.waits.len());
            for wait in &finding.waits[..shown] {
                quotes.push(self.wait(finding, wait, &awaited));
            }
        }
        let quoted: BTreeSet<&Place> = match finding.waits.as_slice() {
            [] => finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]).collect(),
            waits => {
                let held = waits.iter().flat_map(|wait| &wait.held).map(|held| &held.site);
                held.chain(waits.iter().map(|wait| &wait.site)).collect()
            }
        };
        let new = |site: &&Site| !quoted.contains(&site.place);
        let mut sites = finding.sites.iter().filter(new).peekable();
        if sites.peek().is_some() {
            let mut quote = self.quote("the places concerned".to_owned(), None);
            for site in sites {
                quote.add(&site.place, Kind::Main, site.label.clone(), "");
            }
            quotes.push(quote);
        }
        quotes
    }

    fn quote(&self, mut title: String, function: Option<&str>) -> Quote<'_> {
        if let Some(function) = function {
            title += &format!(", in `{function}`");
        }
        let title = self.wrap(&title, "note: ".len());
        Quote::new(self.look.sources, title, self.look.width)
    }

    /// Threads that do the same at the same places.
    fn edges(&self, finding: &Finding, edges: &[&Edge]) -> Quote<'_> {
        let [edge] = edges else { return self.crowd(finding, edges) };
        let mut quote = match edge.function.as_deref() {
            Some(function) if is_of_source(edge) => {
                let through = match function == edge.thread {
                    true => String::new(),
                    false => format!(", through `{function}`"),
                };
                self.quote(format!("in `{}`{through}", edge.thread), None)
            }
            function => {
                let mut title = wording::thread(&edge.thread);
                if let Some(process) = &edge.process {
                    title += &format!(" of program `{process}`");
                }
                self.quote(title, function)
            }
        };
        let [from, to] = [edge.from, edge.to].map(|lock| &finding.locks[lock]);
        let hold = holds(from, edge.from_mode);
        let ask = match (to.sort(), edge.to_mode) {
            _ if edge.from == edge.to => "asks again for",
            (Sort::ReadWrite, Mode::Read) => "then waits to read",
            (Sort::ReadWrite, Mode::Write) => "then waits to write",
            _ => "then waits for",
        };
        if let Some(completes) = completes(&from.kind) {
            // It holds nothing: others wait for what it does after this.
            let (then, more) = match from.sort() {
                Sort::Thread => (format!("`{}` is started", from.name), " here"),
                Sort::Resource => (format!("holds units of `{}`", from.name), " since here"),
                _ => (format!("then {completes}"), " here"),
            };
            quote.add(&edge.from_site, Kind::Other, then, more);
            quote.add(&edge.to_site, Kind::Main, format!("first needs `{}`", to.name), " here");
        } else if wording::is_event(to) {
            let label = format!("{hold} `{}`", from.name);
            let waits = awaited(&to.kind, &format!("`{}`", to.name));
            quote.add(&edge.from_site, Kind::Other, label, " since here");
            quote.add(&edge.to_site, Kind::Main, format!("then waits for {waits}"), " here");
        } else if edge.from_site == edge.to_site {
            let label = format!("{hold} `{}` since here", from.name);
            let again = if edge.from == edge.to { "it again" } else { "another" };
            quote.add(
                &edge.to_site,
                Kind::Main,
                format!("{label}, then asks for {again}"),
                " here",
            );
        } else {
            let label = format!("{hold} `{}`", from.name);
            quote.add(&edge.from_site, Kind::Other, label, " since here");
            quote.add(&edge.to_site, Kind::Main, format!("{ask} `{}`", to.name), " here");
        }
        self.callers(&mut quote, &edge.stack);
        if !is_of_source(edge) {
            self.callers_before(&mut quote, edge, &from.name);
        }
        quote
    }

    /// Adds by which calls the first lock was acquired, where these have returned since.
    fn callers_before(&self, quote: &mut Quote<'_>, edge: &Edge, lock: &str) {
        for (caller, line) in self.own_callers(edge.frames_before()).take(FRAMES) {
            quote.note(format!("`{lock}` was acquired on a call from {caller} at {line}"));
        }
    }

    /// The user's own functions of a stack, innermost first, with the file and line of each call; without
    /// the innermost frame, which is the place itself and is quoted already.
    fn own_callers<'s>(
        &self,
        stack: &'s [String],
    ) -> impl Iterator<Item = (String, &'s str)> + use<'s, '_> {
        let own = stack.iter().filter(|frame| self.is_own(frame)).skip(1);
        own.filter_map(|frame| frame.rsplit_once(" at ")).map(|(function, place)| {
            let line = place.rsplit_once(':').map_or(place, |(line, _)| line);
            (short_function(function), line)
        })
    }

    /// Whether a frame is of the user's own code.
    fn is_own(&self, frame: &str) -> bool {
        let place = frame.rsplit_once(" at ").map_or("", |(_, place)| place);
        self.look.sources.is_own(file_of(place))
    }

    /// Many threads that do the same at the same places, with different locks.
    fn crowd(&self, finding: &Finding, edges: &[&Edge]) -> Quote<'_> {
        let title = wording::threads(edges.iter().map(|edge| &edge.thread));
        // The one of which most is known.
        let edge = edges.iter().rev().max_by_key(|edge| edge.stack.len()).unwrap_or(&edges[0]);
        let mut quote = self.quote(title, edge.function.as_deref());
        let [from, to] =
            [edge.from, edge.to].map(|lock| wording::class_name(&finding.locks[lock].name));
        let to = if from == to { "another".to_owned() } else { format!("one of `{to}`") };
        quote.add(
            &edge.from_site,
            Kind::Other,
            format!("each holds one of `{from}`"),
            " since here",
        );
        quote.add(&edge.to_site, Kind::Main, format!("then waits for {to}"), " here");
        self.callers(&mut quote, &edge.stack);
        quote
    }

    fn wait(&self, finding: &Finding, wait: &Wait, awaited: &BTreeSet<usize>) -> Quote<'_> {
        let mut quote = self.quote(wording::thread(&wait.thread), wait.function.as_deref());
        let mut others = 0;
        for held in &wait.held {
            if awaited.contains(&held.lock) {
                let lock = &finding.locks[held.lock];
                let label = format!("{} `{}`", holds(lock, held.mode), lock.name);
                quote.add(&held.site, Kind::Other, label, " since here");
            } else {
                others += 1;
            }
        }
        let what = wording::awaited_by(wait, finding);
        let waits = match wait.awaited {
            _ if wording::tries(wait, finding) => format!("tries {what} in vain"),
            Awaited::Task => "waits for the end of the task spawned".to_owned(),
            _ if wording::is_of_creation(wait, finding) => format!("waits for {what}, created"),

            _ => format!("waits for {what}"),
        };
        quote.add(&wait.site, Kind::Main, waits, " here");
        if others > 0 {
            let locks = if others == 1 { "lock" } else { "locks" };
            quote.note(format!("it also holds {others} {locks} that no one here waits for"));
        }
        self.callers(&mut quote, &wait.stack);
        quote
    }

    /// Adds who called, as far as it is the user's own code.
    fn callers(&self, quote: &mut Quote<'_>, stack: &[String]) {
        let is_own = |frame: &&String| self.is_own(frame);
        // What is around the user's outermost frame only starts threads and programs.
        let starts = stack.iter().rev().take_while(|frame| !is_own(frame)).count();
        let stack = &stack[..stack.len() - starts];
        let own = stack.iter().filter(is_own).count();
        for (caller, line) in self.own_callers(stack).take(FRAMES) {
            quote.note(format!("called from {caller} at {line}"));
        }
        let hidden = stack.len() - own.min(FRAMES + 1);
        if own > 1 && hidden > 0 {
            let frames = if hidden == 1 { "frame is" } else { "frames are" };
            quote.note(format!("{hidden} more {frames} not shown"));
        }
    }
}

/// Whether an edge is one of the source, which knows functions where a run knows threads.
fn is_of_source(edge: &Edge) -> bool {
    let outermost = edge.stack.last().and_then(|frame| frame.strip_prefix(&*edge.thread));
    outermost.is_some_and(|rest| rest.starts_with(" at "))
}

/// What a thread does that holds `lock`.
fn holds(lock: &Lock, mode: Mode) -> &'static str {
    match (lock.sort(), mode) {
        (Sort::Initialised, _) => "initialises",
        (Sort::ReadWrite, Mode::Read) => "reads",
        (Sort::ReadWrite, _) => "writes",
        _ => "holds",
    }
}

/// The edges, with those put together that only differ in threads and locks.
fn alike(edges: &[Edge]) -> Vec<Vec<&Edge>> {
    let places = |edge: &Edge| (edge.from_site.clone(), edge.to_site.clone());
    let mut groups: Vec<Vec<&Edge>> = Vec::new();
    for edge in edges {
        match groups.iter_mut().find(|group| places(group[0]) == places(edge)) {
            // Two are as easily read one by one, and say which lock is which.
            Some(group) if edges.len() > 2 => group.push(edge),
            _ => groups.push(vec![edge]),
        }
    }
    groups
}

/// How many of `count` threads to show.
fn shown(count: usize) -> usize {
    if count <= THREADS + 1 { count } else { THREADS }
}

/// The file of `file:line:column`.
fn file_of(place: &str) -> &str {
    let line = place.rsplit_once(':').map_or(place, |(line, _)| line);
    line.rsplit_once(':').map_or(line, |(file, _)| file)
}
