//! What the call or drop at the end of a block does: the locks it takes, what it waits for, whose
//! code it runs, as this body sees it.
//!
//! Callees of the program are known by their summaries, the lock APIs by name. A closure handed to
//! code that is not of the program counts as called there only where that code is known to call it
//! (`closures`), never where it is boxed, stored or run elsewhere. Anything else does nothing.

use std::sync::Arc;

use super::effect::{Effect, Plan, parameter_bit};
use super::instantiate::{Argument, CALLED, ClosureArgs, Planner};
use crate::cli::user_config::CallEffect;
use crate::lint::apis::closures::{self, ClosureArgument, closure_argument, is_option};
use crate::lint::apis::lazy::{LazyCall, lazy_call};
use crate::lint::apis::locks::{LockCall, Waiting, future_of_lock};
use crate::lint::apis::moves::{drops_elements, is_drop};
use crate::lint::apis::threads::{is_of_scope, is_scope, is_spawn};
use crate::lint::apis::through_traits::{formatted, is_comparison, is_wake};
use crate::lint::apis::waits::{
    Blocking, awaited, blocking_call, is_condvar_wait, is_notify, message_of, sent_through_either,
};
use crate::lint::dataflow::class_of::class_of;
use crate::lint::dataflow::facts::{value, values_of_tuple};
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Call, Called, Operand, Place, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::fields::local_path;
use crate::lint::program::{BodyId, is_parameter};
use crate::lint::summary::fact::Value;
use crate::lint::summary::path::{Part, Path, Pick, Root};
use crate::lint::summary::{
    Acquired, BlockingCall, CallPath, Callback, Foreign, LazyInit, LockUse, Origin, Waiter,
};

/// What the terminator of a block does.
pub(super) fn plan(view: &BodyView<'_, '_>, block: u32) -> Plan {
    let block_info = &view.function.body.blocks[block as usize];
    let mut plan = Plan::default();
    if block_info.cleanup {
        return plan;
    }
    let mut planner = Planner { view, block, plan: &mut plan };
    match &block_info.terminator {
        Terminator::Call(call) => planner.call(call),
        Terminator::Drop(place, _) => planner.drop(place),
        _ => {}
    }
    plan
}

impl<'a> Planner<'_, '_, 'a> {
    fn call(&mut self, call: &Call<'a>) {
        let callee = match &call.called {
            Called::Function(callee) => callee,
            Called::Pointer(place) => return self.pointer_call(place),
        };
        let view = self.view;
        if let Some(lock) = view.program.locks.call(callee) {
            if !lock.is_future {
                self.lock(call, lock);
            }
            return;
        }
        if is_spawn(callee) {
            return self.spawn(call, callee);
        }
        if is_scope(callee) {
            let before = self.plan.effects.len();
            self.outside(call, callee);
            for effect in &mut self.plan.effects[before..] {
                if let Effect::Scoped(scoped) = effect {
                    scoped.has_ended = true;
                }
            }
            return;
        }
        if is_drop(callee) {
            if let Some(Operand::Move(place)) = call.args.first() {
                self.drop(place);
            }
            return;
        }
        if drops_elements(callee) {
            self.drop_elements(call);
        }
        if is_condvar_wait(callee) {
            self.condvar_wait(call, callee);
            return;
        }
        if is_notify(callee) {
            let condvar = call.args.first().map(|arg| view.operand(arg));
            self.plan.effects.extend(condvar.map(Effect::Notify));
            return;
        }
        let first_ty = call.args.first().and_then(|arg| view.operand_type(arg));
        if let Some(what) = blocking_call(callee, first_ty) {
            let on = call.args.first().map(|arg| view.operand(arg));
            if what == Blocking::Join && on.as_ref().is_some_and(|on| self.needs_nothing(on)) {
                return;
            }
            let blocks = BlockingCall {
                what,
                waiter: Waiter::Thread,
                about: sent_through_either(callee).map(Arc::from),
                handle: on.as_ref().and_then(Path::last_field).cloned(),
                chain: vec![self.here()],
                released: 0,
            };
            self.plan.effects.push(Effect::Block(blocks, on));
            if what == Blocking::BlockOn {
                self.future_run_here(call);
            }
        }
        match (callee.trait_name, callee.name()) {
            (Some("Future"), "poll") => return self.poll(call, callee),
            (Some("Fn" | "FnMut" | "FnOnce"), _) => return self.call_value(call, callee),
            (None, "new_debug" | "new_display") if formatted(callee).is_some() => {
                return self.format(call, callee);
            }
            _ => {}
        }
        if let Some(CallEffect::Runs | CallEffect::Keeps) = callee.told {
            return self.outside(call, callee);
        }
        if let Some(id) = view.program.resolve(view.function.unit, callee) {
            let args = &call.args;
            self.lazy_deref(call, callee);
            self.body(id, &|number| arg(view, args, number), true, None);
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
            return self.callback(Path::new(Root::Unknown), Foreign::Waker, Vec::new());
        }
        if is_comparison(callee)
            && let Some(id) = self.comparison(callee)
        {
            let args = &call.args;
            self.body(id, &|number| arg(view, args, number), true, None);
            return;
        }
        self.outside(call, callee);
    }

