//! What is behind handles and references: whether others may lead to it too, and whether it stays what it
//! is.

use std::sync::Arc;

use super::view::BodyView;
use crate::lint::apis::moves::is_handle;
use crate::lint::mir::model::{Rvalue, StatementKind};
use crate::lint::mir::types;
use crate::lint::program::fields::field_type;
use crate::lint::summary::path::{Part, Path, Pick, Root};

impl BodyView<'_, '_> {
    /// Whether a field leads to a value that others may lead to too.
    pub(crate) fn is_handle_field(&self, owner: &Arc<str>, variant: &str, index: u32) -> bool {
        let ty = field_type(self.program, self.function.unit, owner, variant, index);
        ty.is_some_and(|ty| {
            let ty = match types::short(&ty) {
                "Option" => types::arguments(&ty).first().copied().unwrap_or(&ty),
                _ => ty.as_str(),
            };
            types::is_reference(ty) || is_handle(ty)
        })
    }

    /// Whether a lock is right behind a handle in a field: the owner may not be all that has it.
    pub(crate) fn is_behind_handle(&self, path: &Path) -> bool {
        let last = path.parts.iter().rev().find(|part| !matches!(part, Part::Element(_)));
        match last {
            Some(Part::Field { owner: Some(owner), variant, index }) => {
                self.is_handle_field(owner, variant, *index)
            }
            _ => false,
        }
    }

    /// The object behind a handle or reference that an array lists at a constant number. What is in
    /// the array itself has no better name than its place there.
    pub(super) fn listed_handle(&self, root: &Root, number: u64) -> Option<Path> {
        let Root::Aggregate(block, statement) = *root else { return None };
        let statement =
            self.function.body.blocks.get(block as usize)?.statements.get(statement as usize)?;
        let StatementKind::Assign(_, Rvalue::Aggregate("[]", values)) = &statement.kind else {
            return None;
        };
        let value = values.get(usize::try_from(number).ok()?)?;
        let ty = self.operand_type(value)?;
        (types::is_reference(ty) || is_handle(ty)).then(|| self.operand(value))
    }

    /// Whether another value may come where a path leads, while the body runs: by a constant number in
    /// a collection that is changed, or that others may change under its lock.
    pub(super) fn may_change(&self, path: &Path) -> bool {
        let is_constant = |part: &Part| !matches!(part, Part::Element(pick) if !matches!(pick, Pick::Constant(_)));
        if path.parts.contains(&Part::Protected) || !path.parts.iter().all(is_constant) {
            return true;
        }
        match path.root {
            Root::Param(number) => {
                let ty = self.function.body.locals[number as usize].ty;
                types::is_mutable(ty) || self.is_changed_elsewhere(number)
            }
            Root::Static(_) => false,
            Root::Call(_) | Root::Aggregate(..) => {
                let whole = Path::new(path.root.clone());
                self.function.body.names.iter().any(|(_, place)| {
                    place.steps.is_empty()
                        && self.is_changed_elsewhere(place.local)
                        && self.local(place.local) == whole
                })
            }
            Root::Local(_) | Root::Saved(_) | Root::Unknown => true,
        }
    }
}
