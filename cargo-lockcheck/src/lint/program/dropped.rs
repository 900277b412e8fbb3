//! Whose `Drop` runs when a value is dropped: its own, and those of what it owns, be it by a field, in a
//! collection, or behind a trait object whose types are known by where they are made into one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::{BodyId, Function, Program, is_parameter};
use crate::lint::apis::moves::drops_content;
use crate::lint::mir::model::{Operand, Rvalue, StatementKind};
use crate::lint::mir::types;

/// How deep in a dropped value another is looked for.
const DEPTH: u32 = 4;

/// A `Drop` that runs when a value is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The body of the `Drop`.
    pub(crate) body: BodyId,
    /// The way from the value to the one that has it.
    pub(crate) way: Vec<Way>,
    /// The name of the type that has it, and those of what it is in, from the inside.
    pub(crate) names: Vec<Arc<str>>,
    /// Whether it is behind an object of a trait that may be of several types, so that it may be
    /// another that runs.
    pub(crate) is_object: bool,
}

/// A step from a value to one that it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To a field of a type of the program: its owner, the variant, the number.
    Field(Arc<str>, Arc<str>, u32),
    /// To something in a value of the library.
    Element,
}

/// Whether a handle's value counts as dropped with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handles {
    /// The handle may be the last.
    MayBeLast,
    /// Nobody knows of others.
    AreOthers,
}

impl<'a> Program<'a> {
    /// The `Drop`s that run when a value of a type is dropped, as a target prints it.
    pub(crate) fn dropped(&self, unit: usize, ty: &str, handles: Handles) -> Vec<Dropped> {
        let mut found = Vec::new();
        if self.has_drops() {
            let (way, names) = (Vec::new(), Vec::new());
            let at = Dropping { way, names, is_object: false, depth: DEPTH };
            self.collect_dropped(unit, ty, handles, &at, &mut found);
        }
        found
    }

    fn collect_dropped(
        &self,
        unit: usize,
        ty: &str,
        handles: Handles,
        at: &Dropping,
        found: &mut Vec<Dropped>,
    ) {
        let is_shared = !(drops_content(ty) || handles == Handles::MayBeLast && is_counted(ty));
        if at.depth == 0
            || types::is_reference(ty)
            || is_shared
            || self.locks.is_guard(types::head(ty))
        {
            return;
        }
        if let Some(object) = ty.strip_prefix("dyn ") {
            let object = self.object(unit, object);
            let is_library = |unit: usize| self.units[unit].is_library;
            // No two programs have values of each other.
            let is_near = |from: usize| from == unit || is_library(from) || is_library(unit);
            let all = self.objects.get(&object).into_iter().flatten();
            let near: Vec<_> = all.filter(|(from, _)| is_near(*from)).collect();
            for (from, ty) in &near {
                let inner = at.inner(None, types::last(&object));
                let inner = Dropping { is_object: at.is_object || near.len() > 1, ..inner };
                self.collect_dropped(*from, ty, handles, &inner, found);
            }
        } else if types::is_library(ty) || ty.starts_with(['(', '[']) {
            for argument in types::arguments(ty) {
                let inner = at.inner(Some(Way::Element), "");
                self.collect_dropped(unit, argument, handles, &inner, found);
            }
        } else {
            let path = self.global(unit, types::head(ty));
            found.extend(
                self.drops.get(path.as_str()).map(|body| at.found(*body, types::short(ty))),
            );
            self.collect_fields(&path, at, found);
        }
    }

    /// The `Drop`s of the fields of a type of the program. The source has no full paths: a name that
    /// several types with a `Drop` have means none of them.
    fn collect_fields(&self, path: &str, at: &Dropping, found: &mut Vec<Dropped>) {
        let Some((prefix, local)) = path.split_once("::") else { return };
        let Some(unit) = self.units.iter().find(|unit| unit.prefix == prefix) else { return };
        let Some(item) = unit.sources.type_item(local) else { return };
        for (variant, fields) in &item.variants {
            for (field, index) in fields.iter().zip(0..) {
                let is_shared = ["Arc<", "Rc<", "Weak<", "&", "*", "ManuallyDrop<", "PhantomData<"];
                if is_shared.iter().any(|word| field.ty.contains(word)) {
                    continue;
                }
                let words = field.ty.split(|c: char| !c.is_alphanumeric() && c != '_');
                for word in words {
                    let known = self.drops_by_name.get(word).into_iter().flatten();
                    let mut own = known.filter(|(path, _)| {
                        path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
                    });
                    let (Some((_, body)), None) = (own.next(), own.next()) else { continue };
                    let owner = Arc::from(format!("{prefix}::{local}"));
                    let way = Way::Field(owner, Arc::from(variant.as_str()), index);
                    found.push(at.inner(Some(way), types::last(local)).found(*body, word));
                }
            }
        }
    }