    /// A thread or task that runs what the call is given.
    fn spawn(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let view = self.view;
        for arg in &call.args {
            let Some(ty) = view.operand_type(arg).filter(|ty| ty.starts_with('{')) else {
                continue;
            };
            if let Some(id) = view.program.closure(view.function.unit, ty) {
                self.started(id, &view.operand(arg));
                if is_of_scope(callee) {
                    self.scoped(id, &view.operand(arg));
                }
            }
        }
    }

    /// What the future does that a call runs to its end on this thread.
    fn future_run_here(&mut self, call: &Call<'a>) {
        let Some(future) = call.args.last() else { return };
        let unit = self.view.function.unit;
        let ty = self.view.operand_type(future).filter(|ty| ty.starts_with('{'));
        if let Some(id) = ty.and_then(|ty| self.view.program.closure(unit, ty)) {
            let path = self.view.operand(future);
            let argument = |number| match number {
                1 => path.clone().into(),
                _ => Argument::unknown(),
            };
            self.body(id, &argument, false, None);
        }
    }

    /// Whether the thread behind a handle is known to take no lock and to wait for nothing.
    fn needs_nothing(&self, handle: &Path) -> bool {
        let Root::Call(block) = handle.root else { return false };
        let blocks = &self.view.function.body.blocks;
        let call = match blocks.get(block as usize).map(|block| &block.terminator) {
            Some(Terminator::Call(call)) if call.callee().is_some_and(is_spawn) => call,
            _ => return false,
        };
        let closure = call.args.last().and_then(|closure| self.view.operand_type(closure));
        let body = closure.and_then(|ty| self.view.program.closure(self.view.function.unit, ty));
        body.and_then(|body| self.view.summary(body)).is_some_and(|summary| {
            summary.acquired.is_empty()
                && summary.blocking.is_empty()
                && summary.callbacks.is_empty()
                && summary.lazy_inits.is_empty()
        })
    }

    /// A lock taken here.
    fn lock(&mut self, call: &Call<'a>, lock: LockCall) {
        let Some(receiver) = call.args.first() else { return };
        let path = self.view.operand(receiver);
        let ty = self.view.operand_type(receiver).map_or("", types::peel);
        let taken = self.take(path, ty, lock);
        if !lock.momentary {
            return;
        }
        // The closure that it is given runs under the lock.
        let before = self.plan.effects.len();
        if let Some(callee) = call.callee() {
            self.outside(call, callee);
        }
        self.plan.effects[before..]
            .iter_mut()
            .for_each(|effect| effect.run_under(std::slice::from_ref(&taken)));
    }

