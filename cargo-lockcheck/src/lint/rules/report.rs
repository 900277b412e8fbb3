//! The parts that findings are made of: places, locks, why a guard is still alive, what to do.

use lockdep::finding::{Rule, Tier};

use super::suggest;
use crate::lint::apis::locks::is_watched;
use crate::lint::dataflow::class_of::declaration;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::events::{Event, HeldLock};
use crate::lint::mir::model::Span;
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::{CallPath, Location, LockUse, innermost};
use crate::report::model::{Edge, Finding, Lock, Place, Site, Suggestion};

pub(crate) fn site(location: &Location, label: impl Into<String>) -> Site {
    Site { place: Place::from(location), label: label.into() }
}

/// A lock's name for a reader.
pub(crate) fn name(lock: &LockUse) -> String {
    match &lock.class {
        Some(class) => class.name.to_string(),
        None => format!("a `{}`", types::short(&lock.ty)),
    }
}

/// A lock's name for a reader, in code quotes where it is a name of the program.
pub(crate) fn quoted(lock: &LockUse) -> String {
    match &lock.class {
        Some(class) => format!("`{}`", class.name),
        None => name(lock),
    }
}

/// A lock as reports have it.
pub(crate) fn lock(analyzed: &Analyzed<'_, '_>, id: BodyId, lock: &LockUse) -> Lock {
    let class = lock.class.as_ref();
    let created = class.and_then(|class| {
        declaration(analyzed.program, analyzed.program.functions[id].unit, class)
    });
    Lock {
        name: name(lock),
        kind: types::short(&lock.ty).to_owned(),
        ty: String::new(),
        created: created.unwrap_or_default(),
        unwatched: !is_watched(types::head(&lock.ty)),
    }
}

/// Where a chain of calls goes, a site for each call and one for its end.
pub(crate) fn chain_sites(chain: &CallPath, end: &str) -> Vec<Site> {
    let count = chain.len();
    let sites = chain.iter().enumerate().flat_map(|(index, location)| {
        let here = if index + 1 == count {
            site(location, end)
        } else {
            site(location, format!("calls `{}`", chain[index + 1].function))
        };
        std::iter::once(here).chain(site_in_macro(location))
    });
    sites.collect()
}

/// The line of the macro that a place invokes.
pub(crate) fn site_in_macro(location: &Location) -> Option<Site> {
    let place = Place::from(location.macro_place.as_ref()?);
    Some(Site { place, label: "by this line of the macro".to_owned() })
}

/// The frames of a chain of calls, innermost first.
pub(crate) fn stack(chain: &CallPath) -> Vec<String> {
    chain
        .iter()
        .rev()
        .map(|at| format!("{} at {}:{}:{}", at.function, at.file, at.line, at.column))
        .collect()
}

/// Who asks for which lock while holding which.
pub(crate) fn edge(
    from: (usize, &LockUse, &CallPath),
    to: (usize, &LockUse, &CallPath),
    function: &str,
) -> Edge {
    let end = |chain: &CallPath| innermost(chain).map(Place::from).unwrap_or_default();
    Edge {
        from: from.0,
        to: to.0,
        thread: function.to_owned(),
        process: None,
        function: innermost(to.2).map(|at| at.function.to_string()),
        from_mode: from.1.mode,
        to_mode: to.1.mode,
        from_site: end(from.2),
        to_site: end(to.2),
        stack: stack(to.2),
        from_stack: stack(from.2),
    }
}

/// Why the guard of a held lock is still alive.
pub(crate) fn why_alive(analyzed: &Analyzed<'_, '_>, id: BodyId, held: &HeldLock) -> String {
    let lock = quoted(&held.lock);
    let Some(first) = held.chain.first() else { return format!("{lock} is held") };
    let accessor = match held.chain.get(1) {
        Some(next) => format!(", returned by `{}`,", next.function),
        None => String::new(),
    };
    if held.lock.is_handed_in() {
        return "the guard is a parameter of this function".to_owned();
    }
    if let Some(holder) = &held.holder {
        let how = if first.line > 0 { format!(" (line {})", first.line) } else { String::new() };
        return format!(
            "the guard of {lock}{accessor} is kept in `{holder}`{how} and not dropped on this path"
        );
    }
    match statement(analyzed, id, first) {
        Some(keyword) => format!(
            "the guard of {lock}{accessor} is a temporary of the `{keyword}` on line {}, which \
             keeps it to the end of its blocks",
            first.line
        ),
        None => format!(
            "the guard of {lock}{accessor} is a temporary of the statement on line {}, which keeps \
             it to the end of the statement",
            first.line
        ),
    }
}

