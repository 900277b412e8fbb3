//! What the call or drop at the end of a block does: the locks it takes, what it waits for, whose
//! code it runs, as this body sees it.
//!
//! Callees of the program are known by their summaries, the lock APIs by name. A closure handed to
//! code that is not of the program counts as called there only where that code is known to call it
//! (`closures`), never where it is boxed, stored or run elsewhere. Anything else does nothing.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::lint::apis::closures::{self, ClosureArgument, closure_argument, is_option};
use crate::lint::apis::lazy::{LazyCall, lazy_call};
use crate::lint::apis::locks::{LockCall, Waiting, future_of_lock};
use crate::lint::apis::moves::{drops_content, is_drop};
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::through_traits::{formatted, is_comparison, is_wake};
use crate::lint::apis::waits::{blocking_call, is_condvar_wait, is_notify};
use crate::lint::dataflow::alias::Frame;
use crate::lint::dataflow::class_of::{class_of, local_path};
use crate::lint::dataflow::guards::Transfer;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{
    Call, Called, Operand, Place, Rvalue, Span, StatementKind, Terminator,
};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, is_parameter};
use crate::lint::summary::path::{Part, Path, Root};
use crate::lint::summary::{
    Acquired, Blocks, Callback, Chain, DEPTH, Forces, Foreign, LIMIT, Location, LockUse, OpenEdge,
    Origin, Summary,
};

/// How deep in the arguments of a dropped value's type another value is looked for.
pub(crate) const DROPPED: u32 = 4;

/// One thing that a call or drop does.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Takes a lock, now or in a callee.
    Acquire(Acquired, Vec<(LockUse, Chain)>),
    /// Waits for something else; the object it waits on, when this body names it.
    Block(Blocks, Option<Path>),
    /// Runs code that is not known here.
    Callback(Callback),
    /// Initialises a value on first use.
    Force(Forces),
    /// Waits on a condition variable.
    Wait {
        /// The condition variable.
        condvar: Path,
        /// Whether it waits for ever.
        forever: bool,
        /// Whether it looks at the predicate itself.
        checks: bool,
        /// The locks that it lets go of meanwhile; whoever knows what is held fills them in.
        mutexes: Vec<LockUse>,
    },
    /// Wakes the waiters of a condition variable.
    Notify(Path),
}

impl Effect {
    /// The parameters whose guards are no longer held by then, as bits, where that is known.
    pub(crate) fn released_mut(&mut self) -> Option<&mut u64> {
        match self {
            Effect::Acquire(Acquired { released, .. }, _)
            | Effect::Block(Blocks { released, .. }, _)
            | Effect::Callback(Callback { released, .. }) => Some(released),
            _ => None,
        }
    }
}

/// The bit that stands for a parameter, by number from one.
pub(crate) fn parameter_bit(number: u32) -> u64 {
    1 << number.min(63)
}

/// Which parameters of what is called hold a closure that runs there, and the closure's arguments.
#[derive(Clone, Copy)]
struct Handed {
    closure: Option<u32>,
    arguments: Option<u32>,
}

/// `FnOnce::call_once(closure, (arguments))`.
const CALLED: Handed = Handed { closure: Some(1), arguments: Some(2) };

/// What one block's terminator does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// In order.
    pub(crate) effects: Vec<Effect>,
    /// The locks whose guards the result holds, and in which field.
    pub(crate) result: Vec<(LockUse, Chain, Vec<u32>)>,
    /// What happens to guards that are handed in.
    pub(crate) transfer: Transfer,
    /// Orders of locks that the callee cannot name.
    pub(crate) open_edges: Vec<OpenEdge>,
}

/// A place in the source as part of a chain.
pub(crate) fn location(frame: &Frame<'_, '_>, span: Span<'_>) -> Location {
    let (file, line, column) =
        span.parts().map_or(("", 0, 0), |(file, line, column, _, _)| (file, line, column));
    let (line, column) = invocation(frame, file, line).unwrap_or((line, column));
    Location {
        function: Arc::from(frame.function.display.as_str()),
        file: Arc::from(file),
        line,
        column,
        is_accessor: frame.program.owns_guard(frame.function.body.locals[0].ty),
    }
}

