//! The program: the bodies of all compiled targets, and which body a call means.

pub(crate) mod call_graph;
pub(crate) mod dropped;
pub(crate) mod fields;
mod part;
mod paths;

pub(crate) use part::{Part, Target};
use paths::Paths;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::source::Sources;
use crate::cli::user_config::{self, KnownCall};
use crate::lint::apis::locks::Locks;
use crate::lint::mir::callee::{Callee, without_generics};
use crate::lint::mir::model::{
    Body, BodyKind, Called, Operand, Rvalue, Span, StatementKind, Terminator,
};
use crate::lint::mir::types;

/// A body of the program, by number.
pub(crate) type BodyId = usize;

/// What is known of one target besides its bodies.
#[derive(Debug)]
pub(crate) struct Unit<'a> {
    pub(crate) prefix: String,
    /// Whether other crates can call its functions.
    pub(crate) is_library: bool,
    pub(crate) sources: Sources,
    statics: HashMap<u32, &'a str>,
    /// The values of constants that are numbers for places in collections.
    numbers: HashMap<&'a str, u64>,
    /// The first segments of the paths of its own items.
    tops: HashSet<&'a str>,
    /// The fields of structs and variants that are put together in it, by the paths printed there.
    fields: HashMap<&'a str, Vec<&'a str>>,
    /// The crates that it calls by other names than their own, by those names.
    renamed: HashMap<String, String>,
}

/// A body with where it belongs.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    /// The number of its target, once that is one of the program's.
    pub(crate) unit: usize,
    pub(crate) body: Body<'a>,
    /// Its path as a reader would write it: `Bank::transfer`.
    pub(crate) display: String,
    /// The trait, if it belongs to an `impl` of one.
    pub(crate) trait_name: Option<String>,
    /// The type whose `impl` it belongs to, as a path of the program.
    pub(crate) self_ty: Option<Arc<str>>,
}

/// A body's path with the closures in words: `closure in Bank::transfer`.
fn in_words(function: &Function<'_>) -> String {
    let mut name = function.display.as_str();
    if function.is_coroutine() {
        // What an async function does is in a body of its own, which has no other name.
        name = name.strip_suffix("::{closure#0}").unwrap_or(name);
    }
    let Some(around) = name.find("::{closure#") else { return name.to_owned() };
    let what = if function.is_coroutine() { "async block" } else { "closure" };
    format!("{what} in {}", &name[..around])
}

impl Function<'_> {
    /// Whether it is one step of a coroutine: the body of an async function or block.
    pub(crate) fn is_coroutine(&self) -> bool {
        self.body.params == 2
            && self.body.name.ends_with('}')
            && self.body.locals[1].ty.starts_with("std::pin::Pin<&mut {")
    }

    /// Whether its first parameter is a closure's captures.
    pub(crate) fn is_closure(&self) -> bool {
        self.body.name.ends_with('}')
            && self.body.params > 0
            && types::peel(self.body.locals[1].ty).starts_with("{closure@")
    }
}