    /// The trait of an object, as a path of the program: `Session` of `Session + Send`.
    fn object(&self, unit: usize, object: &str) -> String {
        let end = object.find([' ', '<', '>', ')', ',']).unwrap_or(object.len());
        self.global(unit, &object[..end])
    }

    /// Finds the types that are made into objects of traits, and have something to drop.
    pub(super) fn find_objects(&mut self) {
        for (path, body) in &self.drops {
            let name = types::last(path).to_owned();
            self.drops_by_name.entry(name).or_default().push((Arc::clone(path), *body));
        }
        if !self.has_drops() {
            return;
        }
        let made: HashSet<(usize, String, &str)> = self
            .functions
            .par_iter()
            .flat_map_iter(|function| {
                let unit = function.unit;
                made_into_objects(function).map(move |(object, ty)| (unit, object, ty))
            })
            .map(|(unit, object, ty)| (unit, self.object(unit, object), ty))
            .collect();
        // What a function makes of a type that its callers choose.
        let generic: HashMap<BodyId, Vec<String>> = self
            .functions
            .iter()
            .enumerate()
            .filter_map(|(id, function)| {
                let chosen = made_into_objects(function).filter(|(_, ty)| is_parameter(ty));
                let objects: Vec<String> =
                    chosen.map(|(object, _)| self.object(function.unit, object)).collect();
                (!objects.is_empty()).then_some((id, objects))
            })
            .collect();
        let mut objects: HashMap<String, Vec<(usize, String)>> = HashMap::new();
        for (unit, object, ty) in made.into_iter().filter(|(_, _, ty)| !is_parameter(ty)) {
            objects.entry(object).or_default().push((unit, ty.to_owned()));
        }
        if !generic.is_empty() {
            for function in &self.functions {
                for callee in function.body.calls().filter_map(|(_, call)| call.callee()) {
                    let Some(ty) = only_generic(callee.text) else { continue };
                    let id = self.resolve(function.unit, callee);
                    for object in id.and_then(|id| generic.get(&id)).into_iter().flatten() {
                        objects
                            .entry(object.clone())
                            .or_default()
                            .push((function.unit, ty.to_owned()));
                    }
                }
            }
        }
        for types in objects.values_mut() {
            types.sort();
            types.dedup();
        }
        self.objects = objects;
    }
}

/// Where in a dropped value one is.
struct Dropping {
    way: Vec<Way>,
    names: Vec<Arc<str>>,
    is_object: bool,
    depth: u32,
}

impl Dropping {
    fn inner(&self, step: Option<Way>, name: &str) -> Dropping {
        let names = (!name.is_empty()).then(|| Arc::from(name));
        Dropping {
            way: self.way.iter().cloned().chain(step).collect(),
            names: names.into_iter().chain(self.names.iter().cloned()).collect(),
            is_object: self.is_object,
            depth: self.depth - 1,
        }
    }

    fn found(&self, body: BodyId, name: &str) -> Dropped {
        let names = std::iter::once(Arc::from(name)).chain(self.names.iter().cloned());
        let (way, is_object) = (self.way.clone(), self.is_object);
        Dropped { body, way, names: names.collect(), is_object }
    }
}

/// Whether a type's value is dropped with its last handle.
fn is_counted(ty: &str) -> bool {
    matches!(types::short(ty), "Arc" | "Rc")
}

/// The objects of traits that a function makes, as printed after `dyn`, each with the type behind.
fn made_into_objects<'f, 'a>(
    function: &'f Function<'a>,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'f, 'a> {
    let statements = function.body.blocks.iter().flat_map(|block| &block.statements);
    statements.filter_map(|statement| {
        let StatementKind::Assign(_, Rvalue::Cast(Operand::Move(from), to)) = &statement.kind
        else {
            return None;
        };
        let (target, _) = to.split_once(" (PointerCoercion(Unsize")?;
        let (_, object) = target.split_once("<dyn ")?;
        let ty = types::arguments(function.body.type_of(from)).first().copied()?;
        Some((object, ty))
    })
}

/// The only generic argument that a called function itself is given.
fn only_generic(text: &str) -> Option<&str> {
    let inner = text.strip_suffix('>')?;
    let mut depth = 0i32;
    let open = inner.bytes().rposition(|byte| {
        depth += i32::from(byte == b'>') - i32::from(byte == b'<');
        depth < 0
    })?;
    let own = &inner[open + 1..];
    let mut parts = types::split(own, b',');
    let only = parts.next().filter(|only| !only.is_empty())?;
    (inner[..open].ends_with("::") && parts.next().is_none()).then_some(only)
}

#[cfg(test)]
mod tests {
    use super::only_generic;

    #[test]
    fn the_generic_argument_of_a_call_is_found() {
        assert_eq!(only_generic("register::<Box<Mailer>>"), Some("Box<Mailer>"));
        assert_eq!(only_generic("a::Map::<u8>::put::<A, B>"), None);
        assert_eq!(only_generic("a::put"), None);
    }
}
