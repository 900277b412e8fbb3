//! What callers call a lock that a body knows by a parameter alone.

use super::analyzed::Analyzed;
use crate::lint::dataflow::class_of::class_of;
use crate::lint::program::BodyId;
use crate::lint::summary::class::Class;
use crate::lint::summary::path::{Path, Root};

/// How many calls are gone back.
const DEPTH: u32 = 3;

impl Analyzed<'_, '_> {
    /// The classes by which those know a lock that call a body, or start it as a thread or task.
    pub(crate) fn classes_by_callers(&self, id: BodyId, path: &Path) -> Vec<Class> {
        let mut found = Vec::new();
        self.collect_classes(id, path, DEPTH, &mut found);
        found
    }

    fn collect_classes(&self, id: BodyId, path: &Path, depth: u32, found: &mut Vec<Class>) {
        if depth == 0 || !matches!(path.root, Root::Param(_)) {
            return;
        }
        let program = self.program;
        for &caller in &self.callers[id] {
            let caller = caller as usize;
            let view = self.view(caller);
            let unit = view.function.unit;
            for (_, call) in view.function.body.calls() {
                let Some(callee) = call.callee() else { continue };
                let is_it = |ty: &str| program.closure(unit, ty) == Some(id);
                let given = if program.resolve(unit, callee) == Some(id) {
                    view.substitute_with(path, &|number| {
                        let argument = call.args.get(number as usize - 1);
                        argument.map_or(Path::new(Root::Unknown), |arg| view.operand(arg))
                    })
                } else {
                    // A closure or future that is handed to what runs it.
                    let is_future = |ty: &str| ty.starts_with('{') && is_it(ty);
                    let mut args = call.args.iter();
                    let closure = args.find(|arg| view.operand_type(arg).is_some_and(is_future));
                    let Some(closure) = closure else { continue };
                    view.substitute_with(path, &|number| match number {
                        1 => view.operand(closure),
                        _ => Path::new(Root::Unknown),
                    })
                };
                match class_of(&view, &given) {
                    Some(class) if !found.contains(&class) => found.push(class),
                    Some(_) => {}
                    None => self.collect_classes(caller, &given, depth - 1, found),
                }
            }
        }
    }
}
