//! What a MIR text says, borrowed from it: bodies, blocks, statements, places.

/// All bodies of one compiled crate target.
#[derive(Debug, Default)]
pub struct MirCrate<'a> {
    /// The bodies, in the order of the text; each once.
    pub bodies: Vec<Body<'a>>,
    /// The statics behind `alloc` numbers, by number.
    pub statics: std::collections::HashMap<u32, &'a str>,
    /// Bodies that could not be read.
    pub skipped: u64,
}

/// What a body computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// A function, a closure, or one step of a coroutine.
    Fn,
    /// The initial value of a static.
    Static,
    /// A constant, or a constant that the compiler promoted out of a function.
    Const,
}

/// One function, closure, coroutine, static or constant.
#[derive(Debug)]
pub struct Body<'a> {
    /// What it computes.
    pub kind: BodyKind,
    /// Its path, without the crate's name.
    pub name: &'a str,
    /// How many of the locals are parameters: `_1` and on.
    pub params: usize,
    /// The locals; the index is the number in the text.
    pub locals: Vec<Local<'a>>,
    /// The blocks; the index is the number in the text.
    pub blocks: Vec<Block<'a>>,
    /// Where its return type stands, which is in its header.
    pub span: Span<'a>,
    /// The source's names for places.
    pub names: Vec<(&'a str, Place<'a>)>,
}

/// A local variable or temporary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local<'a> {
    /// Its type as printed.
    pub ty: &'a str,
}

/// A place in the source, as printed: `src/lib.rs:12:5: 12:9`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span<'a>(pub &'a str);

impl<'a> Span<'a> {
    /// File, line and column of the begin, then line and column of the end.
    pub fn parts(self) -> Option<(&'a str, u32, u32, u32, u32)> {
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
    pub fn file(self) -> &'a str {
        self.parts().map_or("", |parts| parts.0)
    }

    /// The line of the begin.
    pub fn line(self) -> u32 {
        self.parts().map_or(0, |parts| parts.1)
    }
}

/// A straight run of statements and where it goes.
#[derive(Debug)]
pub struct Block<'a> {
    /// Whether it runs only while a panic unwinds.
    pub cleanup: bool,
    /// The statements.
    pub statements: Vec<Statement<'a>>,
    /// Where it goes.
    pub terminator: Terminator<'a>,
    /// Where the terminator stands in the source.
    pub span: Span<'a>,
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
pub struct Statement<'a> {
    /// What it does.
    pub kind: StatementKind<'a>,
    /// Where it stands in the source.
    pub span: Span<'a>,
}

/// What a statement does.
#[derive(Debug)]
pub enum StatementKind<'a> {
    /// Writes a value to a place.
    Assign(Place<'a>, Rvalue<'a>),
    /// The local's storage ends; what it held has been moved or dropped.
    StorageDead(u32),
    /// Sets the variant of an enum, or the state of a coroutine.
    SetDiscriminant(Place<'a>, u128),
}

/// A value that a statement computes.
#[derive(Debug)]
pub enum Rvalue<'a> {
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
    Aggregate(&'a str, Vec<Operand<'a>>, Vec<&'a str>),
    /// The address of a static, as a thread local.
    Static(&'a str),
    /// Anything else.
    Other,
}

/// An input of a statement or call.
#[derive(Clone, Debug)]
pub enum Operand<'a> {
    /// Read, and still there.
    Copy(Place<'a>),
    /// Moved out.
    Move(Place<'a>),
    /// A constant, or a function by its path.
    Const(&'a str),
}

impl<'a> Operand<'a> {
    /// The place, unless it is a constant.
    pub fn place(&self) -> Option<&Place<'a>> {
        match self {
            Operand::Copy(place) | Operand::Move(place) => Some(place),
            Operand::Const(_) => None,
        }
    }
}

/// A local with a path into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place<'a> {
    /// The local's number.
    pub local: u32,
    /// The path.
    pub steps: Vec<Step<'a>>,
}

impl Place<'_> {
    /// The place that is the whole of a local.
    pub fn local(local: u32) -> Self {
        Place { local, steps: Vec::new() }
    }
}

/// A step of a path into a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step<'a> {
    /// Through a reference, pointer or box.
    Deref,
    /// To a field, with the field's type.
    Field(u32, &'a str),
    /// To the fields of a variant.
    Variant(&'a str),
    /// To an element.
    Index,
}

/// Where a block goes.
#[derive(Debug)]
pub enum Terminator<'a> {
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

/// A call.
#[derive(Debug)]
pub struct Call<'a> {
    /// The function, as a path or as a place that holds a pointer.
    pub callee: Operand<'a>,
    /// The arguments.
    pub args: Vec<Operand<'a>>,
    /// Where the result goes.
    pub dest: Place<'a>,
    /// Where it returns to, unless it never does.
    pub target: Option<u32>,
}

impl Terminator<'_> {
    /// The blocks it can go to without unwinding.
    pub fn targets(&self) -> impl Iterator<Item = u32> + '_ {
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