/// How to let the guard go earlier. Where `edit` is not sure to compile, what needs the guard must be taken
/// out of it first.
pub(crate) fn let_go(held: &HeldLock, before: &Location, edit: Option<&Suggestion>) -> String {
    match (&held.holder, held.chain.first()) {
        (Some(holder), _) if edit.is_some() => format!(
            "drop the guard first: `drop({holder});` before line {}, or end its scope there",
            before.line
        ),
        (Some(holder), _) => format!(
            "end the guard `{holder}` before line {}: take what is needed of it from there on, such as a \
             copy, in a block that ends with the guard",
            before.line
        ),
        (None, Some(first)) if edit.is_none() => format!(
            "take what is needed under the lock as a value that borrows nothing, such as a copy, in a \
             `let` of its own before line {}, so that the guard is dropped at the end of that `let`",
            first.line
        ),
        (None, Some(first)) => format!(
            "bind what is read under the lock to a variable in a `let` of its own before line {}, \
             so that the guard is dropped at the end of that `let`",
            first.line
        ),
        (None, None) => "drop the guard first".to_owned(),
    }
}

/// The edit that lets the guard go before what happens at `before`, if it compiles for sure.
pub(crate) fn edit(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    held: &HeldLock,
    before: &Location,
) -> Option<Suggestion> {
    let view = analyzed.view(id);
    let body = &view.function.body;
    let taken = held.chain.first().filter(|taken| taken.file == before.file)?;
    let unit = &analyzed.program.units[analyzed.program.functions[id].unit];
    let file = unit.sources.file(&before.file)?;
    let holds_no_reference = |ty: &str| {
        !["&", "*", "'", "dyn ", "impl ", "{"].iter().any(|reference| ty.contains(reference))
            && !analyzed.program.owns_guard(ty)
    };
    let Some(name) = held.holder.as_deref() else {
        let is_free = |line: u32, column: u32| {
            let at_method = |span: Span<'_>| {
                span.parts()
                    .is_some_and(|(of, l, c, ..)| of == &*before.file && (l, c) == (line, column))
            };
            let mut calls =
                body.calls().filter(|(at, _)| at_method(body.blocks[*at as usize].span));
            let given = calls.next().map(|(_, call)| view.type_of(&call.dest));
            given.is_some_and(holds_no_reference) && calls.next().is_none()
        };
        return suggest::bind_before(
            file.text(),
            &Place::from(taken),
            &Place::from(before),
            &is_free,
        );
    };
    let mut named = body.names.iter().filter(|(known, _)| *known == name);
    let ((_, kept), None) = (named.next()?, named.next()) else { return None };
    let ty = types::head(view.type_of(kept));
    // An entry of a map has methods that take it.
    if !analyzed.program.locks.is_guard(ty) || ty.contains("dashmap") {
        return None;
    }
    let is_parameter = |local: u32| (1..=body.params as u32).contains(&local);
    let is_owned = |name: &str| {
        let mut places = body.names.iter().filter(|(known, _)| *known == name);
        places.all(|(_, place)| {
            is_parameter(place.local) && view.coroutine().is_none()
                || holds_no_reference(view.type_of(place))
        })
    };
    let others: Vec<&str> = body.names.iter().map(|(name, _)| *name).collect();
    let owned: Vec<&str> = others.iter().copied().filter(|name| is_owned(name)).collect();
    let guard = suggest::Guard { name, taken: &Place::from(taken), owned: &owned, others: &others };
    suggest::drop_before(file.text(), &guard, &Place::from(before))
}

/// The statement that keeps its temporaries while its blocks run, if the line begins one.
fn statement(analyzed: &Analyzed<'_, '_>, id: BodyId, at: &Location) -> Option<&'static str> {
    let unit = &analyzed.program.units[analyzed.program.functions[id].unit];
    let file = unit.sources.file(&at.file)?;
    let line = file.line(at.line)?;
    ["match ", "if let ", "while let ", "for "]
        .into_iter()
        .find(|keyword| line.find(keyword).is_some_and(|found| (found as u32) < at.column))
        .map(str::trim_end)
}

/// A finding about one event in a body.
pub(crate) fn finding(rule: Rule, message: String, locks: Vec<Lock>, sites: Vec<Site>) -> Finding {
    Finding { locks, sites, ..Finding::new(rule, Tier::Potential, message) }
}

/// The locks that are really held at an event: those of an earlier round of a loop are too.
pub(crate) fn held(event: &Event) -> impl Iterator<Item = &HeldLock> {
    event.held.iter()
}

/// A finding about what happens under a held lock, at the end of a chain of calls.
#[expect(clippy::too_many_arguments, reason = "the parts of one sentence and its places")]
pub(super) fn under(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    rule: Rule,
    message: String,
    held: &HeldLock,
    event: &Event,
    chain: &CallPath,
    end: &str,
) -> Finding {
    let taken = format!("{} is taken here", quoted(&held.lock));
    let mut sites: Vec<_> = held.chain.first().map(|at| site(at, taken)).into_iter().collect();
    sites.extend(chain_sites(chain, end));
    let mut finding = finding(rule, message, vec![lock(analyzed, id, &held.lock)], sites);
    finding.notes.push(why_alive(analyzed, id, held));
    let edit = edit(analyzed, id, held, &event.here);
    finding.help.push(let_go(held, &event.here, edit.as_ref()));
    // Those are many, and mostly fine.
    finding.suggestion = edit.filter(|_| rule != Rule::GuardAcrossCallback);
    finding
}
