//! Writes what this process records to a file of its own, as JSON Lines; `docs/trace.md` of the project
//! describes each line.
//!
//! A line is in the file, complete, before the acquisition that it is about can block. Only what is new by
//! class and site is written, so a write is rare. A file that cannot be written to is given up: at most its
//! last line is torn, and the program does not notice.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, process};

use crate::model::finding::{Finding, FoundHold, ThreadKind, WaitFor};
use crate::model::inventory::{Class, Counts, ThreadInfo};
use crate::model::lock::Site;
use crate::model::stack::FoundStack;
use crate::model::times::ClassTimes;
use crate::platform;
use crate::platform::unwind::Module;

/// The version of the format.
const VERSION: u32 = 2;

/// An open trace.
#[derive(Debug)]
pub(crate) struct Trace {
    /// `None` once it could not be written to. It stays open to the end of the process: a signal handler may
    /// be writing to it.
    file: Option<&'static File>,
    directory: PathBuf,
    /// Lines that belong to one step; written together.
    lines: String,
    sites: HashMap<(&'static str, u32, u32), u32>,
    classes: HashMap<u32, bool>,
    threads: HashMap<u32, ()>,
    /// The files that the trace has lines for.
    modules: Vec<Module>,
    /// How often an address lay in none of them.
    strangers: u32,
}

/// How often the files that are mapped are looked up anew: code that is in no file is never found.
const LOOKS: u32 = 64;

impl Trace {
    /// Opens a new file in `directory`.
    pub(crate) fn create(directory: &Path) -> Option<Trace> {
        fs::create_dir_all(directory).ok()?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = directory.join(format!("{}-{}.lctrace", process::id(), time.as_nanos()));
        let file = OpenOptions::new().append(true).create_new(true).open(path).ok()?;
        let mut trace = Trace {
            file: Some(Box::leak(Box::new(file))),
            directory: directory.to_owned(),
            lines: String::new(),
            sites: HashMap::new(),
            classes: HashMap::new(),
            threads: HashMap::new(),
            modules: Vec::new(),
            strangers: 0,
        };
        trace.header(time.as_millis());
        Some(trace)
    }

    /// A new file for a process that was forked off this one.
    pub(crate) fn fork(&self) -> Option<Trace> {
        Trace::create(&self.directory)
    }

    /// The open file.
    pub(crate) fn file(&self) -> Option<&'static File> {
        self.file
    }

    fn header(&mut self, time: u128) {
        let path = |p: Option<PathBuf>| p.map_or(String::new(), |p| p.to_string_lossy().into());
        let exe: String = path(env::current_exe().ok());
        let cwd: String = path(env::current_dir().ok());
        let text =
            |variable| env::var(variable).map_or("null".to_owned(), |text| json_string(&text));
        let args: Vec<String> = env::args_os().map(|a| json_string(&a.to_string_lossy())).collect();
        let _ = writeln!(
            self.lines,
            r#"{{"t":"trace","version":{VERSION},"tool":"lockdep {}","pid":{},"exe":{},"args":[{}],"cwd":{},"time":{time},"package":{},"workspace":{}}}"#,
            env!("CARGO_PKG_VERSION"),
            process::id(),
            json_string(&exe),
            args.join(","),
            json_string(&cwd),
            text("CARGO_PKG_NAME"),
            text("LOCKDEP_WORKSPACE"),
        );
        self.flush();
    }

    /// Hands everything to the system; what was handed over survives the end of the process.
    pub(crate) fn flush(&mut self) {
        if let Some(mut file) = self.file.filter(|_| !self.lines.is_empty()) {
            // After a line that was written in part, nothing that follows could be read.
            if file.write_all(self.lines.as_bytes()).is_err() {
                self.file = None;
            }
        }
        self.lines.clear();
    }

    /// The addresses as a list; writes the lines for the files that they lie in first.
    fn stack(&mut self, stack: &FoundStack) -> String {
        let is_known = |address: &usize| self.modules.iter().any(|module| module.has(*address));
        if !stack.addresses().iter().all(is_known) && self.strangers < LOOKS {
            self.strangers += 1;
            for module in platform::modules() {
                if !self.modules.contains(&module) {
                    let Module { path, start, end, offset, size, modified } = &module;
                    let _ = writeln!(
                        self.lines,
                        r#"{{"t":"module","path":{},"start":{start},"end":{end},"offset":{offset},"size":{size},"modified":{modified}}}"#,
                        json_string(path),
                    );
                    self.modules.push(module);
                }
            }
        }
        let addresses: Vec<String> = stack.addresses().iter().map(usize::to_string).collect();
        addresses.join(",")
    }