/// All bodies, with the tables to find them by.
#[derive(Debug, Default)]
pub(crate) struct Program<'a> {
    pub(crate) units: Vec<Unit<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
    /// Bodies that could not be read.
    pub(crate) skipped: u64,
    pub(crate) locks: Locks<'a>,
    paths: Paths,
    by_key: HashMap<String, BodyId>,
    by_closure: HashMap<(usize, &'a str), BodyId>,
    by_trait: HashMap<(String, String), Vec<BodyId>>,
    drops: HashMap<Arc<str>, BodyId>,
    drops_by_name: HashMap<String, Vec<(Arc<str>, BodyId)>>,
    /// For each trait of which there are objects, the types that are made into such, with the targets
    /// that print them so.
    objects: HashMap<String, Vec<(usize, String)>>,
    constants: HashMap<(usize, &'a str), BodyId>,
    /// The fields of structs and variants that are put together somewhere, by the type's path, and
    /// the variant behind it.
    fields: HashMap<String, Vec<&'a str>>,
    /// Types of the program that own a guard.
    guard_types: HashSet<String>,
    /// Types of the program with a method that returns a guard.
    locking: HashSet<Arc<str>>,
}

impl<'a> Program<'a> {
    /// Joins the parts.
    pub(crate) fn new(parts: Vec<Part<'a>>, told: &'a user_config::Lint) -> Program<'a> {
        let mut program =
            Program { locks: Locks { configured: &told.locks }, ..Program::default() };
        let mut functions = Vec::new();
        for part in parts {
            program.units.push(part.unit);
            program.skipped += part.skipped;
            functions.push(part.functions);
        }
        program.paths = Paths::of(&program.units);
        for (unit, functions) in functions.into_iter().enumerate() {
            for mut function in functions {
                tell(&mut function.body, &told.calls);
                let self_ty = function.self_ty.map(|path| Arc::from(program.global(unit, &path)));
                program.add(Function { unit, self_ty, ..function });
            }
        }
        program.find_fields();
        program.find_guard_types();
        program.find_objects();
        program.locking = program.find_locking();
        program
    }

    fn find_locking(&self) -> HashSet<Arc<str>> {
        let functions = self.functions.iter().filter(|function| {
            !function.is_closure() && self.owns_guard(function.body.locals[0].ty)
        });
        functions.filter_map(|function| function.self_ty.clone()).collect()
    }

    /// Whether a type of the program has a method that returns a guard, as locks have.
    pub(crate) fn locks_for_others(&self, path: &str) -> bool {
        self.locking.contains(path)
    }

    fn find_fields(&mut self) {
        for unit in 0..self.units.len() {
            for (path, names) in std::mem::take(&mut self.units[unit].fields) {
                let path = self.global(unit, &without_generics(path));
                self.fields.entry(path).or_insert(names);
            }
        }
    }

    /// The name of a field of a type's variant, or of a struct, as the compiler has it.
    pub(crate) fn field(&self, owner: &str, variant: &str, index: u32) -> Option<&'a str> {
        let names = match variant {
            "" => self.fields.get(owner)?,
            variant => self.fields.get(&format!("{owner}::{variant}"))?,
        };
        names.get(index as usize).copied()
    }

    /// Adds a body to the tables.
    fn add(&mut self, function: Function<'a>) {
        let id = self.functions.len();
        let unit = function.unit;
        if function.body.kind != BodyKind::Fn {
            self.constants.entry((unit, function.body.name)).or_insert(id);
        } else if function.is_closure() || function.is_coroutine() {
            for ty in types::closures(function.body.locals[1].ty).into_iter().take(1) {
                if let Some(path) = async_fn(ty) {
                    self.by_key.entry(self.global(unit, &path) + "()").or_insert(id);
                } else {
                    self.by_closure.entry((unit, ty)).or_insert(id);
                }
            }
        } else {
            let name = types::last(function.body.name).to_owned();
            match (&function.trait_name, &function.self_ty) {
                (Some(trait_name), self_ty) => {
                    if let Some(self_ty) = self_ty {
                        let key = format!("<{self_ty}>::{trait_name}::{name}");
                        self.by_key.entry(key).or_insert(id);
                        if trait_name == "Drop" {
                            self.drops.entry(Arc::clone(self_ty)).or_insert(id);
                        }
                    }
                    let key = (trait_name.clone(), name);
                    self.by_trait.entry(key).or_default().push(id);
                }
                (None, Some(self_ty)) => {
                    self.by_key.entry(format!("{self_ty}::{name}")).or_insert(id);
                }
                (None, None) => {
                    let key = self.global(unit, &without_generics(function.body.name));
                    self.by_key.entry(key).or_insert(id);
                }
            }
        }
        self.functions.push(function);
    }

    /// Types whose values hold a guard in a field, found by where such values are made.
    fn find_guard_types(&mut self) {
        let made: HashSet<_> = self.functions.par_iter().flat_map_iter(made_of_moved).collect();
        loop {
            let new = made.iter().filter(|(ty, moved)| {
                !self.owns_guard(ty) && moved.iter().any(|ty| self.owns_guard(ty))
            });
            let found: Vec<String> = new.map(|(ty, _)| types::head(ty).to_owned()).collect();
            if found.is_empty() {
                return;
            }
            self.guard_types.extend(found);
        }
    }

    /// Whether a value of the type holds a lock while it lives.
    pub(crate) fn owns_guard(&self, ty: &str) -> bool {
        if self.guard_types.is_empty() && !self.locks.may_have_guard(ty) {
            return false;
        }
        types::owns(ty, &|path| self.locks.is_guard(path) || self.guard_types.contains(path))
    }

    /// A path that a target prints as the whole program knows it.
    pub(crate) fn global(&self, unit: usize, path: &str) -> String {
        self.paths.defining(&self.units, unit, self.units[unit].global(path))
    }

    /// The body that a call means, seen from a target.
    pub(crate) fn resolve(&self, unit: usize, callee: &Callee<'_>) -> Option<BodyId> {
        let unit_info = &self.units[unit];
        if let (Some(self_ty), Some(trait_name)) = (callee.self_ty, callee.trait_name) {
            if let Some(&ty) = types::closures(self_ty).first()
                && self_ty.trim_start_matches('&').trim_start_matches("mut ").starts_with('{')
            {
                // `into_future` and `clone` of such a value do not run it.
                let runs = matches!(trait_name, "Fn" | "FnMut" | "FnOnce" | "Future");
                return if runs { self.closure(unit, ty) } else { None };
            }
            let name = callee.name();
            let self_path = self.global(unit, types::head(self_ty));
            let key = format!("<{self_path}>::{trait_name}::{name}");
            if let Some(&id) = self.by_key.get(&key) {
                return Some(id);
            }
            // A method that the trait itself provides.
            let trait_path = callee.text.find(" as ").map(|at| &callee.text[at + 4..])?;
            let end = trait_path.find(['<', '>'])?;
            let provided = self.global(unit, &format!("{}::{name}", &trait_path[..end]));
            let provided = self.by_key.get(&provided).copied();
            return match is_parameter(self_ty) {
                _ if self_ty.starts_with("dyn ") => None,
                false => provided,
                true => self.of_all_types(unit, &trait_path[..end], name, provided, self_ty),
            };
        }
        // The library's own functions are none of the program's, unless that has a `mod core`.
        if types::is_library(&callee.path)
            && !top(&callee.path).is_some_and(|top| unit_info.tops.contains(top))
        {
            return None;
        }
        self.by_key.get(&self.global(unit, &callee.path)).copied()
    }

    /// The body of a closure's or coroutine's type.
    pub(crate) fn closure(&self, unit: usize, ty: &str) -> Option<BodyId> {
        match async_fn(ty) {
            Some(path) => {
                let path = self.global(unit, &path);
                self.by_key.get(&(path.clone() + "()")).copied().or_else(|| {
                    // The function may be one of an `impl`, whose own path the type prints.
                    let callee = self.by_key.get(&path)?;
                    self.coroutine_of(*callee)
                })
            }
            None => self.by_closure.get(&(unit, ty)).copied(),
        }
    }

    fn coroutine_of(&self, id: BodyId) -> Option<BodyId> {
        let function = &self.functions[id];
        let name = format!("{}::{{closure#0}}", function.body.name);
        (id..self.functions.len().min(id + 64))
            .find(|&other| self.functions[other].body.name == name)
    }

    /// The body of a trait's method for whatever type: the one that the trait provides, if no type has
    /// its own; for a trait's own `Self` also that of the only type that has one.
    fn of_all_types(
        &self,
        unit: usize,
        trait_path: &str,
        name: &str,
        provided: Option<BodyId>,
        self_ty: &str,
    ) -> Option<BodyId> {
        let trait_name = types::last(trait_path).to_owned();
        let own = self.implementing(unit, &trait_name, name);
        match (provided, own.as_slice()) {
            (Some(provided), []) => Some(provided),
            (None, [only]) if self_ty == "Self" => {
                let trait_path = self.global(unit, trait_path);
                let is_own = |known: &Unit<'_>| {
                    trait_path
                        .strip_prefix(&*known.prefix)
                        .is_some_and(|rest| rest.starts_with("::"))
                };
                self.units.iter().any(is_own).then_some(*only)
            }
            _ => None,
        }
    }

    /// The coroutine whose steps a function's result runs that is a boxed future: the only one that the
    /// function makes, as `#[async_trait]` and functions that call themselves have it.
    pub(crate) fn boxed_coroutine(&self, id: BodyId) -> Option<BodyId> {
        let function = &self.functions[id];
        if !is_boxed_future(function.body.locals[0].ty) {
            return None;
        }
        let statements = function.body.blocks.iter().filter(|block| !block.cleanup);
        let mut made = statements.flat_map(|block| &block.statements).filter_map(|statement| {
            let StatementKind::Assign(dest, Rvalue::Aggregate(..)) = &statement.kind else {
                return None;
            };
            let ty = function.body.type_of(dest);
            ty.starts_with("{async").then_some(ty)
        });
        let only = made.next().filter(|_| made.next().is_none())?;
        self.closure(function.unit, only)
    }

    /// The only body of a trait's method, when the program has just one `impl` of it.
    pub(crate) fn only_impl(&self, unit: usize, trait_name: &str, name: &str) -> Option<BodyId> {
        match self.implementing(unit, trait_name, name).as_slice() {
            [id] => Some(*id),
            _ => None,
        }
    }

    /// The bodies of a trait's method that a target may run: no two programs run each other's.
    fn implementing(&self, unit: usize, trait_name: &str, name: &str) -> Vec<BodyId> {
        let all = self.by_trait.get(&(trait_name.to_owned(), name.to_owned()));
        let is_library = |unit: usize| self.units[unit].is_library;
        let is_near = |id: &&BodyId| {
            let of = self.functions[**id].unit;
            of == unit || is_library(of) || is_library(unit)
        };
        all.into_iter().flatten().filter(is_near).copied().collect()
    }

    /// The initial value of a constant or static of a target.
    pub(crate) fn constant(&self, unit: usize, name: &str) -> Option<BodyId> {
        self.constants.get(&(unit, name)).copied()
    }

    /// The constant that the compiler made of a part of a function. It is named after that, whose path
    /// is printed in another form.
    pub(crate) fn promoted(&self, function: &Function<'_>, text: &str) -> Option<BodyId> {
        let number = &text[text.rfind("::promoted[")?..];
        self.constant(function.unit, &format!("{}{number}", function.body.name))
    }

    /// The type parameters of a function, or of that which a closure is in, that are closures.
    pub(crate) fn closure_parameters(&self, function: &Function<'_>) -> Vec<String> {
        let body = &function.body;
        let around = body.name.split("::{closure#").next().unwrap_or(body.name);
        let header = around.find("<impl at ").and_then(|at| {
            let rest = &around[at + "<impl at ".len()..];
            Some(Span(rest.split_once(">::")?.0))
        });
        let sources = &self.units[function.unit].sources;
        sources.closure_parameters(types::last(around), body.span, header)
    }

    /// Whether any type of the program has a `Drop`.
    pub(crate) fn has_drops(&self) -> bool {
        !self.drops.is_empty()
    }
}

