//! Which object a place is: a root and a path of fields, the same for all its aliases.
//!
//! References, smart pointers, clones of handles, iterators and guards are looked through, so that
//! `self.accounts`, a reference to it, and an `Arc` cloned from it are one object. What cannot be
//! looked through is a root of its own, equal to nothing else: the analysis then says too little,
//! never too much.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::coroutine::coroutine_local;
use crate::lint::apis::aliases::{CallAlias, call_alias};
use crate::lint::mir::model::{Operand, Place, Rvalue, StatementKind, Step, Terminator};
use crate::lint::mir::types;
use crate::lint::program::{BodyId, Function, Program, Unit};
use crate::lint::summary::path::{Part, Path, Pick, Root};
use crate::lint::summary::{Returned, Summaries, Summary};

/// Where the value of a local comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Definition {
    Statement(u32, u32),
    Call(u32),
}

/// The longest chain of aliases that is followed (`let b = &a; let c = &b; …`): each takes a part of the
/// stack.
const DEEPEST: u32 = 256;

/// A body with the origins of its locals.
pub(crate) struct BodyView<'p, 'a> {
    pub(crate) program: &'p Program<'a>,
    pub(crate) function: &'p Function<'a>,
    id: BodyId,
    summaries: Summaries<'p>,
    pub(super) definitions: Vec<Vec<Definition>>,
    memo: RefCell<Vec<Memo>>,
    /// How many locals the one that is looked for has led through.
    depth: Cell<u32>,
    homes: OnceCell<BTreeMap<u32, Part>>,
    /// The local that stands for a coroutine's own state.
    pub(super) coroutine: Option<u32>,
}

#[derive(Clone, Debug)]
enum Memo {
    Open,
    Running,
    Done(Path),
}

impl<'p, 'a> BodyView<'p, 'a> {
    pub(crate) fn new(
        program: &'p Program<'a>,
        id: BodyId,
        summaries: Summaries<'p>,
    ) -> BodyView<'p, 'a> {
        let function = &program.functions[id];
        let body = &function.body;
        let mut definitions = vec![Vec::new(); body.locals.len()];
        for (at, block) in body.blocks.iter().enumerate() {
            if block.cleanup {
                continue;
            }
            for (index, statement) in block.statements.iter().enumerate() {
                if let StatementKind::Assign(place, _) = &statement.kind
                    && place.steps.is_empty()
                {
                    let definition = Definition::Statement(at as u32, index as u32);
                    definitions[place.local as usize].push(definition);
                }
            }
            if let Terminator::Call(call) = &block.terminator
                && call.dest.steps.is_empty()
            {
                definitions[call.dest.local as usize].push(Definition::Call(at as u32));
            }
        }
        let coroutine = function.is_coroutine().then(|| coroutine_local(function)).flatten();
        let memo = RefCell::new(vec![Memo::Open; body.locals.len()]);
        let depth = Cell::new(0);
        let homes = OnceCell::new();
        BodyView { program, function, id, summaries, definitions, memo, depth, homes, coroutine }
    }

    /// For each local that is a lock, the field in which others find it, as `find` tells when it is
    /// first asked.
    pub(super) fn homes(&self, find: impl FnOnce() -> BTreeMap<u32, Part>) -> &BTreeMap<u32, Part> {
        self.homes.get_or_init(find)
    }

    /// The local that stands for a coroutine's own state.
    pub(crate) fn coroutine(&self) -> Option<u32> {
        self.coroutine
    }

    /// Which body it is.
    pub(crate) fn id(&self) -> BodyId {
        self.id
    }

    /// The blocks that make the lock which a local begins as; none where it is not made here.
    pub(crate) fn blocks_that_make(&self, local: u32) -> Vec<u32> {
        let definitions = self.definitions.get(local as usize).map_or(&[][..], Vec::as_slice);
        match definitions {
            [Definition::Call(block)] if self.makes_lock(*block) => vec![*block],
            _ => Vec::new(),
        }
    }

    /// Whether the call at the end of a block makes a lock.
    fn makes_lock(&self, block: u32) -> bool {
        match &self.function.body.blocks[block as usize].terminator {
            Terminator::Call(call) => {
                call.dest.steps.is_empty()
                    && call.callee().is_some_and(|callee| {
                        self.program.locks.makes(callee, self.type_of(&call.dest))
                    })
            }
            _ => false,
        }
    }