/// Where the body invokes the macro of its own file that the line belongs to, if it does.
fn invocation(frame: &Frame<'_, '_>, file: &str, line: u32) -> Option<(u32, u32)> {
    let body = &frame.function.body;
    let first = body.span.line();
    if line >= first || body.span.file() != file {
        return None;
    }
    let ends = body.blocks.iter().filter(|block| matches!(block.terminator, Terminator::Return));
    let last = ends.map(|block| block.span.line()).max()?;
    let sources = &frame.program.units[frame.function.unit].sources;
    sources.invocation(file, line, first..=last)
}

/// What the terminator of a block does.
pub(crate) fn plan(frame: &Frame<'_, '_>, block: u32) -> Plan {
    let block_info = &frame.function.body.blocks[block as usize];
    let mut plan = Plan::default();
    if block_info.cleanup {
        return plan;
    }
    let mut planner = Planner { frame, span: block_info.span, plan: &mut plan };
    match &block_info.terminator {
        Terminator::Call(call) => planner.call(call),
        Terminator::Drop(place, _) => planner.drop(place),
        _ => {}
    }
    plan
}

struct Planner<'f, 'p, 'a> {
    frame: &'f Frame<'p, 'a>,
    span: Span<'a>,
    plan: &'f mut Plan,
}

impl<'a> Planner<'_, '_, 'a> {
    fn here(&self) -> Location {
        location(self.frame, self.span)
    }

    fn call(&mut self, call: &Call<'a>) {
        let callee = match &call.called {
            Called::Function(callee) => callee,
            Called::Pointer(place) => return self.pointer_call(place),
        };
        let frame = self.frame;
        if let Some(lock) = frame.program.locks.call(callee) {
            if !lock.is_future {
                self.lock(call, lock);
            }
            return;
        }
        if is_spawn(callee) {
            return;
        }
        if is_drop(callee) {
            if let Some(Operand::Move(place)) = call.args.first() {
                self.drop(place);
            }
            return;
        }
        if is_condvar_wait(callee) {
            self.condvar_wait(call, callee);
            return;
        }
        if is_notify(callee) {
            let condvar = call.args.first().map(|arg| frame.operand(arg));
            self.plan.effects.extend(condvar.map(Effect::Notify));
            return;
        }
        let first_ty = call.args.first().and_then(|arg| frame.operand_type(arg));
        if let Some(what) = blocking_call(callee, first_ty) {
            let on = call.args.first().map(|arg| frame.operand(arg));
            let blocks = Blocks { what, chain: vec![self.here()], released: 0 };
            self.plan.effects.push(Effect::Block(blocks, on));
        }
        match (callee.trait_name, callee.name()) {
            (Some("Future"), "poll") => return self.poll(call, callee),
            (Some("Fn" | "FnMut" | "FnOnce"), _) => return self.call_value(call, callee),
            (None, "new_debug" | "new_display") if formatted(callee).is_some() => {
                return self.format(call, callee);
            }
            _ => {}
        }
        if let Some(id) = frame.program.resolve(frame.function.unit, callee) {
            let args = &call.args;
            self.lazy_deref(call, callee);
            self.body(id, &|number| arg(frame, args, number), true, None);
            return;
        }
        if self.lazy_deref(call, callee) {
            return;
        }
        if let Some(self_ty) = callee.self_ty
            && types::peel(self_ty).starts_with("dyn ")
        {
            return self.trait_object(call, callee, self_ty);
        }
        if is_wake(callee) {
            return self.callback(Path::new(Root::Unknown), Foreign::Waker);
        }
        if is_comparison(callee)
            && let Some(id) = self.comparison(callee)
        {
            let args = &call.args;
            self.body(id, &|number| arg(frame, args, number), true, None);
            return;
        }
        self.outside(call, callee);
    }

    /// A lock taken here.
    fn lock(&mut self, call: &Call<'a>, lock: LockCall) {
        let Some(receiver) = call.args.first() else { return };
        let path = self.frame.operand(receiver);
        let ty = self.frame.operand_type(receiver).map_or("", types::peel);
        self.take(path, ty, lock);
    }

