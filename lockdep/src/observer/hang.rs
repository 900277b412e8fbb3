//! The findings about threads that hang, or retry for ever: made when that begins. What hangs is decided
//! elsewhere, in `waits` and by the caller of the hooks; here it gets a rule and a sentence.

use std::sync::Arc;

use crate::finding::{Rule, Tier};
use crate::model::finding::{Finding, FoundEdge, WaitFor, awaited};
use crate::model::held::HeldLock;
use crate::model::ids::LockId;
use crate::model::lock::{Mode, Site};
use crate::model::stack::FoundStack;
use crate::observer::Observer;
use crate::observer::facts::{Doing, Orphan, Request, StuckThread};
use crate::observer::parts::{list, signature, site_number};

impl Observer {
    /// Reports a thread that asks for a lock which it holds itself. Returns the finding if it would hang.
    pub(crate) fn relock(
        &mut self,
        request: &Request<'_>,
        first: &HeldLock,
    ) -> Option<Arc<Finding>> {
        let (sign, finding) = self.relocks(request, first)?;
        let hangs = finding.rule != Rule::RecursiveRead;
        Some(self.report(sign, finding)).filter(|_| hangs)
    }

    /// That finding, not yet reported; `None` for readers of which it was reported before.
    pub(super) fn relocks(
        &mut self,
        request: &Request<'_>,
        first: &HeldLock,
    ) -> Option<(u64, Finding)> {
        let shared = !Mode::conflicts(first.word.mode(), request.word.mode());
        let lock = self.lock(request.word.lock());
        let thread = self.thread(request.at.thread);
        let once = matches!(lock.kind, "Once" | "OnceLock" | "LazyLock");
        let (rule, tier, template) = if shared {
            let text = format!(
                "{thread} reads {{0}} again while it reads it: a writer that queues in between \
                 makes both wait for ever"
            );
            (Rule::RecursiveRead, Tier::Potential, text)
        } else if once {
            let text = format!("the initialiser of {{0}} needs {{0}} itself, in {thread}");
            (Rule::InitCycle, Tier::Happened, text)
        } else {
            let text = match (first.word.mode(), request.word.mode()) {
                (Mode::Read | Mode::RecursiveRead, _) => {
                    format!("{thread} asks to write {{0}} while it still reads it")
                }
                (Mode::Write, Mode::Read | Mode::RecursiveRead | Mode::Upgradable) => {
                    format!("{thread} asks to read {{0}} while it still writes it")
                }
                (Mode::Upgradable, Mode::Write) => {
                    format!("{thread} asks to write {{0}} while it still has an upgradable read")
                }
                (Mode::Upgradable, Mode::Upgradable) => {
                    format!("{thread} asks for a second upgradable read of {{0}}")
                }
                _ => format!("{thread} locks {{0}} again while it still holds it"),
            };
            (Rule::DoubleLock, Tier::Happened, text)
        };
        let sites = [site_number(first.site), site_number(request.site)];
        let sign = signature(rule, sites);
        if shared && self.reported.contains_key(&sign) {
            return None;
        }
        let stack = match self.config.stacks {
            true => FoundStack::capture(),
            false => FoundStack::default(),
        };
        let depth = request.held.iter().position(|held| std::ptr::eq(held, first));
        let from_stack = depth.map_or(FoundStack::default(), |depth| request.acquired_with(depth));
        self.trace_thread(request.at.thread);
        let mut finding = Finding::new(rule, tier, template);
        finding.locks.push(lock);
        finding.edges.push(FoundEdge {
            from: 0,
            to: 0,
            thread,
            from_mode: first.word.mode(),
            to_mode: request.word.mode(),
            from_site: first.site,
            to_site: request.site,
            guards: Vec::new(),
            from_stack,
            stack,
        });
        Some((sign, finding))
    }

    /// Reports a thread that waits for a lock which it has acquired itself and whose guard may have been
    /// sent away, when no thread is left that could drop the guard.
    pub(crate) fn never_released(&mut self, me: &StuckThread, first: &HeldLock) -> Arc<Finding> {
        let name = self.thread(me.thread);
        let text = format!(
            "{name} waits for {{0}}, which it has acquired itself, and no thread is left to release it"
        );
        let (mut finding, ..) = self.ring(Rule::DoubleLock, std::slice::from_ref(me));
        finding.template = text;
        finding.edges.clear();
        finding.sites.insert(0, (first.site, "acquired here, and never released"));
        self.report(
            signature(Rule::DoubleLock, [site_number(first.site), site_number(me.site)]),
            finding,
        )
    }