/// Writes to the calls of a body what the settings say of them.
fn tell(body: &mut Body<'_>, known: &[KnownCall]) {
    if known.is_empty() {
        return;
    }
    for block in &mut body.blocks {
        if let Terminator::Call(call) = &mut block.terminator
            && let Called::Function(callee) = &mut call.called
        {
            let row = known.iter().find(|row| callee.is_named(&row.function));
            callee.told = row.map(|row| row.does);
        }
    }
}

/// The values that a body makes of others which are moved into them: their types, and those of the
/// moved.
fn made_of_moved<'a>(function: &Function<'a>) -> impl Iterator<Item = (&'a str, Vec<&'a str>)> {
    let body = &function.body;
    let ty = |local: u32| body.locals[local as usize].ty;
    let statements = body.blocks.iter().flat_map(|block| &block.statements);
    statements.filter_map(move |statement| {
        let StatementKind::Assign(dest, Rvalue::Aggregate(name, values)) = &statement.kind else {
            return None;
        };
        let is_named = !name.is_empty() && !name.starts_with(['[', '{']);
        if !is_named || !dest.steps.is_empty() || ty(dest.local).starts_with("std::") {
            return None;
        }
        let moved = values.iter().filter_map(|value| match value {
            Operand::Move(place) if place.steps.is_empty() => Some(ty(place.local)),
            _ => None,
        });
        let moved: Vec<&str> = moved.collect();
        (!moved.is_empty()).then(|| (ty(dest.local), moved))
    })
}

