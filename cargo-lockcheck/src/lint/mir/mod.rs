//! The compiler's MIR as text: what a body says, and how it is read.
//!
//! The text is what `rustc --emit=mir -Zmir-include-spans=on -Zmir-opt-level=0
//! -Ztrim-diagnostic-paths=no` writes. Its form is not promised, so the reader takes what it knows,
//! skips a body that it cannot read, counts it, and never fails.

pub(crate) mod callee;
mod cursor;
mod line;
pub(crate) mod model;
mod nothing;
mod parser;
mod states;
pub(crate) mod types;

pub(crate) use parser::parse;
