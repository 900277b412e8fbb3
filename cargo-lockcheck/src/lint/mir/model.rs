//! What a MIR text says, borrowed from it: bodies, blocks, statements, places.

use super::callee::Callee;
use super::types;

/// All bodies of one compiled crate target.
#[derive(Debug, Default)]
pub(crate) struct MirCrate<'a> {
    /// The bodies, in the order of the text; each once.
    pub(crate) bodies: Vec<Body<'a>>,
    /// The statics behind `alloc` numbers, by number.
    pub(crate) statics: std::collections::HashMap<u32, &'a str>,
    /// The values of constants that are numbers for places in collections, by their paths.
    pub(crate) numbers: std::collections::HashMap<&'a str, u64>,
    /// The fields of structs and variants whose values are put together somewhere, by the paths that
    /// are printed there.
    pub(crate) fields: std::collections::HashMap<&'a str, Vec<&'a str>>,
    /// Bodies that could not be read.
    pub(crate) skipped: u64,
}

/// What a body computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BodyKind {
    /// A function, a closure, or one step of a coroutine.
    Fn,
    /// The initial value of a static.
    Static,
    /// A constant, or a constant that the compiler promoted out of a function.
    Const,
}

/// One function, closure, coroutine, static or constant.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    /// What it computes.
    pub(crate) kind: BodyKind,
    /// Its path, without the crate's name.
    pub(crate) name: &'a str,
    /// How many of the locals are parameters: `_1` and on.
    pub(crate) params: usize,
    /// The locals; the index is the number in the text.
    pub(crate) locals: Vec<Local<'a>>,
    /// The blocks; the index is the number in the text.
    pub(crate) blocks: Vec<Block<'a>>,
    /// Where its return type stands, which is in its header.
    pub(crate) span: Span<'a>,
    /// The source's names for places.
    pub(crate) names: Vec<(&'a str, Place<'a>)>,
}

impl<'a> Body<'a> {
    /// Its calls, each with the number of the block that it ends; without those of unwinding.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (u32, &Call<'a>)> {
        self.blocks.iter().enumerate().filter(|(_, block)| !block.cleanup).filter_map(
            |(at, block)| match &block.terminator {
                Terminator::Call(call) => Some((at as u32, call)),
                _ => None,
            },
        )
    }

    /// The type of a place.
    pub(crate) fn type_of(&self, place: &Place<'a>) -> &'a str {
        let mut ty = self.locals[place.local as usize].ty;
        for step in &place.steps {
            ty = match step {
                Step::Deref => match types::is_reference(ty) {
                    true => types::behind(ty),
                    false => types::arguments(ty).first().copied().unwrap_or(ty),
                },
                Step::Field(_, field) => field,
                Step::Variant(_) => ty,
                Step::Index(_) => types::arguments(ty).first().copied().unwrap_or(ty),
            };
        }
        ty
    }
}

/// A local variable or temporary.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Local<'a> {
    /// Its type as printed.
    pub(crate) ty: &'a str,
}

/// A place in the source, as printed: `src/lib.rs:12:5: 12:9`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span<'a>(pub &'a str);

impl<'a> Span<'a> {
    /// File, line and column of the begin, then line and column of the end.
    pub(crate) fn parts(self) -> Option<(&'a str, u32, u32, u32, u32)> {
        let (begin, end) = self.0.rsplit_once(": ")?;
        let (end_line, end_column) = end.split_once(':')?;
        let (rest, column) = begin.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some((
            file,
            line.parse().ok()?,
            column.parse().ok()?,
            end_line.parse().ok()?,
            end_column.parse().ok()?,
        ))
    }

    /// The file.
    pub(crate) fn file(self) -> &'a str {
        self.parts().map_or("", |parts| parts.0)
    }

    /// The line of the begin.
    pub(crate) fn line(self) -> u32 {
        self.parts().map_or(0, |parts| parts.1)
    }
}

/// A straight run of statements and where it goes.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// Whether it runs only while a panic unwinds.
    pub(crate) cleanup: bool,
    /// The statements.
    pub(crate) statements: Vec<Statement<'a>>,
    /// Where it goes.
    pub(crate) terminator: Terminator<'a>,
    /// Where the terminator stands in the source.
    pub(crate) span: Span<'a>,
}

impl Default for Block<'_> {
    fn default() -> Self {
        Block {
            cleanup: false,
            statements: Vec::new(),
            terminator: Terminator::Stop,
            span: Span::default(),
        }
    }
}