impl<'a> Unit<'a> {
    /// The static that `{alloc15: &…}` refers to.
    pub(crate) fn static_at(&self, text: &str) -> Option<&'a str> {
        let number = text.strip_prefix("{alloc")?.split(':').next()?;
        self.statics.get(&number.parse().ok()?).copied()
    }

    /// The number of a place in a collection that a constant, as printed, is: `15_usize` or `FIRST`.
    pub(crate) fn number(&self, text: &str) -> Option<u64> {
        match text.strip_suffix("_usize") {
            Some(number) => number.parse().ok(),
            None => self.numbers.get(text).copied(),
        }
    }

    /// A path with the name of its crate, which is this one's if it has none.
    fn global(&self, path: &str) -> String {
        let first = path.split("::").next().unwrap_or(path);
        let is_local = match first {
            "std" | "core" | "alloc" => false,
            // A crate's name does not begin with a capital, as a type's does.
            _ => {
                first.len() == path.len()
                    || self.tops.contains(first)
                    || first.starts_with(|c: char| c.is_uppercase())
            }
        };
        let is_primitive =
            first.len() == path.len() && path.starts_with(|c: char| !c.is_alphabetic());
        if is_local && !is_primitive { format!("{}::{path}", self.prefix) } else { path.to_owned() }
    }
}

