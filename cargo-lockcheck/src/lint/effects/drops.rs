//! What dropping a value does: the `Drop` of its type, and of what it owns.

use std::sync::Arc;

use super::instantiate::{Argument, Planner};
use crate::lint::apis::moves::gives_out;
use crate::lint::mir::model::{Call, Place, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::dropped::{Handles, Way};
use crate::lint::summary::DroppedTypes;
use crate::lint::summary::path::{Part, Path, Pick, Root};

impl<'a> Planner<'_, '_, 'a> {
    /// The `Drop` of a value and of what it owns.
    pub(super) fn drop(&mut self, place: &Place<'a>) {
        if self.view.program.has_drops() {
            let handles = self.handles(place);
            self.drop_value(self.view.type_of(place), &self.view.place(place), handles);
        }
    }

    /// The elements that a call drops, of the collection behind its first argument.
    pub(super) fn drop_elements(&mut self, call: &Call<'a>) {
        let Some(first) = call.args.first().filter(|_| self.view.program.has_drops()) else {
            return;
        };
        if let Some(ty) = self.view.operand_type(first) {
            let path = self.view.operand(first);
            self.drop_value(types::peel(ty), &path, Handles::MayBeLast);
        }
    }

    fn drop_value(&mut self, ty: &str, path: &Path, handles: Handles) {
        for dropped in self.view.program.dropped(self.view.function.unit, ty, handles) {
            // Whatever takes itself out of a list while it is dropped is not in it any more.
            if dropped.body == self.view.id() {
                continue;
            }
            let path = dropped.way.iter().fold(path.clone(), |path, step| match step {
                Way::Field(owner, variant, index) => path.with(Part::Field {
                    owner: Some(Arc::clone(owner)),
                    variant: Arc::clone(variant),
                    index: *index,
                }),
                Way::Element => path.with(Part::Element(Pick::Any)),
            });
            self.body(
                dropped.body,
                &|number| match number {
                    1 => path.clone().into(),
                    _ => Argument::unknown(),
                },
                false,
                Some(&DroppedTypes { names: dropped.names, is_object: dropped.is_object }),
            );
        }
    }

    /// Whether a handle that is dropped may be the last: one that was in what a lock protects, where
    /// others have found the value.
    fn handles(&self, place: &Place<'a>) -> Handles {
        let path = self.view.place(place);
        let was_protected = match path.root {
            // `*guard = other`.
            _ if place.steps.contains(&Step::Deref) => path.parts.contains(&Part::Protected),
            // `guard.insert(key, other)`, `guard.take()`.
            Root::Call(block) => {
                let blocks = &self.view.function.body.blocks;
                match blocks.get(block as usize).map(|block| &block.terminator) {
                    Some(Terminator::Call(call)) => {
                        let first = call.args.first().map(|first| self.view.operand(first));
                        call.callee().is_some_and(gives_out)
                            && first.is_some_and(|path| path.parts.contains(&Part::Protected))
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        if was_protected { Handles::MayBeLast } else { Handles::AreOthers }
    }
}