    /// Reports threads that wait for each other.
    pub(crate) fn deadlock(&mut self, threads: &[StuckThread]) -> Arc<Finding> {
        // Alone a thread waits for permits of which it has too many itself.
        let rule = if threads.len() == 1 { Rule::DoubleLock } else { Rule::Deadlock };
        let (mut finding, who, names) = self.ring(rule, threads);
        finding.template = if threads.len() == 1 {
            format!("{who} waits for more permits of {names} than it has left to others")
        } else if names.is_empty() {
            format!("{who} wait for each other to end")
        } else {
            format!("{who} wait for each other over {names}")
        };
        let sites = threads.iter().map(|t| site_number(t.site));
        self.report(signature(rule, sites), finding)
    }

    /// Reports threads that keep failing on each other's locks, the first one `rounds` times in a row.
    /// `None` if that was reported before.
    pub(crate) fn livelock(
        &mut self,
        threads: &[StuckThread],
        rounds: u64,
    ) -> Option<Arc<Finding>> {
        let mut sites: Vec<u64> = threads.iter().map(|t| site_number(t.site)).collect();
        sites.sort_unstable();
        let sign = signature(Rule::Livelock, sites);
        if self.reported.contains_key(&sign) {
            return None;
        }
        let (mut finding, who, names) = self.ring(Rule::Livelock, threads);
        finding.template = if threads.iter().all(|t| matches!(t.doing, Doing::Retries(_))) {
            format!(
                "{who} keep failing on each other's locks, {names}: {rounds} rounds without \
                 progress; each should wait for a random time before it tries again, or all \
                 should block for the locks in one order"
            )
        } else {
            format!(
                "{who} wait for each other over {names}, which has been tried {rounds} times in \
                 vain; whoever holds it must release it before waiting"
            )
        };
        Some(self.report(sign, finding))
    }

    /// A finding about threads of which each needs what the next one has, without its sentence; with the
    /// names of the threads and of the locks as lists.
    fn ring(&mut self, rule: Rule, threads: &[StuckThread]) -> (Finding, String, String) {
        let mut finding = Finding::new(rule, Tier::Happened, String::new());
        let mut index: Vec<LockId> = Vec::new();
        for thread in threads {
            self.trace_thread(thread.thread);
            let lock = thread.lock().map(|word| word.lock());
            index.extend(lock.filter(|lock| !index.contains(lock)));
        }
        let at = |lock: LockId| index.iter().position(|&l| l == lock);
        finding.locks = index.iter().map(|&l| self.lock(l)).collect();
        for (i, thread) in threads.iter().enumerate() {
            let who = self.thread(thread.thread);
            let before = &threads[(i + threads.len() - 1) % threads.len()];
            // What the thread before waits for is what this one holds.
            let held =
                before.lock().and_then(|w| thread.held.iter().find(|h| h.word.lock() == w.lock()));
            if let (Some(held), Some(word)) = (held, thread.lock()) {
                let stacks = self.stacks_between(thread.thread, held.site, thread.site);
                finding.edges.push(FoundEdge {
                    from: at(held.word.lock()).unwrap_or(0),
                    to: at(word.lock()).unwrap_or(0),
                    thread: who.clone(),
                    from_mode: held.word.mode(),
                    to_mode: word.mode(),
                    from_site: held.site,
                    to_site: thread.site,
                    guards: Vec::new(),
                    from_stack: stacks.from,
                    stack: stacks.to,
                });
            }
            finding.waits.push(thread.found(who, thread.lock().and_then(|w| at(w.lock()))));
            finding.sites.push((thread.site, thread.label()));
        }
        let who: Vec<String> = finding.waits.iter().map(|w| w.thread.to_string()).collect();
        let names: Vec<String> = (0..index.len()).map(|i| format!("{{{i}}}")).collect();
        (finding, list(&who), list(&names))
    }

    /// Reports that every thread of the process waits; `cycle` is a cycle among them.
    pub(crate) fn report_global_deadlock(
        &mut self,
        threads: &[StuckThread],
        cycle: Option<&[StuckThread]>,
    ) -> Arc<Finding> {
        // After a hang that a panic has ended, what is left waiting follows from that hang.
        if !self.hung {
            if let Some((thread, own)) = threads.iter().find_map(|t| Some((t, self.own_bar(t)?))) {
                return self.never_released(thread, &own);
            }
            let abandoned = |t: &StuckThread| {
                let bars = |orphan: &&Orphan| t.lock().is_some_and(|w| orphan.held.bars(w));
                self.abandoned.iter().find(bars).cloned()
            };
            if let Some((thread, orphan)) = threads.iter().find_map(|t| Some((t, abandoned(t)?))) {
                return self.orphaned(thread, &orphan);
            }
            if let Some(cycle) = cycle {
                return self.deadlock(cycle);
            }
        }
        self.stuck(threads)
    }