/// The first segment of a body's path.
fn top(name: &str) -> Option<&str> {
    let first = name.split("::").next()?;
    (first.len() < name.len() && !first.starts_with(['<', '{'])).then_some(first)
}

/// Whether a type is that of a future in a box, of which no more is known.
pub(crate) fn is_boxed_future(ty: &str) -> bool {
    ty.starts_with("std::pin::Pin<std::boxed::Box<dyn ") && ty.contains("Future<")
}

/// The path of the async function whose coroutine this type is.
fn async_fn(ty: &str) -> Option<String> {
    let path = ty.strip_prefix("{async fn body of ")?.strip_suffix("()}")?;
    if let Some(rest) = path.strip_prefix('<') {
        let (self_ty, _) = rest.split_once(" as ")?;
        return Some(format!("{}::{}", types::head(self_ty), types::last(path)));
    }
    Some(without_generics(path).into_owned())
}

/// Whether a type is a parameter rather than a type of its own.
pub(crate) fn is_parameter(ty: &str) -> bool {
    let ty = types::peel(ty);
    !ty.contains("::")
        && !ty.contains('<')
        && (ty == "Self"
            || ty.starts_with("impl ")
            || ty.len() <= 2 && ty.starts_with(|c: char| c.is_ascii_uppercase()))
}
