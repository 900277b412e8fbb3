//! Which acquisitions have a lock with a name, and why the others have none: of those the lint says less,
//! and a clean report means less where there are many.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location_of};
use crate::lint::effects::events::EventKind;
use crate::lint::mir::types;
use crate::lint::summary::path::Root;
use crate::lint::summary::{Location, LockUse};
use crate::report::model::Place;

/// Methods that take a lock in most crates that have one.
const METHODS: &[&str] = &["lock", "read", "write", "acquire"];

/// What is known of the acquisitions of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedLocks {
    /// How many places take a lock.
    pub acquisitions: usize,
    /// Those whose lock has no name, by the reason.
    pub unnamed: BTreeMap<Reason, Vec<Unnamed>>,
}

/// Why a lock has no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is a parameter's, and no caller names it.
    Parameter,
    /// A call returns it that is not looked into.
    Returned,
    /// It is in a variable that several values reach.
    Variable,
    /// It is a part of a value that is put together in the function.
    PutTogether,
    /// It is reached in some other way that is not followed.
    NotFollowed,
    /// Its type is not known to be a lock.
    UnknownType,
}

impl Reason {
    /// What these acquisitions have in common, after their number.
    fn describe(self) -> &'static str {
        match self {
            Reason::Parameter => "of a lock that is given as a parameter, which no caller names",
            Reason::Returned => "of a lock that a call returns which is not looked into",
            Reason::Variable => "of a lock in a variable that several values reach",
            Reason::PutTogether => "of a lock in a value that the function puts together",
            Reason::NotFollowed => "of a lock that is reached in a way that is not followed",
            Reason::UnknownType => {
                "of a type that is not known as a lock (`[[lint.locks]]` names such)"
            }
        }
    }
}

/// An acquisition whose lock has no name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unnamed {
    /// Where it is.
    pub place: Place,
    /// The function.
    pub function: String,
    /// The type of the lock, as the compiler prints it.
    pub ty: String,
}

impl NamedLocks {
    /// Looks at all acquisitions of a program.
    pub(super) fn of(analyzed: &Analyzed<'_, '_>) -> NamedLocks {
        let mut named: HashSet<Place> = HashSet::new();
        let mut taken: BTreeMap<Place, (&LockUse, &Location)> = BTreeMap::new();
        for event in analyzed.analyses.iter().flat_map(|analysis| &analysis.events) {
            let (lock, chain) = match &event.kind {
                EventKind::Effect(Effect::Acquire(acquired, _)) => {
                    (&acquired.lock, acquired.chain.as_slice())
                }
                EventKind::Tried(lock) => (lock, std::slice::from_ref(&event.here)),
                EventKind::Effect(_) | EventKind::Await | EventKind::Polled => continue,
            };
            let Some(end) = chain.last() else { continue };
            if lock.class.is_some() {
                named.insert(Place::from(end));
            }
            if chain.len() == 1 {
                taken.entry(Place::from(end)).or_insert((lock, end));
            }
        }
        let mut unnamed: BTreeMap<Reason, Vec<Unnamed>> = BTreeMap::new();
        for (place, (lock, at)) in taken.iter().filter(|(place, _)| !named.contains(place)) {
            let reason = match lock.path.root {
                Root::Param(_) => Reason::Parameter,
                Root::Call(_) => Reason::Returned,
                Root::Local(_) | Root::Saved(_) => Reason::Variable,
                Root::Aggregate(..) => Reason::PutTogether,
                Root::Static(_) | Root::Unknown => Reason::NotFollowed,
            };
            unnamed.entry(reason).or_default().push(Unnamed {
                place: place.clone(),
                function: at.function.to_string(),
                ty: lock.ty.to_string(),
            });
        }
        let unknown = of_unknown_types(analyzed);
        let acquisitions = taken.len() + unknown.len();
        if !unknown.is_empty() {
            unnamed.insert(Reason::UnknownType, unknown);
        }
        NamedLocks { acquisitions, unnamed }
    }

    /// Writes the list as text.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let without: usize = self.unnamed.values().map(Vec::len).sum();
        let with = self.acquisitions - without;
        writeln!(
            to,
            "coverage: the lock has a name in {with} of {} acquisitions",
            self.acquisitions
        )?;
        for (reason, unnamed) in &self.unnamed {
            writeln!(to, "\n  {} {}", unnamed.len(), reason.describe())?;
            for Unnamed { place, function, ty } in unnamed {
                writeln!(to, "    {}:{}:{}", place.file, place.line, place.column)?;
                writeln!(to, "      in `{function}`: `{ty}`")?;
            }
        }
        Ok(())
    }
}

/// Calls of methods that look like acquisitions, with a guard as the result, of types from outside of
/// the program that nobody knows.
fn of_unknown_types(analyzed: &Analyzed<'_, '_>) -> Vec<Unnamed> {
    let program = analyzed.program;
    let mut found = Vec::new();
    for (id, function) in program.functions.iter().enumerate() {
        for (block, call) in function.body.calls() {
            let Some(callee) = call.callee() else { continue };
            let result = types::short(function.body.type_of(&call.dest));
            if !METHODS.contains(&callee.name())
                || callee.trait_name.is_some()
                || !types::last(callee.owner()).starts_with(char::is_uppercase)
                || !(result.contains("Guard") || result.contains("Permit"))
                || program.locks.is_lock(callee.owner())
                || program.resolve(function.unit, callee).is_some()
            {
                continue;
            }
            let view = analyzed.view(id);
            let at = location_of(&view, block);
            found.push(Unnamed {
                place: Place::from(&at),
                function: at.function.to_string(),
                ty: callee.owner().to_owned(),
            });
        }
    }
    found.sort();
    found.dedup();
    found
}