    fn take(&mut self, path: Path, ty: &str, lock: LockCall) {
        let lock_use = LockUse {
            class: class_of(self.frame, &path),
            path,
            ty: Arc::from(ty),
            mode: lock.mode,
            wait: lock.wait,
            is_async: lock.is_async,
            is_nested: lock.is_nested,
            origin: Origin::Taken,
        };
        let chain = vec![self.here()];
        if lock.wait != Waiting::Try {
            let acquired = Acquired {
                lock: lock_use.clone(),
                chain: chain.clone(),
                released: 0,
                dropped: None,
            };
            self.plan.effects.push(Effect::Acquire(acquired, Vec::new()));
        }
        if !lock.momentary {
            self.plan.result.push((lock_use, chain, Vec::new()));
        }
    }

    fn condvar_wait(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let Some(condvar) = call.args.first() else { return };
        let name = callee.name();
        self.plan.effects.push(Effect::Wait {
            condvar: self.frame.operand(condvar),
            forever: !name.contains("timeout")
                && !name.contains("_for")
                && !name.contains("_until"),
            checks: name.contains("while"),
            mutexes: Vec::new(),
        });
    }

    /// A step of a future: of a lock's, or of an async function of the program.
    fn poll(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let Some(future) = callee.self_ty else { return };
        let Some(pinned) = call.args.first() else { return };
        let path = self.frame.operand(pinned);
        if let Some(inner) = future.strip_prefix("{async fn body of ") {
            let inner = Callee::new(inner.trim_end_matches("()}"));
            if let Some(lock) = self.frame.program.locks.call(&inner) {
                let mut path = path;
                if path.parts.last() == Some(&Part::Protected) {
                    path.parts.pop();
                }
                let ty = inner.text.rsplit_once("::").map_or(inner.text, |split| split.0);
                self.take(path, ty, LockCall { is_async: true, ..lock });
                return;
            }
        }
        if let Some((lock, ty)) = future_of_lock(future) {
            let mut path = path;
            if path.parts.last() == Some(&Part::Protected) {
                path.parts.pop();
            }
            self.take(path, ty, lock);
            return;
        }
        if future.starts_with('{') {
            if let Some(id) = self.frame.program.closure(self.frame.function.unit, future) {
                self.body(id, &|number| param_or_unknown(number, 1, &path), true, None);
            }
        } else if future.contains("dyn ") || is_parameter(future) {
            self.callback(path, Foreign::Future);
        }
    }

    /// `f(…)` for a value `f` that is not a plain function.
    fn call_value(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let Some(value) = call.args.first() else { return };
        let path = self.frame.operand(value);
        let self_ty = callee.self_ty.unwrap_or("");
        let peeled = types::peel(self_ty);
        if peeled.starts_with("{closure@") {
            let args = self.tuple_arguments(call);
            if let Some(id) = self.frame.program.closure(self.frame.function.unit, peeled) {
                self.closure_body(id, &path, &args, CALLED);
            }
            return;
        }
        if self.known_closure(&path, &self.tuple_arguments(call), CALLED) {
            return;
        }
        let what = if peeled.contains("dyn ") { Foreign::TraitObject } else { Foreign::Closure };
        self.callback(path, what);
    }

    /// The arguments of a call through `Fn`, which come as one tuple.
    fn tuple_arguments(&self, call: &Call<'a>) -> Vec<Path> {
        let Some(tuple) = call.args.get(1) else { return Vec::new() };
        let path = self.frame.operand(tuple);
        let count =
            self.frame.operand_type(tuple).map_or(0, |ty| types::arguments(ty).len()) as u32;
        let parts = |index| Part::Field { owner: None, variant: Arc::from(""), index };
        (0..count).map(|index| self.frame.extend(path.clone(), &[parts(index)])).collect()
    }

    /// Runs a closure whose value is made in this body, if the path leads to one.
    fn known_closure(&mut self, path: &Path, args: &[Path], at: Handed) -> bool {
        let Root::Aggregate(block, statement) = path.root else { return false };
        let blocks = &self.frame.function.body.blocks;
        let statement = blocks
            .get(block as usize)
            .and_then(|block| block.statements.get(statement as usize))
            .filter(|_| path.parts.is_empty());
        let Some(StatementKind::Assign(_, Rvalue::Aggregate(ty, _))) =
            statement.map(|statement| &statement.kind)
        else {
            return false;
        };
        match self.frame.program.closure(self.frame.function.unit, ty) {
            Some(id) => {
                self.closure_body(id, path, args, at);
                true
            }
            None => false,
        }
    }

