//! The class of a lock: the field, static or variable it lives in.
//!
//! The names are those that a run gives to the same locks, `Bank.accounts` or `REGISTRY`, so that
//! what the source shows and what a run shows are about the same thing.

use std::sync::Arc;

use super::homes;
use super::view::BodyView;
use crate::lint::apis::aliases::has_elements;
use crate::lint::apis::moves::is_handle;
use crate::lint::mir::model::Place;
use crate::lint::mir::types;
use crate::lint::program::Program;
use crate::lint::program::fields::{field_type, local_path, sources_of};
use crate::lint::summary::class::Class;
use crate::lint::summary::path::{Part, Path, Pick, Root, SavedLocal};

/// The class of the lock at a path, seen from a body.
pub(crate) fn class_of(view: &BodyView<'_, '_>, path: &Path) -> Option<Class> {
    let program = view.program;
    let unit = view.function.unit;
    let mut suffix = String::new();
    let mut is_protected = false;
    let home = match path.root {
        Root::Local(local) => view.homes(|| homes::of(view)).get(&local),
        _ => None,
    };
    for part in path.parts.iter().rev().chain(home) {
        match part {
            Part::Field { owner: Some(owner), variant, index } => {
                if is_wrapper(program, unit, owner, variant, *index) {
                    continue;
                }
                let field = field_name(program, unit, owner, variant, *index);
                let inner = if is_protected { ".*" } else { "" };
                return Some(Class {
                    key: format!("{owner}.{variant}.{index}{inner}{suffix}").into(),
                    name: format!("{}.{field}{inner}{suffix}", types::last(owner)).into(),
                });
            }
            Part::Field { owner: None, index, .. } => suffix = format!(".{index}{suffix}"),
            Part::Element(_) => {}
            // A lock inside what another protects, with no field of its own between.
            Part::Protected => is_protected = true,
        }
    }
    let inner = if is_protected { ".*" } else { "" };
    match &path.root {
        Root::Static(name) => Some(Class {
            key: format!("{name}{inner}{suffix}").into(),
            name: format!("{}{inner}{suffix}", types::last(&static_name(name))).into(),
        }),
        Root::Local(local) => {
            if (1..=view.function.body.params).contains(&(*local as usize)) {
                return None;
            }
            let name = local_name(view, *local)?;
            // Two variables may have one name.
            let body = view.function.body.name;
            Some(Class {
                key: format!("{unit}#{body}::{name}#{local}{inner}{suffix}").into(),
                name: format!("{name}{inner}{suffix}").into(),
            })
        }
        // A collection that is made here, and has a name here.
        Root::Call(_) | Root::Aggregate(..)
            if path.parts.iter().any(|part| matches!(part, Part::Element(_))) =>
        {
            let whole = Path::new(path.root.clone());
            let mut names = view.function.body.names.iter();
            let (name, place) = names.find(|(_, place)| {
                place.steps.is_empty()
                    && is_collection(view.function.body.locals[place.local as usize].ty)
                    && view.local(place.local) == whole
            })?;
            let body = view.function.body.name;
            Some(Class {
                key: format!("{unit}#{body}::{name}#{}{inner}{suffix}", place.local).into(),
                name: format!("{name}{inner}{suffix}").into(),
            })
        }
        _ => None,
    }
}

/// The class of an element of what a class names, where a path tells which.
pub(crate) fn class_of_element(class: &Class, path: &Path) -> Option<Class> {
    let number = path.parts.iter().rev().find_map(|part| match part {
        Part::Element(Pick::Constant(number)) => Some(*number),
        _ => None,
    })?;
    Some(Class {
        key: format!("{}[{number}]", class.key).into(),
        name: format!("{}[{number}]", class.name).into(),
    })
}

/// Whether values of a type own the elements that they list, or share them all at once.
fn is_collection(ty: &str) -> bool {
    let ty = if is_handle(ty) { types::arguments(ty).first().copied().unwrap_or(ty) } else { ty };
    !types::is_reference(ty) && (ty.starts_with('[') || has_elements(ty))
}