/// A statement with its place in the source.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    /// What it does.
    pub(crate) kind: StatementKind<'a>,
    /// Where it stands in the source.
    pub(crate) span: Span<'a>,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum StatementKind<'a> {
    /// Writes a value to a place.
    Assign(Place<'a>, Rvalue<'a>),
    /// The local's storage ends; what it held has been moved or dropped.
    StorageDead(u32),
    /// Sets the variant of an enum, or the state of a coroutine.
    SetDiscriminant(Place<'a>, u128),
}

/// A value that a statement computes.
#[derive(Debug)]
pub(crate) enum Rvalue<'a> {
    /// A value as it is.
    Use(Operand<'a>),
    /// A reference or raw pointer to a place.
    Ref(Place<'a>),
    /// A cast; the text is the target type and the kind of the cast.
    Cast(Operand<'a>, &'a str),
    /// The variant of an enum.
    Discriminant(Place<'a>),
    /// A tuple, array, struct, variant, closure or coroutine made of its fields. A binary operation
    /// looks the same, with the operation's name.
    Aggregate(&'a str, Vec<Operand<'a>>),
    /// The address of a static, as a thread local.
    Static(&'a str),
    /// Anything else.
    Other,
}

impl<'a> Rvalue<'a> {
    /// What it is made of, where it is made of operands.
    pub(crate) fn operands(&self) -> impl Iterator<Item = &Operand<'a>> {
        let operands: &[Operand<'a>] = match self {
            Rvalue::Use(operand) | Rvalue::Cast(operand, _) => std::slice::from_ref(operand),
            Rvalue::Aggregate(_, operands) => operands,
            Rvalue::Ref(_) | Rvalue::Discriminant(_) | Rvalue::Static(_) | Rvalue::Other => &[],
        };
        operands.iter()
    }
}

/// An input of a statement or call.
#[derive(Clone, Debug)]
pub(crate) enum Operand<'a> {
    /// Read, and still there.
    Copy(Place<'a>),
    /// Moved out.
    Move(Place<'a>),
    /// A constant, or a function by its path.
    Const(&'a str),
}

impl<'a> Operand<'a> {
    /// The place, unless it is a constant.
    pub(crate) fn place(&self) -> Option<&Place<'a>> {
        match self {
            Operand::Copy(place) | Operand::Move(place) => Some(place),
            Operand::Const(_) => None,
        }
    }
}

/// A local with a path into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place<'a> {
    /// The local's number.
    pub(crate) local: u32,
    /// The path.
    pub(crate) steps: Vec<Step<'a>>,
}

impl Place<'_> {
    /// The place that is the whole of a local.
    pub(crate) fn local(local: u32) -> Self {
        Place { local, steps: Vec::new() }
    }
}

/// A step of a path into a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step<'a> {
    /// Through a reference, pointer or box.
    Deref,
    /// To a field, with the field's type.
    Field(u32, &'a str),
    /// To the fields of a variant.
    Variant(&'a str),
    /// To an element, or several; which, as printed: `_3`, `0 of 1`, `1:`.
    Index(&'a str),
}

/// Where a block goes.
#[derive(Debug)]
pub(crate) enum Terminator<'a> {
    /// To one of several blocks without a condition that is of interest.
    Goto(Vec<u32>),
    /// By a value: the cases, then the default.
    Switch(Operand<'a>, Vec<(u128, u32)>, Option<u32>),
    /// Calls a function.
    Call(Call<'a>),
    /// Drops a place, then goes on.
    Drop(Place<'a>, Option<u32>),
    /// Returns.
    Return,
    /// Ends: unreachable, resumes a panic, aborts.
    Stop,
}

/// What a call calls.
#[derive(Debug)]
pub(crate) enum Called<'a> {
    /// A function, by its path.
    Function(Callee<'a>),
    /// The function whose pointer a place holds.
    Pointer(Place<'a>),
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What is called.
    pub(crate) called: Called<'a>,
    /// The arguments.
    pub(crate) args: Vec<Operand<'a>>,
    /// Where the result goes.
    pub(crate) dest: Place<'a>,
    /// Where it returns to, unless it never does.
    pub(crate) target: Option<u32>,
}

impl<'a> Call<'a> {
    /// The function that is called, unless it is known by a pointer alone.
    pub(crate) fn callee(&self) -> Option<&Callee<'a>> {
        match &self.called {
            Called::Function(callee) => Some(callee),
            Called::Pointer(_) => None,
        }
    }
}

impl Terminator<'_> {
    /// The blocks it can go to without unwinding.
    pub(crate) fn targets(&self) -> impl Iterator<Item = u32> + '_ {
        let (listed, cases, single): (&[u32], &[(u128, u32)], Option<u32>) = match self {
            Terminator::Goto(targets) => (targets, &[], None),
            Terminator::Switch(_, cases, otherwise) => (&[], cases, *otherwise),
            Terminator::Call(call) => (&[], &[], call.target),
            Terminator::Drop(_, target) => (&[], &[], *target),
            Terminator::Return | Terminator::Stop => (&[], &[], None),
        };
        listed.iter().copied().chain(cases.iter().map(|case| case.1)).chain(single)
    }
}