    /// The summary of a callee, once it is known.
    pub(crate) fn summary(&self, callee: BodyId) -> Option<&'p Summary> {
        self.summaries.of(self.id, callee)
    }

    /// Whether the body leads to another by calls, drops and constants, so that the other was looked
    /// at before.
    pub(crate) fn leads_to(&self, other: BodyId) -> bool {
        self.summaries.lead_to(self.id, other)
    }

    /// This view for a body that this one leads to.
    pub(crate) fn of(&self, other: BodyId) -> BodyView<'p, 'a> {
        BodyView::new(self.program, other, self.summaries)
    }

    /// The type of a place.
    pub(crate) fn type_of(&self, place: &Place<'a>) -> &'a str {
        self.function.body.type_of(place)
    }

    /// The type of an operand: of a place, or of a reference to a static. Other constants do not tell.
    pub(crate) fn operand_type(&self, operand: &Operand<'a>) -> Option<&'a str> {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => Some(self.type_of(place)),
            Operand::Const(text) => {
                let (_, ty) = text.strip_prefix("{alloc")?.split_once(": ")?;
                ty.strip_suffix('}')
            }
        }
    }

    /// The object that a place is or refers to.
    pub(crate) fn place(&self, place: &Place<'a>) -> Path {
        if let Some(saved) = self.saved_local(place) {
            return saved;
        }
        let mut path = self.local(place.local);
        let mut ty = self.function.body.locals[place.local as usize].ty;
        let mut variant = "";
        for step in &place.steps {
            match step {
                Step::Deref => {
                    ty = match types::is_reference(ty) {
                        true => types::behind(ty),
                        false => types::arguments(ty).first().copied().unwrap_or(ty),
                    };
                }
                Step::Variant(name) => variant = name,
                Step::Field(index, field) => {
                    path = self.field(path, ty, std::mem::take(&mut variant), *index);
                    ty = field;
                }
                Step::Index(which) => {
                    path = self.extend(path, &[Part::Element(self.pick_at(which))]);
                    ty = types::arguments(ty).first().copied().unwrap_or(ty);
                }
            }
        }
        path
    }

    /// A field of an object of a type.
    pub(super) fn field(&self, path: Path, ty: &str, variant: &str, index: u32) -> Path {
        let head = types::head(ty);
        if types::is_library(head) {
            // `Some`, `Ok`, the pointer inside a box: the container is the object.
            if let Root::Aggregate(..) = path.root
                && path.parts.is_empty()
                && let Some(value) = self.aggregate_field(&path.root, index)
            {
                return value;
            }
            return path;
        }
        let is_named = !head.is_empty() && !head.starts_with(['(', '{', '[', '&']);
        if path.parts.is_empty()
            && let Some(value) = self.aggregate_field(&path.root, index)
            // What is made for the field has no better name than the field.
            && (!is_named
                || matches!(value.root, Root::Param(_) | Root::Static(_))
                || self.is_handle_field(&Arc::from(self.global(head)), variant, index))
        {
            return value;
        }
        if path.parts.is_empty()
            && let Root::Call(block) = path.root
            && let Some(value) = self.returned_field(block, index)
        {
            return value;
        }
        let owner = is_named.then(|| Arc::from(self.global(head)));
        path.with(Part::Field { owner, variant: Arc::from(variant), index })
    }

    pub(super) fn global(&self, path: &str) -> String {
        self.program.global(self.function.unit, path)
    }

    pub(super) fn unit(&self) -> &'p Unit<'a> {
        &self.program.units[self.function.unit]
    }

    /// The operand that a field was made of.
    fn aggregate_field(&self, root: &Root, index: u32) -> Option<Path> {
        let Root::Aggregate(block, statement) = *root else { return None };
        let statement =
            self.function.body.blocks.get(block as usize)?.statements.get(statement as usize)?;
        let StatementKind::Assign(_, Rvalue::Aggregate(name, values)) = &statement.kind else {
            return None;
        };
        if *name == "[]" {
            return None;
        }
        Some(self.operand(values.get(index as usize)?))
    }

    /// What the parts are that the value of a local is put together of here.
    pub(super) fn parts_of(&self, local: u32) -> impl Iterator<Item = Path> {
        let root = self.local(local);
        let count = match root {
            Path { root: Root::Aggregate(block, statement), ref parts } if parts.is_empty() => {
                let block = &self.function.body.blocks[block as usize];
                match &block.statements[statement as usize].kind {
                    StatementKind::Assign(_, Rvalue::Aggregate("", values)) => values.len() as u32,
                    _ => 0,
                }
            }
            _ => 0,
        };
        (0..count).map(move |index| {
            self.aggregate_field(&root.root, index).unwrap_or(Path::new(Root::Unknown))
        })
    }

    /// A field of what a call returned, when the callee is known to return what it is made of.
    fn returned_field(&self, block: u32, index: u32) -> Option<Path> {
        let Terminator::Call(call) = &self.function.body.blocks.get(block as usize)?.terminator
        else {
            return None;
        };
        let id = self.program.resolve(self.function.unit, call.callee()?)?;
        match &self.summary(id)?.returned {
            Some(Returned::Fields(fields)) => {
                Some(self.substitute(fields.get(index as usize)?.as_ref()?, &call.args))
            }
            _ => None,
        }
    }

    /// A path of a callee as one of this body, given the arguments.
    fn substitute(&self, path: &Path, args: &[Operand<'a>]) -> Path {
        self.substitute_with(path, &|number| match args.get(number as usize - 1) {
            Some(operand) => self.operand(operand),
            None => Path::new(Root::Unknown),
        })
    }

    /// A path of a callee as one of this body, given what its parameters are here.
    pub(crate) fn substitute_with(&self, path: &Path, param: &dyn Fn(u32) -> Path) -> Path {
        let base = match path.root {
            Root::Param(number) => param(number),
            Root::Static(_) => return path.clone(),
            _ => Path::new(Root::Unknown),
        };
        self.extend(base, &path.parts)
    }

    /// A path with more parts behind it, looked through as far as they go.
    pub(crate) fn extend(&self, base: Path, parts: &[Part]) -> Path {
        parts.iter().fold(base, |path, part| match part {
            Part::Field { owner, variant, index } if path.parts.is_empty() => {
                let known = self.aggregate_field(&path.root, *index).or_else(|| match path.root {
                    Root::Call(block) => self.returned_field(block, *index),
                    _ => None,
                });
                let is_better = |value: &Path| match owner {
                    None => true,
                    Some(owner) => {
                        matches!(value.root, Root::Param(_) | Root::Static(_))
                            || self.is_handle_field(owner, variant, *index)
                    }
                };
                known.filter(is_better).unwrap_or_else(|| path.with(part.clone()))
            }
            Part::Element(Pick::Constant(number)) if path.parts.is_empty() => {
                let listed = self.listed_handle(&path.root, *number);
                listed.unwrap_or_else(|| path.with(part.clone()))
            }
            _ => path.with(part.clone()),
        })
    }

    /// The object that an operand is or refers to.
    pub(crate) fn operand(&self, operand: &Operand<'a>) -> Path {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.place(place),
            Operand::Const(text) => self.constant(text),
        }
    }

    fn constant(&self, text: &str) -> Path {
        if let Some(name) = self.unit().static_at(text) {
            return self.static_path(name);
        }
        let promoted = text.contains("::promoted[");
        let id = match promoted {
            true => self.program.promoted(self.function, text),
            false => self.program.constant(self.function.unit, text),
        };
        if let Some(id) = id {
            if !self.summaries.are_for(self.id, id) {
                return Path::new(Root::Unknown);
            }
            let inner = self.of(id);
            if inner.function.body.locals.is_empty() {
                return Path::new(Root::Unknown);
            }
            let value = inner.local(0);
            if let Root::Static(_) = value.root {
                return value;
            }
            if !promoted {
                return self.static_path(text);
            }
        }
        Path::new(Root::Unknown)
    }

    fn static_path(&self, name: &str) -> Path {
        Path::new(Root::Static(Arc::from(self.global(name))))
    }

    /// The object that a local is or refers to.
    pub(crate) fn local(&self, local: u32) -> Path {
        let index = local as usize;
        let state = self.memo.borrow()[index].clone();
        match state {
            Memo::Done(path) => return path,
            Memo::Running => return Path::new(Root::Local(local)),
            Memo::Open if self.depth.get() == DEEPEST => return Path::new(Root::Local(local)),
            Memo::Open => {}
        }
        self.memo.borrow_mut()[index] = Memo::Running;
        self.depth.update(|depth| depth + 1);
        let path = self.find_local(local);
        self.depth.update(|depth| depth - 1);
        self.memo.borrow_mut()[index] = Memo::Done(path.clone());
        path
    }

    fn find_local(&self, local: u32) -> Path {
        if self.coroutine == Some(local) {
            return Path::new(Root::Param(1));
        }
        let definitions = &self.definitions[local as usize];
        let is_param = (1..=self.function.body.params).contains(&(local as usize));
        match definitions.as_slice() {
            [] if is_param => Path::new(Root::Param(local)),
            [single] if !is_param => self.own(self.definition(*single, local), local),
            [first, rest @ ..] if !is_param => {
                let path = self.definition(*first, local);
                let agree = |same: &dyn Fn(Path) -> bool| {
                    rest.iter().all(|other| same(self.definition(*other, local)))
                };
                if agree(&|other| other == path) {
                    path
                } else if agree(&|other| other.erased() == path.erased()) {
                    path.erased()
                } else {
                    Path::new(Root::Local(local))
                }
            }
            _ => Path::new(Root::Local(local)),
        }
    }

    /// What a variable refers to that was given the value of another: from then on the other may change.
    fn own(&self, path: Path, local: u32) -> Path {
        let is_fixed = match path.root {
            Root::Local(other) => other == local || self.is_set_once(other),
            _ => true,
        };
        let mut names = self.function.body.names.iter();
        let mut is_variable = || names.any(|(_, place)| *place == Place::local(local));
        if is_fixed || !is_variable() { path } else { Path { root: Root::Local(local), ..path } }
    }

    pub(super) fn definition(&self, definition: Definition, local: u32) -> Path {
        match definition {
            Definition::Statement(block, index) => {
                let statement =
                    &self.function.body.blocks[block as usize].statements[index as usize];
                let StatementKind::Assign(_, value) = &statement.kind else {
                    return Path::new(Root::Local(local));
                };
                match value {
                    Rvalue::Use(operand) | Rvalue::Cast(operand, _) => self.operand(operand),
                    Rvalue::Ref(place) => self.place(place),
                    Rvalue::Aggregate(name, values) => match (values.as_slice(), *name) {
                        // `Some(x)` is `x`; a one-field value keeps its own identity otherwise.
                        ([value], name) if is_transparent(name) => self.operand(value),
                        _ => Path::new(Root::Aggregate(block, index)),
                    },
                    Rvalue::Static(name) => self.static_path(name),
                    Rvalue::Discriminant(_) | Rvalue::Other => Path::new(Root::Local(local)),
                }
            }
            Definition::Call(block) => self.call_result(block),
        }
    }

    fn call_result(&self, block: u32) -> Path {
        let own = Path::new(Root::Call(block));
        let Terminator::Call(call) = &self.function.body.blocks[block as usize].terminator else {
            return own;
        };
        let Some(callee) = call.callee() else { return own };
        if self.makes_lock(block) {
            return Path::new(Root::Local(call.dest.local));
        }
        let is_lock = self.program.locks.call(callee).is_some();
        if let Some(first) = call.args.first().filter(|_| is_lock) {
            return self.operand(first).with(Part::Protected);
        }
        // What the program's own `Deref` leads to is known better than by its name.
        if let Some(id) = self.program.resolve(self.function.unit, callee)
            && let Some(summary) = self.summary(id)
            && let Some(Returned::Path(path)) = &summary.returned
        {
            return self.substitute(path, &call.args);
        }
        if let Some(first) = call.args.first() {
            match call_alias(callee) {
                CallAlias::Same if callee.name() == "clone" => {
                    let path = self.operand(first);
                    return if self.may_change(&path) { path.kept(block) } else { path };
                }
                CallAlias::Same => return self.operand(first),
                CallAlias::Element => {
                    let pick = self.pick_by(block, callee, &call.args);
                    return self.extend(self.operand(first), &[Part::Element(pick)]);
                }
                CallAlias::Other => {}
            }
        }
        own
    }

    /// The block and number of the aggregate that makes a closure of this type in this body.
    pub(crate) fn closure_site(&self, ty: &str) -> Option<Path> {
        let blocks = self.function.body.blocks.iter().enumerate();
        for (at, block) in blocks.filter(|(_, block)| !block.cleanup) {
            for (index, statement) in block.statements.iter().enumerate() {
                if let StatementKind::Assign(_, Rvalue::Aggregate(name, _)) = &statement.kind
                    && *name == ty
                {
                    return Some(Path::new(Root::Aggregate(at as u32, index as u32)));
                }
            }
        }
        None
    }
}

/// Whether a variant only wraps its value.
fn is_transparent(name: &str) -> bool {
    types::is_library(name)
}