/// The name of the variable whose value a local becomes, or is a part of.
fn local_name(view: &BodyView<'_, '_>, local: u32) -> Option<String> {
    let owner = Path::new(Root::Local(local));
    let names = &view.function.body.names;
    // A coroutine keeps its variables in fields of its state.
    let is_saved = |place: &Place<'_>| {
        let saved = view.coroutine().and_then(|state| SavedLocal::of(place, state));
        saved.is_some() && place.steps.len() == 3
    };
    let mut whole = names.iter().filter(|(_, place)| place.steps.is_empty() || is_saved(place));
    if let Some((name, _)) = whole.find(|(_, place)| view.place(place) == owner) {
        return Some((*name).to_owned());
    }
    let mut plain = names.iter().filter(|(_, place)| place.steps.is_empty());
    plain.find_map(|(name, place)| {
        let part = view.parts_of(place.local).position(|part| part == owner)?;
        Some(format!("{name}.{part}"))
    })
}

/// The class of what a path leads to, for rules that look at other things than locks.
pub(crate) fn class_name(view: &BodyView<'_, '_>, path: &Path) -> Option<Arc<str>> {
    class_of(view, path).map(|class| class.key)
}

/// `lazy_static!` keeps the value in a static of its own inside a function of the named type.
fn static_name(name: &str) -> String {
    match name.strip_suffix("::LAZY") {
        Some(rest) if rest.contains("__stability") => {
            let owner = rest.split(" as ").next().unwrap_or(rest);
            owner.trim_start_matches('<').rsplit(['<']).next().unwrap_or(owner).to_owned()
        }
        _ => name.to_owned(),
    }
}

/// Whether a field is what a generic type is a wrapper of: its only field, one of a parameter's type, or
/// the only one with a lock around a parameter, whose guards it hands out. The class is where the wrapper
/// is.
fn is_wrapper(program: &Program<'_>, unit: usize, owner: &str, variant: &str, index: u32) -> bool {
    let sources = sources_of(program, unit, owner);
    let Some(item) = sources.and_then(|sources| sources.type_item(local_path(owner))) else {
        return false;
    };
    let fields = item.variants.iter().flat_map(|(_, fields)| fields);
    let mut fields = fields.filter(|field| !field.ty.contains("PhantomData"));
    if item.parameters.is_empty() || item.variants.len() != 1 {
        return false;
    }
    let is_parameter = |ty: &str| item.parameters.iter().any(|known| known == ty);
    let is_around = |ty: &str| types::arguments(ty).first().is_some_and(|ty| is_parameter(ty));
    let around: Vec<&str> =
        fields.clone().map(|field| &*field.ty).filter(|ty| is_around(ty)).collect();
    let field = field_type(program, unit, owner, variant, index);
    let hands_out = || program.locks_for_others(owner);
    field.is_some_and(|ty| is_parameter(&ty) || around == [ty.as_str()] && hands_out())
        || fields.next().is_some() && fields.next().is_none()
}

/// The name of a field, or its number where what the source says of it depends on how it is compiled.
fn field_name(
    program: &Program<'_>,
    unit: usize,
    owner: &str,
    variant: &str,
    index: u32,
) -> String {
    let name = program.field(owner, variant, index).map(str::to_owned).or_else(|| {
        let item = sources_of(program, unit, owner)?.type_item(local_path(owner))?;
        item.field(variant, index).map(|field| field.name.clone())
    });
    let name = name.unwrap_or_else(|| index.to_string());
    if variant.is_empty() { name } else { format!("{variant}.{name}") }
}

/// Where the field or static of a class is declared.
pub(crate) fn declaration(
    program: &Program<'_>,
    unit: usize,
    class: &Class,
) -> Option<crate::report::model::Place> {
    let key: &str = &class.key;
    let owner = key.split('.').next()?;
    let field = class.name.split('.').nth(1);
    let sources = sources_of(program, unit, owner)?;
    sources.declaration(local_path(owner), field)
}