    /// The thread's own hold, of a lock with sendable guards, that keeps the thread waiting. A thread that
    /// upgrades waits for the holds of others, not for its own.
    fn own_bar(&self, thread: &StuckThread) -> Option<HeldLock> {
        let asked = thread.lock().filter(|asked| self.is_sendable(asked.lock()))?;
        let upgrades =
            |h: &HeldLock| (h.word.mode(), asked.mode()) == (Mode::Upgradable, Mode::Write);
        thread.held.iter().find(|h| h.bars(asked) && !upgrades(h)).copied()
    }

    /// Reports threads that wait for events which no thread can complete.
    fn stuck(&mut self, threads: &[StuckThread]) -> Arc<Finding> {
        // The cause may be the thread that waits for an event while it holds what another needs.
        let needed =
            |lock: LockId| threads.iter().any(|t| t.lock().is_some_and(|w| w.lock() == lock));
        let holder = threads
            .iter()
            .find(|t| t.kind() != WaitFor::Lock && t.held.iter().any(|h| needed(h.word.lock())));
        let (rule, who) = match holder {
            Some(holder) => (Rule::WaitWhileHolding, holder),
            None => {
                let event =
                    threads.iter().find(|t| t.kind() == WaitFor::Event).unwrap_or(&threads[0]);
                (Rule::StuckWait, event)
            }
        };
        let mut finding = Finding::new(rule, Tier::Happened, String::new());
        let name = self.thread(who.thread);
        let held = who.held.iter().find(|h| needed(h.word.lock())).filter(|_| holder.is_some());
        if let Some(held) = held {
            finding.locks.push(self.lock(held.word.lock()));
            finding.sites.push((held.site, "acquired here, and held during the wait"));
        }
        let event = match who.object() {
            Some(event) => {
                let event = self.lock(event);
                let kind = event.kind;
                finding.locks.push(event);
                awaited(kind, &format!("{{{}}}", finding.locks.len() - 1))
            }
            None => match who.kind() {
                WaitFor::Task => "a task to end".to_owned(),
                WaitFor::Join => "a thread to end".to_owned(),
                WaitFor::Lock | WaitFor::Event => "an unpark".to_owned(),
            },
        };
        finding.template = match held {
            Some(_) => format!(
                "{name} waits for {event} while it holds {{0}}, which another thread needs \
                 first: none can go on"
            ),
            None => format!("{name} waits for {event}, and no thread is left to bring that about"),
        };
        for thread in threads {
            self.trace_thread(thread.thread);
            let awaited = thread.object();
            let lock = awaited.map(|lock| {
                let known = finding.locks.iter().position(|l| l.instance == lock);
                known.unwrap_or_else(|| {
                    finding.locks.push(self.lock(lock));
                    finding.locks.len() - 1
                })
            });
            finding.sites.push((thread.site, thread.label()));
            finding.waits.push(thread.found(self.thread(thread.thread), lock));
        }
        if self.hung {
            // It follows from the hang that was reported.
            return Arc::new(finding);
        }
        let sites = threads.iter().map(|t| site_number(t.site));
        self.report(signature(rule, sites), finding)
    }

    /// Reports a task that waits for a lock which was given to another future of its own, one that asked for it
    /// at `given` and that the task polls no more.
    pub(crate) fn futurelock(&mut self, me: &StuckThread, given: Site) -> Arc<Finding> {
        let found = self.thread(me.thread);
        self.trace_thread(me.thread);
        let mut finding = Finding::new(
            Rule::Futurelock,
            Tier::Happened,
            format!(
                "{found} waits for {{0}}, which was given to another future of its own that it polls no \
                 more"
            ),
        );
        finding.locks.extend(me.lock().map(|word| self.lock(word.lock())));
        finding.sites.push((given, "the future that was given the lock asked for it here"));
        finding.sites.push((me.site, me.label()));
        finding.waits.push(me.found(found, Some(0)));
        self.report(signature(Rule::Futurelock, [given, me.site].map(site_number)), finding)
    }

    /// Reports a thread that waits for a lock which another thread held when it ended.
    pub(crate) fn orphaned(&mut self, me: &StuckThread, orphan: &Orphan) -> Arc<Finding> {
        let found = self.thread(me.thread);
        self.trace_thread(me.thread);
        let mut finding = Finding::new(
            Rule::OrphanedLock,
            Tier::Happened,
            format!("{found} waits for {{0}}, which {} held when it ended", orphan.thread),
        );
        finding.locks.push(self.lock(orphan.held.word.lock()));
        finding.sites.push((orphan.held.site, "acquired here, and never released"));
        finding.sites.push((me.site, me.label()));
        finding.waits.push(me.found(found, Some(0)));
        let sign =
            signature(Rule::OrphanedLock, [site_number(orphan.held.site), site_number(me.site)]);
        self.report(sign, finding)
    }
}
