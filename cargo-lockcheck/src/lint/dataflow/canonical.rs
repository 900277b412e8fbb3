//! Which place of a body another is: behind references and boxes that the body has made itself.

use super::view::{BodyView, Definition};
use crate::lint::apis::moves::tested_variant;
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;

impl<'a> BodyView<'_, 'a> {
    /// The place behind a reference that was made in this body: `*_3` of `_3 = &mut _1.0` is `_1.0`.
    /// What is behind the pointer of a box is what is in the box.
    pub(crate) fn canonical(&self, place: &Place<'a>) -> Place<'a> {
        let mut place = place.clone();
        for _ in 0..16 {
            if place.steps.first() != Some(&Step::Deref) || self.coroutine == Some(place.local) {
                break;
            }
            let [Definition::Statement(block, index)] =
                self.definitions[place.local as usize].as_slice()
            else {
                break;
            };
            let statement = &self.function.body.blocks[*block as usize].statements[*index as usize];
            let StatementKind::Assign(_, value) = &statement.kind else { break };
            let (inner, rest) = match value {
                Rvalue::Ref(inner) => (inner, &place.steps[1..]),
                Rvalue::Use(Operand::Move(inner) | Operand::Copy(inner)) => {
                    (inner, &place.steps[..])
                }
                Rvalue::Cast(Operand::Copy(pointer), kind) => match boxed(pointer, kind) {
                    // The box itself is a value: what it was moved from is another place.
                    Some([]) => {
                        return Place { local: pointer.local, steps: place.steps };
                    }
                    Some(steps) => {
                        let steps = steps.iter().chain(&place.steps).copied().collect();
                        place = Place { local: pointer.local, steps };
                        continue;
                    }
                    None => break,
                },
                _ => break,
            };
            let mut steps = inner.steps.clone();
            steps.extend_from_slice(rest);
            place = Place { local: inner.local, steps };
        }
        place
    }

    /// For a switch on `x.is_none()`, `x.is_ok()` and the like: `x`, and the variant, by number, that
    /// it is when the answer is yes.
    pub(crate) fn is_tested(&self, block: u32) -> Option<(Place<'a>, u128)> {
        let blocks = &self.function.body.blocks;
        let Terminator::Switch(value, ..) = &blocks[block as usize].terminator else { return None };
        let tested = value.place().filter(|place| place.steps.is_empty())?;
        let [Definition::Call(from)] = self.definitions[tested.local as usize].as_slice() else {
            return None;
        };
        let Terminator::Call(call) = &blocks[*from as usize].terminator else { return None };
        let variant = tested_variant(call.callee()?)?;
        let mut place = call.args.first()?.place()?.clone();
        place.steps.push(Step::Deref);
        Some((self.canonical(&place), variant))
    }
}

/// The steps to a box, of the place of its pointer that is cast: `((_4.0: Unique<T>).0: NonNull<T>)`, or
/// `_4.0` of whatever type, where the cast says that it is that of a box.
fn boxed<'s, 'a>(pointer: &'s Place<'a>, cast: &str) -> Option<&'s [Step<'a>]> {
    match pointer.steps.as_slice() {
        [steps @ .., Step::Field(0, unique), Step::Field(0, raw)]
            if types::short(unique) == "Unique" && types::short(raw) == "NonNull" =>
        {
            Some(steps)
        }
        [steps @ .., Step::Field(0, _)] if cast.ends_with("(BoxDerefTransmute)") => Some(steps),
        _ => None,
    }
}