    fn site(&mut self, site: Site) -> u32 {
        let next = self.sites.len() as u32 + 1;
        let key = (site.file(), site.line(), site.column());
        *self.sites.entry(key).or_insert_with(|| {
            let _ = writeln!(
                self.lines,
                r#"{{"t":"site","id":{next},"file":{},"line":{},"column":{}}}"#,
                json_string(key.0),
                key.1,
                key.2
            );
            next
        })
    }

    pub(crate) fn class(&mut self, class: &Class) {
        if self.classes.contains_key(&class.class) {
            return;
        }
        let site = self.site(class.created);
        self.classes.insert(class.class, false);
        let _ = writeln!(
            self.lines,
            r#"{{"t":"class","id":{},"kind":"{}","type":{},"site":{site},"anonymous":{},"place":{}}}"#,
            class.class,
            class.kind.code(),
            json_string(class.type_name),
            class.anonymous,
            class.place.map_or("null".to_owned(), |(_, name)| json_string(name)),
        );
    }

    /// A second lock of this class was acquired.
    pub(crate) fn many(&mut self, class: &Class) {
        self.class(class);
        if let Some(many) = self.classes.get_mut(&class.class).filter(|many| !**many) {
            *many = true;
            let _ = writeln!(self.lines, r#"{{"t":"many","class":{}}}"#, class.class);
        }
    }

    pub(crate) fn thread(&mut self, info: &ThreadInfo) {
        if self.threads.insert(info.thread.id, ()).is_some() {
            return;
        }
        let site = info.spawned.map(|s| self.site(s));
        let kind = match info.thread.kind {
            ThreadKind::Thread => "",
            ThreadKind::Task => r#","task":true"#,
        };
        let _ = writeln!(
            self.lines,
            r#"{{"t":"thread","id":{},"name":{},"parent":{},"site":{}{kind}}}"#,
            info.thread.id,
            info.thread.name.as_deref().map_or("null".to_owned(), json_string),
            number_or_null(info.parent),
            number_or_null(site),
        );
    }

    fn hold(&mut self, hold: &FoundHold) -> String {
        self.hold_with(hold, &FoundStack::default())
    }

    /// A hold with the stack of its acquisition, as far as that is known.
    fn hold_with(&mut self, hold: &FoundHold, stack: &FoundStack) -> String {
        let site = self.site(hold.site);
        let stack = match self.stack(stack) {
            addresses if addresses.is_empty() => addresses,
            addresses => format!(r#","stack":[{addresses}]"#),
        };
        format!(
            r#"{{"class":{},"instance":{},"mode":"{}","site":{site}{}{stack}}}"#,
            hold.class,
            hold.instance,
            hold.mode.code(),
            if hold.tried { r#","try":true"# } else { "" }
        )
    }

    fn holds(&mut self, holds: &[FoundHold]) -> String {
        let holds: Vec<String> = holds.iter().map(|h| self.hold(h)).collect();
        holds.join(",")
    }

    /// A dependency that is new by class and place.
    pub(crate) fn order(
        &mut self,
        thread: u32,
        asked: &FoundHold,
        held: &[(FoundHold, FoundStack)],
        stack: &FoundStack,
    ) {
        let asked = self.hold(asked);
        let held: Vec<String> = held.iter().map(|(h, stack)| self.hold_with(h, stack)).collect();
        let (held, stack) = (held.join(","), self.stack(stack));
        let _ = writeln!(
            self.lines,
            r#"{{"t":"order","thread":{thread},"lock":{asked},"held":[{held}],"stack":[{stack}]}}"#
        );
    }

    pub(crate) fn finding(&mut self, finding: &Finding) {
        let locks: Vec<String> = finding
            .locks
            .iter()
            .map(|l| {
                format!(r#"{{"class":{},"instance":{},"gone":{}}}"#, l.class, l.instance, l.gone)
            })
            .collect();
        let mut edges = Vec::new();
        for e in &finding.edges {
            let (from_site, to_site) = (self.site(e.from_site), self.site(e.to_site));
            let guards = self.holds(&e.guards);
            let (from_stack, stack) = (self.stack(&e.from_stack), self.stack(&e.stack));
            edges.push(format!(
                r#"{{"from":{},"to":{},"thread":{},"from_mode":"{}","to_mode":"{}","from_site":{from_site},"to_site":{to_site},"guards":[{guards}],"from_stack":[{from_stack}],"stack":[{stack}]}}"#,
                e.from,
                e.to,
                e.thread.id,
                e.from_mode.code(),
                e.to_mode.code(),
            ));
        }
        let mut sites = Vec::new();
        for (site, label) in &finding.sites {
            let site = self.site(site);
            sites.push(format!(r#"{{"site":{site},"label":{}}}"#, json_string(label)));
        }
        let apart: Vec<String> =
            finding.apart.iter().map(|site| self.site(site).to_string()).collect();
        let mut waits = Vec::new();
        for w in &finding.waits {
            let (site, held) = (self.site(w.site), self.holds(&w.held));
            waits.push(format!(
                r#"{{"thread":{},"for":"{}","lock":{},"site":{site},"held":[{held}]}}"#,
                w.thread.id,
                w.what,
                w.lock.map_or("null".to_owned(), |l| l.to_string()),
            ));
        }
        let _ = writeln!(
            self.lines,
            r#"{{"t":"finding","rule":"{}","tier":"{}","message":{},"locks":[{}],"edges":[{}],"sites":[{}],"waits":[{}],"reason":{},"notes":[{}],"apart":[{}]}}"#,
            finding.rule,
            finding.tier,
            json_string(&finding.template),
            locks.join(","),
            edges.join(","),
            sites.join(","),
            waits.join(","),
            finding.reason.as_deref().map_or("null".to_owned(), json_string),
            strings(&finding.notes),
            apart.join(","),
        );
    }

    /// A thread still waits when the process ends.
    pub(crate) fn blocked(
        &mut self,
        thread: u32,
        what: WaitFor,
        class: Option<u32>,
        site: Site,
        held: &[FoundHold],
    ) {
        let (site, held) = (self.site(site), self.holds(held));
        let _ = writeln!(
            self.lines,
            r#"{{"t":"blocked","thread":{thread},"for":"{what}","class":{},"site":{site},"held":[{held}]}}"#,
            number_or_null(class),
        );
    }

    /// How long the locks of a class were waited for and held.
    pub(crate) fn times(&mut self, class: u32, times: &ClassTimes) {
        let [wait, hold] = [&times.wait, &times.hold].map(|times| {
            let used = times.counts().iter().rposition(|&n| n > 0).map_or(0, |last| last + 1);
            let counts: Vec<String> =
                times.counts()[..used].iter().map(ToString::to_string).collect();
            counts.join(",")
        });
        let [longest_wait, longest_hold] =
            [times.longest_wait, times.longest_hold].map(|longest| {
                longest.map_or("null".to_owned(), |(nanos, site)| {
                    format!(r#"{{"ns":{nanos},"site":{}}}"#, self.site(site))
                })
            });
        let bypassed = times.most_bypassed.map_or(String::new(), |(times, site)| {
            format!(r#","most_bypassed":{{"times":{times},"site":{}}}"#, self.site(site))
        });
        let _ = writeln!(
            self.lines,
            r#"{{"t":"times","class":{class},"acquisitions":{},"contended":{},"wait":[{wait}],"hold":[{hold}],"longest_wait":{longest_wait},"longest_hold":{longest_hold}{bypassed}}}"#,
            times.acquisitions, times.contended,
        );
    }

    pub(crate) fn counts(&mut self, counts: Counts) {
        let _ = writeln!(
            self.lines,
            r#"{{"t":"counts","threads":{},"locks":{},"edges":{},"acquisitions":{}}}"#,
            counts.threads, counts.locks, counts.edges, counts.acquisitions
        );
    }

    pub(crate) fn end(&mut self) {
        self.lines.push_str("{\"t\":\"end\"}\n");
    }
}

fn number_or_null(number: Option<u32>) -> String {
    number.map_or("null".to_owned(), |n| n.to_string())
}

fn strings(list: &[String]) -> String {
    list.iter().map(|s| json_string(s)).collect::<Vec<_>>().join(",")
}

/// The text as a JSON string, with its quotes (RFC 8259, section 7).
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", c as u32);
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::json_string;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(json_string("a\"b\\c\nd\u{1}é"), r#""a\"b\\c\nd\u0001é""#);
    }
}