    fn closure_body(&mut self, id: BodyId, closure: &Path, args: &[Path], at: Handed) {
        let param = |number: u32| match number {
            1 => closure.clone(),
            _ => args.get(number as usize - 2).cloned().unwrap_or(Path::new(Root::Unknown)),
        };
        let before = self.plan.effects.len();
        self.body(id, &param, false, None);
        for released in self.plan.effects[before..].iter_mut().filter_map(Effect::released_mut) {
            let of = |bits: u64, number: Option<u32>| match (*released & bits, number) {
                (0, _) | (_, None) => 0,
                (_, Some(number)) => parameter_bit(number),
            };
            let captures = parameter_bit(1);
            *released = of(captures, at.closure) | of(!captures, at.arguments);
        }
    }

    /// A call through a function pointer: known when it comes from a table of constants.
    fn pointer_call(&mut self, pointer: &Place<'a>) {
        let path = self.frame.place(pointer);
        if let Root::Static(name) = &path.root {
            let program = self.frame.program;
            let unit = self.frame.function.unit;
            let local = local_path(name);
            let Some(table) = program.constant(unit, local) else { return };
            let mut candidates = Vec::new();
            for block in &program.functions[table].body.blocks {
                for statement in &block.statements {
                    if let StatementKind::Assign(_, Rvalue::Cast(Operand::Const(text), how)) =
                        &statement.kind
                        && how.contains("ReifyFnPointer")
                    {
                        candidates.extend(program.resolve(unit, &Callee::new(text)));
                    }
                }
            }
            // The table announces them, and this body leads to the table.
            if self.frame.leads_to(table) {
                let of_table = self.frame.of(table);
                for id in candidates {
                    if let Some(summary) = of_table.summary(id) {
                        self.summary(summary, &|_| Path::new(Root::Unknown), false, None);
                    }
                }
            }
            return;
        }
        self.callback(path, Foreign::Pointer);
    }

    fn trait_object(&mut self, call: &Call<'a>, callee: &Callee<'_>, self_ty: &str) {
        let trait_path = types::peel(self_ty).trim_start_matches("dyn ");
        if types::is_library(trait_path) {
            return;
        }
        let program = self.frame.program;
        if let Some(name) = callee.trait_name
            && let Some(id) = program.only_impl(name, callee.name())
            && program.functions[id].unit == self.frame.function.unit
        {
            let (frame, args) = (self.frame, &call.args);
            self.body(id, &|number| arg(frame, args, number), false, None);
        }
        let receiver = call.args.first().map(|arg| self.frame.operand(arg));
        self.callback(receiver.unwrap_or(Path::new(Root::Unknown)), Foreign::TraitObject);
    }

    fn callback(&mut self, callee: Path, what: Foreign) {
        self.plan.effects.push(Effect::Callback(Callback {
            callee,
            what,
            chain: vec![self.here()],
            held: Vec::new(),
            released: 0,
        }));
    }

    /// The `Debug` or `Display` of a value that is being formatted.
    fn format(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let trait_name = if callee.name() == "new_debug" { "Debug" } else { "Display" };
        let Some(ty) = formatted(callee) else { return };
        let call_text = format!("<{ty} as std::fmt::{trait_name}>::fmt");
        let (frame, args) = (self.frame, &call.args);
        if let Some(id) = frame.program.resolve(frame.function.unit, &Callee::new(&call_text)) {
            self.body(id, &|number| arg(frame, args, number), false, None);
        }
    }

    /// A value that is made on first use. Returns whether the call is one to such a value.
    fn lazy_deref(&mut self, call: &Call<'a>, callee: &Callee<'_>) -> bool {
        let Some(first) = call.args.first() else { return false };
        let Some(how) = lazy_call(callee) else { return false };
        let path = self.frame.operand(first);
        self.plan.effects.push(Effect::Force(Forces { path, chain: vec![self.here()] }));
        if how == LazyCall::ByArgument {
            self.outside(call, callee);
        }
        true
    }

    fn comparison(&self, callee: &Callee<'_>) -> Option<BodyId> {
        // `a == b` on references goes through an implementation of the library for references.
        let self_ty = types::peel(callee.self_ty?);
        let text = format!("<{self_ty} as std::cmp::{}>::{}", callee.trait_name?, callee.name());
        self.frame.program.resolve(self.frame.function.unit, &Callee::new(&text))
    }