    fn take(&mut self, path: Path, ty: &str, lock: LockCall) -> (LockUse, CallPath) {
        let lock_use = LockUse {
            class: class_of(self.view, &path),
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
                needs: Vec::new(),
            };
            self.plan.effects.push(Effect::Acquire(acquired, Vec::new()));
        }
        if !lock.momentary {
            self.plan.result.push((lock_use.clone(), chain.clone(), Vec::new()));
        }
        (lock_use, chain)
    }

    fn condvar_wait(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let Some(condvar) = call.args.first() else { return };
        let name = callee.name();
        self.plan.effects.push(Effect::Wait {
            condvar: self.view.operand(condvar),
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
        let path = self.view.operand(pinned);
        if let Some(what) = awaited(future) {
            let (waiter, chain) = (Waiter::Task, vec![self.here()]);
            let about = message_of(future).map(Arc::from);
            let handle = path.last_field().cloned();
            let blocks = BlockingCall { what, waiter, about, handle, chain, released: 0 };
            self.plan.effects.push(Effect::Block(blocks, Some(path)));
            return;
        }
        if let Some(inner) = future.strip_prefix("{async fn body of ") {
            let inner = Callee::new(inner.trim_end_matches("()}"));
            if let Some(lock) = self.view.program.locks.call(&inner) {
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
            if let Some(id) = self.view.program.closure(self.view.function.unit, future) {
                self.body(
                    id,
                    &|number| match number {
                        1 => path.clone().into(),
                        _ => Argument::unknown(),
                    },
                    true,
                    None,
                );
            }
        } else if let Some(id) = self.boxed_coroutine(&path) {
            let argument = |number| match number {
                1 => path.clone().into(),
                _ => Argument::unknown(),
            };
            self.body(id, &argument, true, None);
        } else if future.contains("dyn ") || is_parameter(future) {
            self.callback(path, Foreign::Future, Vec::new());
        }
    }

    /// The coroutine behind a boxed future that a function of the program has returned to this body.
    fn boxed_coroutine(&self, future: &Path) -> Option<BodyId> {
        let (Root::Call(block), []) = (&future.root, future.parts.as_slice()) else { return None };
        let blocks = &self.view.function.body.blocks;
        let Terminator::Call(call) = &blocks.get(*block as usize)?.terminator else { return None };
        let id = self.view.program.resolve(self.view.function.unit, call.callee()?)?;
        self.view.program.boxed_coroutine(id)
    }

    /// `f(…)` for a value `f` that is not a plain function.
    fn call_value(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let Some(value) = call.args.first() else { return };
        let path = self.view.operand(value);
        let self_ty = callee.self_ty.unwrap_or("");
        let peeled = types::peel(self_ty);
        if peeled.starts_with("{closure@") {
            let args = self.tuple_arguments(call);
            if let Some(id) = self.view.program.closure(self.view.function.unit, peeled) {
                self.closure_body(id, &path, &args, CALLED);
            }
            return;
        }
        let args = self.tuple_arguments(call);
        if self.known_closure(&path, &args, CALLED) {
            return;
        }
        let what = if peeled.contains("dyn ") { Foreign::TraitObject } else { Foreign::Closure };
        let given = args.iter().map(|argument| argument.value).collect();
        self.callback(path, what, given);
    }

    /// The arguments of a call through `Fn`, which come as one tuple.
    fn tuple_arguments(&self, call: &Call<'a>) -> Vec<Argument> {
        let Some(tuple) = call.args.get(1) else { return Vec::new() };
        let values = values_of_tuple(self.view, tuple);
        let path = self.view.operand(tuple);
        let count = self.view.operand_type(tuple).map_or(0, |ty| types::arguments(ty).len()) as u32;
        let parts = |index| Part::Field { owner: None, variant: Arc::from(""), index };
        let argument = |index| Argument {
            path: self.view.extend(path.clone(), &[parts(index)]),
            value: values.get(index as usize).copied().unwrap_or(Value::Unknown),
        };
        (0..count).map(argument).collect()
    }

    /// A call through a function pointer: known when it comes from a table of constants.
    fn pointer_call(&mut self, pointer: &Place<'a>) {
        let path = self.view.place(pointer);
        if let Root::Static(name) = &path.root {
            let program = self.view.program;
            let unit = self.view.function.unit;
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
            if self.view.leads_to(table) {
                let of_table = self.view.of(table);
                for id in candidates {
                    if let Some(summary) = of_table.summary(id) {
                        self.summary(summary, &|_| Argument::unknown(), false, None);
                    }
                }
            }
            return;
        }
        self.callback(path, Foreign::Pointer, Vec::new());
    }

    fn trait_object(&mut self, call: &Call<'a>, callee: &Callee<'_>, self_ty: &str) {
        let trait_path = types::peel(self_ty).trim_start_matches("dyn ");
        if types::is_library(trait_path) {
            return;
        }
        let program = self.view.program;
        if let Some(name) = callee.trait_name
            && let Some(id) = program.only_impl(self.view.function.unit, name, callee.name())
            && program.functions[id].unit == self.view.function.unit
        {
            let (view, args) = (self.view, &call.args);
            self.body(id, &|number| arg(view, args, number), false, None);
        }
        let receiver = call.args.first().map(|arg| self.view.operand(arg));
        let receiver = receiver.unwrap_or(Path::new(Root::Unknown));
        self.callback(receiver, Foreign::TraitObject, Vec::new());
    }

    fn callback(&mut self, callee: Path, what: Foreign, given: Vec<Value>) {
        self.plan.effects.push(Effect::Callback(Callback {
            callee,
            what,
            chain: vec![self.here()],
            held: Vec::new(),
            released: 0,
            given,
            needs: Vec::new(),
        }));
    }

    /// The `Debug` or `Display` of a value that is being formatted.
    fn format(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let trait_name = if callee.name() == "new_debug" { "Debug" } else { "Display" };
        let Some(ty) = formatted(callee) else { return };
        let call_text = format!("<{ty} as std::fmt::{trait_name}>::fmt");
        let (view, args) = (self.view, &call.args);
        if let Some(id) = view.program.resolve(view.function.unit, &Callee::new(&call_text)) {
            self.body(id, &|number| arg(view, args, number), false, None);
        }
    }

    /// A value that is made on first use. Returns whether the call is one to such a value.
    fn lazy_deref(&mut self, call: &Call<'a>, callee: &Callee<'_>) -> bool {
        let Some(first) = call.args.first() else { return false };
        let Some(how) = lazy_call(callee) else { return false };
        let path = self.view.operand(first);
        self.plan.effects.push(Effect::LazyInit(LazyInit { path, chain: vec![self.here()] }));
        if how == LazyCall::ByArgument {
            self.outside(call, callee);
        }
        true
    }

    fn comparison(&self, callee: &Callee<'_>) -> Option<BodyId> {
        // `a == b` on references goes through an implementation of the library for references.
        let self_ty = types::peel(callee.self_ty?);
        let text = format!("<{self_ty} as std::cmp::{}>::{}", callee.trait_name?, callee.name());
        self.view.program.resolve(self.view.function.unit, &Callee::new(&text))
    }

    /// A call of code outside the program, which may call the closures it is given.
    fn outside(&mut self, call: &Call<'a>, callee: &Callee<'_>) {
        let unit = self.view.function.unit;
        let run = closures::run(callee);
        for closure in run.iter().filter(|ty| ty.starts_with("{closure@")) {
            let Some(id) = self.view.program.closure(unit, closure) else { continue };
            let ty = |arg: &Operand<'a>| self.view.operand_type(arg);
            let given = call.args.iter().position(|arg| ty(arg) == Some(closure));
            let path = match given {
                Some(index) => self.view.operand(&call.args[index]),
                None => match self.view.closure_site(closure) {
                    Some(path) => path,
                    None => continue,
                },
            };
            let holder = given.or_else(|| {
                call.args.iter().position(|arg| ty(arg).is_some_and(|ty| ty.contains(closure)))
            });
            let args = self.closure_arguments(call, callee);
            let before = self.plan.effects.len();
            let at = ClosureArgs {
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
            let Some(ty) = self.view.operand_type(arg) else { continue };
            if !run.contains(&ty) {
                continue;
            }
            let path = self.view.operand(arg);
            if matches!(path.root, Root::Param(_)) && self.is_closure_of_caller(ty) {
                self.callback(path, Foreign::Closure, Vec::new());
            }
        }
    }

    /// Whether values of a type are closures that only the caller knows.
    fn is_closure_of_caller(&self, ty: &str) -> bool {
        let is_named = |ty: &str| ty.chars().all(|c| c.is_alphanumeric() || c == '_');
        let function = self.view.function;
        ty.starts_with("impl Fn")
            || ty.starts_with("impl std::ops::Fn")
            || is_named(ty)
                && self.view.program.closure_parameters(function).iter().any(|name| name == ty)
    }

    /// What the library hands to a closure: what its own first argument holds.
    fn closure_arguments(&self, call: &Call<'a>, callee: &Callee<'_>) -> Vec<Argument> {
        let Some(first) = call.args.first() else { return Vec::new() };
        match closure_argument(callee) {
            Some(ClosureArgument::Content) => vec![self.view.operand(first).into()],
            Some(ClosureArgument::Element) => {
                let mut path = self.view.operand(first);
                path.parts.push(Part::Element(Pick::Any));
                vec![path.into()]
            }
            None => Vec::new(),
        }
    }
}

fn arg<'a>(view: &BodyView<'_, 'a>, args: &[Operand<'a>], number: u32) -> Argument {
    match args.get(number as usize - 1) {
        Some(operand) => Argument { path: view.operand(operand), value: value(view, operand) },
        None => Argument::unknown(),
    }
}
