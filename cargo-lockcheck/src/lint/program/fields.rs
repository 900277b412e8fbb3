//! The fields of types, as the source of their target has them.

use super::Program;
use crate::lint::mir::types;
use crate::lint::source::Sources;

/// The type of a field, as the source has it.
pub(crate) fn field_type(
    program: &Program<'_>,
    unit: usize,
    owner: &str,
    variant: &str,
    index: u32,
) -> Option<String> {
    let sources = sources_of(program, unit, owner)?;
    let item = sources.type_item(local_path(owner))?;
    let field = match program.field(owner, variant, index) {
        Some(name) => {
            let mut named = item.fields(variant).iter().filter(|field| field.name == name);
            // Of several with one name, one is there.
            named.next().filter(|_| named.next().is_none())
        }
        None => item.field(variant, index),
    };
    field.map(|field| sources.without_alias(field.ty.clone()))
}

/// The number of a variant of an enum of the program that has two; nothing for other types.
pub(crate) fn one_of_two(program: &Program<'_>, unit: usize, ty: &str, name: &str) -> Option<u128> {
    let path = program.global(unit, types::head(ty));
    let item = sources_of(program, unit, &path)?.type_item(local_path(&path))?;
    match item.variants.as_slice() {
        [(first, _), (second, _)] if !item.is_numbered => match name {
            _ if name == first => Some(0),
            _ if name == second => Some(1),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a type is an enum of the program that has two variants.
pub(crate) fn has_two(program: &Program<'_>, unit: usize, ty: &str) -> bool {
    let path = program.global(unit, types::head(ty));
    let item = sources_of(program, unit, &path).and_then(|of| of.type_item(local_path(&path)));
    item.is_some_and(|item| item.variants.len() == 2 && !item.is_numbered)
}

/// The path without the crate's name.
pub(crate) fn local_path(owner: &str) -> &str {
    owner.split_once("::").map_or(owner, |split| split.1)
}

/// The sources of the target that a type of the program belongs to.
pub(crate) fn sources_of<'p>(
    program: &'p Program<'_>,
    unit: usize,
    owner: &str,
) -> Option<&'p Sources> {
    let prefix = owner.split("::").next()?;
    if program.units[unit].prefix == prefix {
        return Some(&program.units[unit].sources);
    }
    program.units.iter().find(|unit| unit.prefix == prefix).map(|unit| &unit.sources)
}