    /// A call of code outside the program, which may call the closures it is given.
    fn outside(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let unit = self.frame.function.unit;
        let run = closures::run(callee);
        for closure in run.iter().filter(|ty| ty.starts_with("{closure@")) {
            let Some(id) = self.frame.program.closure(unit, closure) else { continue };
            let ty = |arg: &Operand<'a>| self.frame.operand_type(arg);
            let given = call.args.iter().position(|arg| ty(arg) == Some(closure));
            let path = match given {
                Some(index) => self.frame.operand(&call.args[index]),
                None => match self.frame.closure_site(closure) {
                    Some(path) => path,
                    None => continue,
                },
            };
            let holder = given.or_else(|| {
                call.args.iter().position(|arg| ty(arg).is_some_and(|ty| ty.contains(closure)))
            });
            let args = self.closure_arguments(call, callee);
            let before = self.plan.effects.len();
            let at = Handed {
                closure: holder.map(|index| index as u32 + 1),
                arguments: is_option(callee).then_some(1),
            };
            self.closure_body(id, &path, &args, at);
            if closures::run_on_nothing(callee) {
                // The closure runs when the option is empty: no guard is in it then.
                let effects = self.plan.effects[before..].iter_mut();
                effects.filter_map(Effect::released_mut).for_each(|bits| *bits |= parameter_bit(1));
            }
        }
        for arg in &call.args {
            let Some(ty) = self.frame.operand_type(arg) else { continue };
            if !run.contains(&ty) {
                continue;
            }
            let path = self.frame.operand(arg);
            if matches!(path.root, Root::Param(_)) && self.is_closure_of_caller(ty) {
                self.callback(path, Foreign::Closure);
            }
        }
    }

    /// Whether values of a type are closures that only the caller knows.
    fn is_closure_of_caller(&self, ty: &str) -> bool {
        let is_named = |ty: &str| ty.chars().all(|c| c.is_alphanumeric() || c == '_');
        let function = self.frame.function;
        ty.starts_with("impl Fn")
            || ty.starts_with("impl std::ops::Fn")
            || is_named(ty)
                && self.frame.program.closure_parameters(function).iter().any(|name| name == ty)
    }

    /// What the library hands to a closure: what its own first argument holds.
    fn closure_arguments(&self, call: &Call<'a>, callee: &Callee<'_>) -> Vec<Path> {
        let Some(first) = call.args.first() else { return Vec::new() };
        match closure_argument(callee) {
            Some(ClosureArgument::Content) => vec![self.frame.operand(first)],
            Some(ClosureArgument::Element) => {
                let mut path = self.frame.operand(first);
                path.parts.push(Part::Element);
                vec![path]
            }
            None => Vec::new(),
        }
    }

    /// The `Drop` of a value and of what it owns.
    fn drop(&mut self, place: &Place<'a>) {
        let frame = self.frame;
        if !frame.program.has_drops() {
            return;
        }
        let ty = frame.type_of(place);
        let mut found = Vec::new();
        drop_bodies(frame, ty, frame.place(place), &mut found, DROPPED);
        for (id, path, ty) in found {
            self.body(id, &|number| param_or_unknown(number, 1, &path), false, Some(&ty));
        }
    }

    /// What a body of the program does, with its parameters as they are here.
    fn body(
        &mut self,
        id: BodyId,
        param: &dyn Fn(u32) -> Path,
        returns: bool,
        dropped: Option<&Arc<str>>,
    ) {
        if let Some(summary) = self.frame.summary(id) {
            self.summary(summary, param, returns, dropped);
        }
    }

