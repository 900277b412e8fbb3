//! The fields in which a body puts handles of the locks that it makes: there others find them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view::BodyView;
use crate::lint::apis::moves::is_handle;
use crate::lint::mir::model::{Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::summary::path::{Part, Path, Root};

/// For each local that is a lock, the field that has a handle of it and of no other, if it is in one
/// field alone.
pub(super) fn of(view: &BodyView<'_, '_>) -> BTreeMap<u32, Part> {
    let mut pairs: Vec<(u32, Part)> = Vec::new();
    let blocks = view.function.body.blocks.iter().filter(|block| !block.cleanup);
    for statement in blocks.flat_map(|block| &block.statements) {
        let StatementKind::Assign(dest, Rvalue::Aggregate(name, values)) = &statement.kind else {
            continue;
        };
        let is_named = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !is_named || types::is_library(name) {
            continue;
        }
        let ty = types::head(view.type_of(dest));
        let variant = if types::last(ty) == types::short(name) { "" } else { types::last(name) };
        for (value, index) in values.iter().zip(0..) {
            let is_shared = view.operand_type(value).is_some_and(is_handle);
            let Path { root: Root::Local(local), parts } = view.operand(value) else {
                continue;
            };
            if is_shared && parts.is_empty() {
                let owner = Some(Arc::from(view.global(ty)));
                let field = Part::Field { owner, variant: Arc::from(variant), index };
                pairs.push((local, field));
            }
        }
    }
    let is_only =
        |pair: &&(u32, Part)| pairs.iter().all(|other| (other.0 == pair.0) == (other.1 == pair.1));
    pairs.iter().filter(is_only).cloned().collect()
}
