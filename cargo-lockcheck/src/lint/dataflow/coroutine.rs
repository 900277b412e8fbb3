//! What a coroutine keeps over its suspensions: locals that are fields of its state.

use super::view::{BodyView, Definition};
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::Function;
use crate::lint::summary::path::{Part, Path, Root, SavedLocal};

impl<'a> BodyView<'_, 'a> {
    /// A local that a coroutine keeps over its suspensions stands in a field of its state.
    pub(super) fn saved_local(&self, place: &Place<'a>) -> Option<Path> {
        let coroutine = self.coroutine?;
        let saved = SavedLocal::of(place, coroutine)?;
        let wanted = |dest: &Place<'a>| {
            dest.steps.len() == 3 && SavedLocal::of(dest, coroutine) == Some(saved)
        };
        let mut found: Option<Definition> = None;
        let mut several = false;
        for (at, block) in self.function.body.blocks.iter().enumerate() {
            if block.cleanup {
                continue;
            }
            for (index, statement) in block.statements.iter().enumerate() {
                if let StatementKind::Assign(dest, _) = &statement.kind
                    && wanted(dest)
                {
                    several |= found.is_some();
                    found = Some(Definition::Statement(at as u32, index as u32));
                }
            }
            if let Terminator::Call(call) = &block.terminator
                && wanted(&call.dest)
            {
                several |= found.is_some();
                found = Some(Definition::Call(at as u32));
            }
        }
        let mut path = match found {
            Some(definition) if !several => self.definition(definition, coroutine),
            _ => Path::new(Root::Saved(saved)),
        };
        let Some(&Step::Field(_, mut ty)) = place.steps.get(2) else { return Some(path) };
        let mut variant = "";
        for step in &place.steps[3..] {
            match step {
                Step::Deref => ty = types::behind(ty),
                Step::Variant(name) => variant = name,
                Step::Field(index, field) => {
                    path = self.field(path, ty, std::mem::take(&mut variant), *index);
                    ty = field;
                }
                Step::Index(which) => path = path.with(Part::Element(self.pick_at(which))),
            }
        }
        Some(path)
    }
}

/// `_30 = copy (_1.0: &mut {async fn body of f()})`.
pub(super) fn coroutine_local(function: &Function<'_>) -> Option<u32> {
    let statements = &function.body.blocks.first()?.statements;
    statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Assign(dest, Rvalue::Use(Operand::Copy(from) | Operand::Move(from)))
            if dest.steps.is_empty()
                && from.local == 1
                && matches!(from.steps.as_slice(), [Step::Field(0, _)]) =>
        {
            Some(dest.local)
        }
        _ => None,
    })
}