    fn summary(
        &mut self,
        summary: &Summary,
        param: &dyn Fn(u32) -> Path,
        returns: bool,
        dropped: Option<&Arc<str>>,
    ) {
        let frame = self.frame;
        let here = OnceCell::new();
        let span = self.span;
        let longer = |chain: &Chain| {
            let mut longer = Vec::with_capacity(chain.len() + 1);
            longer.push(here.get_or_init(|| location(frame, span)).clone());
            longer.extend_from_slice(chain);
            longer
        };
        let rebase = |lock: &LockUse| {
            let path = frame.substitute_with(&lock.path, param);
            let class = lock.class.clone().or_else(|| class_of(frame, &path));
            LockUse { path, class, ..lock.clone() }
        };
        for acquired in &summary.acquired {
            if acquired.chain.len() >= DEPTH || self.plan.effects.len() >= LIMIT {
                continue;
            }
            let acquired = Acquired {
                lock: rebase(&acquired.lock),
                chain: longer(&acquired.chain),
                released: acquired.released,
                dropped: dropped.cloned().or_else(|| acquired.dropped.clone()),
            };
            self.plan.effects.push(Effect::Acquire(acquired, Vec::new()));
        }
        for blocks in &summary.blocks {
            if blocks.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let blocks = Blocks { chain: longer(&blocks.chain), ..blocks.clone() };
                self.plan.effects.push(Effect::Block(blocks, None));
            }
        }
        for forces in &summary.forces {
            if forces.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let path = frame.substitute_with(&forces.path, param);
                let chain = longer(&forces.chain);
                self.plan.effects.push(Effect::Force(Forces { path, chain }));
            }
        }
        for callback in &summary.callbacks {
            if callback.chain.len() < DEPTH && self.plan.effects.len() < LIMIT {
                let callee = frame.substitute_with(&callback.callee, param);
                let closure = match callback.callee.root {
                    Root::Param(number) => Some(number),
                    _ => None,
                };
                let held: Vec<(LockUse, Chain)> = callback
                    .held
                    .iter()
                    .map(|(lock, chain)| (rebase(lock), longer(chain)))
                    .collect();
                let callback = Callback {
                    callee,
                    what: callback.what,
                    chain: longer(&callback.chain),
                    held,
                    released: callback.released,
                };
                self.run_callback(callback, Handed { closure, arguments: None });
            }
        }
        for edge in &summary.open_edges {
            let held = (rebase(&edge.held.0), longer(&edge.held.1));
            let asked = (rebase(&edge.asked.0), longer(&edge.asked.1));
            self.plan.open_edges.push(OpenEdge { held, asked });
        }
        if returns {
            self.plan.result.extend(
                summary
                    .guards
                    .iter()
                    .map(|(lock, chain, fields)| (rebase(lock), longer(chain), fields.clone())),
            );
            self.plan.transfer.passed = Some(summary.passed_guards.clone());
        }
    }

    /// A callee calls what it was given: a closure of this body, or again something unknown.
    fn run_callback(&mut self, callback: Callback, at: Handed) {
        let before = self.plan.effects.len();
        if !self.known_closure(&callback.callee, &[], at) {
            self.plan.effects.push(Effect::Callback(callback));
            return;
        }
        // What the callee holds while it calls comes on top of what is held here.
        for effect in &mut self.plan.effects[before..] {
            if let Some(released) = effect.released_mut() {
                *released |= callback.released;
            }
            match effect {
                Effect::Acquire(_, extra) => extra.extend(callback.held.iter().cloned()),
                Effect::Callback(inner) => inner.held.extend(callback.held.iter().cloned()),
                _ => {}
            }
        }
    }
}

fn arg<'a>(frame: &Frame<'_, 'a>, args: &[Operand<'a>], number: u32) -> Path {
    match args.get(number as usize - 1) {
        Some(operand) => frame.operand(operand),
        None => Path::new(Root::Unknown),
    }
}

fn param_or_unknown(number: u32, wanted: u32, path: &Path) -> Path {
    if number == wanted { path.clone() } else { Path::new(Root::Unknown) }
}

/// The bodies that dropping a value of a type runs, with the objects they run on.
fn drop_bodies(
    frame: &Frame<'_, '_>,
    ty: &str,
    path: Path,
    found: &mut Vec<(BodyId, Path, Arc<str>)>,
    depth: u32,
) {
    // The last handle of a shared value may be any one: nothing is certain about it.
    if depth == 0
        || types::is_reference(ty)
        || !drops_content(ty)
        || frame.program.locks.is_guard(types::head(ty))
    {
        return;
    }
    if let Some(id) = frame.program.drop_of(frame.function.unit, ty) {
        found.push((id, path, Arc::from(types::short(ty))));
        return;
    }
    if types::is_library(ty) || ty.starts_with(['(', '[']) {
        for argument in types::arguments(ty) {
            let mut inner = path.clone();
            inner.parts.push(Part::Element);
            drop_bodies(frame, argument, inner, found, depth - 1);
        }
    }
}
