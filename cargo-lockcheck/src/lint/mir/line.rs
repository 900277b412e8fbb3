//! One line of a body: a terminator, a call, a place, a value.

use super::callee::Callee;
use super::cursor::{Cursor, rfind};
use super::model::{Call, Called, Operand, Place, Rvalue, Step, Terminator};

/// A terminator that is not a call; the outer nothing is one that cannot be read.
#[expect(clippy::option_option, reason = "not a terminator, and not readable, are two answers")]
pub(crate) fn terminator(text: &str) -> Option<Option<Terminator<'_>>> {
    Some(Some(match text {
        "return" => Terminator::Return,
        "unreachable" | "resume" | "abort" => Terminator::Stop,
        _ if text.starts_with("terminate(") || text.starts_with("coroutine_drop") => {
            Terminator::Stop
        }
        _ if text.starts_with("goto -> ") => Terminator::Goto(targets(text)),
        _ if text.starts_with("switchInt(") => {
            let mut cursor = Cursor::new(&text["switchInt(".len()..]);
            let value = operand(&mut cursor)?;
            cursor.expect(") -> [")?;
            let mut cases = Vec::new();
            let mut otherwise = None;
            loop {
                if cursor.eat("otherwise: bb") {
                    otherwise = Some(cursor.number()?);
                } else {
                    // A negative case is of no interest but must be passed.
                    let sign = cursor.eat("-");
                    let case: u128 = cursor.number()?;
                    cursor.expect(": bb")?;
                    cases.push((if sign { u128::MAX - case } else { case }, cursor.number()?));
                }
                if !cursor.eat(", ") {
                    break;
                }
            }
            Terminator::Switch(value, cases, otherwise)
        }
        _ if text.starts_with("drop(") => {
            let mut cursor = Cursor::new(&text["drop(".len()..]);
            let place = place(&mut cursor)?;
            Terminator::Drop(place, return_target(cursor.rest()))
        }
        _ if text.starts_with("assert(")
            || text.starts_with("falseEdge -> ")
            || text.starts_with("falseUnwind -> ")
            || text.starts_with("yield(")
            || text.starts_with("asm!(")
            || text.starts_with("tailcall ") =>
        {
            let arrow = text.rfind(" -> ").map_or("", |at| &text[at..]);
            let unwind = arrow.find("unwind: bb").map(|at| targets(&arrow[at..]));
            let unwind = unwind.and_then(|blocks| blocks.first().copied());
            Terminator::Goto(targets(arrow).into_iter().filter(|bb| Some(*bb) != unwind).collect())
        }
        _ => return Some(None),
    }))
}

/// All block numbers of a text.
fn targets(text: &str) -> Vec<u32> {
    text.match_indices("bb").filter_map(|(at, _)| Cursor::new(&text[at + 2..]).number()).collect()
}

/// Where a call or drop goes on.
fn return_target(text: &str) -> Option<u32> {
    let arrow = &text[rfind(text, b" -> ")?..];
    let at = arrow.find("return: bb").map(|at| at + "return: bb".len());
    let at = at.or_else(|| arrow.strip_prefix(" -> bb").map(|_| " -> bb".len()))?;
    Cursor::new(&arrow[at..]).number()
}

/// The right side of a call with its targets, or nothing when it is no call.
pub(crate) fn call<'a>(dest: Place<'a>, text: &'a str) -> Option<Call<'a>> {
    let arrow = rfind(text, b") -> ")?;
    let tail = &text[arrow + 1..];
    if !tail.starts_with(" -> [return: bb")
        && !tail.starts_with(" -> unwind")
        && !tail.starts_with(" -> bb")
        && !tail.starts_with(" -> [unwind")
    {
        return None;
    }
    let mut cursor = Cursor::new(&text[..arrow]);
    let called = if cursor.eat("move ") || cursor.eat("copy ") {
        Called::Pointer(place(&mut cursor)?)
    } else {
        cursor.eat("const ");
        // The argument list opens at the first parenthesis outside angle brackets and braces.
        let bytes = cursor.rest().as_bytes();
        let mut depth = 0i32;
        let open = (0..bytes.len()).find(|&at| {
            match bytes[at] {
                b'<' | b'{' => depth += 1,
                b'}' => depth -= 1,
                b'>' if at == 0 || bytes[at - 1] != b'-' => depth -= 1,
                _ => {}
            }
            depth == 0 && bytes[at] == b'('
        })?;
        let (path, rest) = cursor.rest().split_at(open);
        cursor = Cursor::new(rest);
        Called::Function(Callee::new(path))
    };
    cursor.expect("(")?;
    Some(Call { called, args: operands(&mut cursor, b')')?, dest, target: return_target(tail) })
}

/// Operands up to a closing byte or the end.
fn operands<'a>(cursor: &mut Cursor<'a>, close: u8) -> Option<Vec<Operand<'a>>> {
    let mut list = Vec::new();
    loop {
        let closes = cursor.rest().as_bytes().first() == Some(&close);
        if cursor.is_empty() || closes {
            return Some(list);
        }
        list.push(operand(cursor)?);
        cursor.eat(",");
        cursor.eat(" ");
    }
}

/// `copy P`, `move P`, or a constant up to the next comma or closing bracket.
fn operand<'a>(cursor: &mut Cursor<'a>) -> Option<Operand<'a>> {
    if cursor.eat("move ") {
        return Some(Operand::Move(place(cursor)?));
    }
    if cursor.eat("copy ") {
        return Some(Operand::Copy(place(cursor)?));
    }
    let is_const = cursor.eat("const ");
    // The last of a struct's fields has a space before the closing bracket.
    let text = cursor.until(b",)]}", true).trim_end();
    (is_const || !text.is_empty()).then_some(Operand::Const(text))
}

/// `_3`, `(*P)`, `(P.0: T)`, `(P as V)`, `P[…]`.
pub(crate) fn place<'a>(cursor: &mut Cursor<'a>) -> Option<Place<'a>> {
    // Each parenthesis is one byte of input; a limit keeps a hostile text from using up the stack.
    place_within(cursor, 256)
}

fn place_within<'a>(cursor: &mut Cursor<'a>, depth: usize) -> Option<Place<'a>> {
    let depth = depth.checked_sub(1)?;
    let mut result = if cursor.eat("_") {
        Place::local(cursor.number()?)
    } else {
        cursor.expect("(")?;
        if cursor.eat("*") {
            let mut inner = place_within(cursor, depth)?;
            cursor.expect(")")?;
            inner.steps.push(Step::Deref);
            inner
        } else {
            let mut inner = place_within(cursor, depth)?;
            if cursor.eat(" as ") {
                let subtype = cursor.eat("subtype ");
                let variant = cursor.until(b")", true);
                if !subtype {
                    inner.steps.push(Step::Variant(variant));
                }
            } else {
                cursor.expect(".")?;
                let field = cursor.number()?;
                cursor.expect(": ")?;
                inner.steps.push(Step::Field(field, cursor.until(b")", false)));
            }
            cursor.expect(")")?;
            inner
        }
    };
    while cursor.eat("[") {
        let which = cursor.until(b"]", false);
        cursor.expect("]")?;
        result.steps.push(Step::Index(which));
    }
    Some(result)
}

/// The path and the fields of a struct or variant that a statement puts together:
/// `_1 = Bank { cash: move _2, debt: move _3 };`.
pub(crate) fn fields_of(text: &str) -> Option<(&str, Vec<&str>)> {
    // Most statements are told by this.
    memchr::memmem::find(text.as_bytes(), b" { ")?;
    let (_, value) = text.split_once(" = ")?;
    let mut cursor = Cursor::new(value);
    let name = cursor.until(b"( {", true);
    if name.is_empty() || !cursor.eat(" { ") {
        return None;
    }
    let mut names = Vec::new();
    while !cursor.eat("}") {
        names.push(cursor.until(b":", false));
        cursor.expect(": ")?;
        operand(&mut cursor)?;
        cursor.eat(",");
        cursor.eat(" ");
    }
    Some((name, names))
}

/// The right side of an assignment that is no call.
pub(crate) fn rvalue(text: &str) -> Rvalue<'_> {
    try_rvalue(text).unwrap_or(Rvalue::Other)
}

fn try_rvalue(text: &str) -> Option<Rvalue<'_>> {
    if let Some(rest) = text.strip_prefix('&') {
        if let Some(name) = rest.strip_prefix("/*tls*/ ") {
            return Some(Rvalue::Static(name));
        }
        let mut cursor = Cursor::new(rest);
        for word in ["raw const ", "raw mut ", "fake shallow ", "fake deep ", "fake "] {
            if cursor.eat(word) {
                break;
            }
        }
        cursor.eat("two_phase ");
        cursor.eat("mut ");
        return Some(Rvalue::Ref(place(&mut cursor)?));
    }
    // Newer compilers say so of a copy that makes no borrow.
    let text = text.strip_prefix("no_retag ").unwrap_or(text);
    let mut cursor = Cursor::new(text);
    // Older compilers have a word of its own for the copy of a reference that is only looked through.
    if cursor.eat("deref_copy ") {
        let copied = place(&mut cursor)?;
        return cursor.is_empty().then_some(Rvalue::Use(Operand::Copy(copied)));
    }
    if text.starts_with("move ") || text.starts_with("copy ") {
        let operand = operand(&mut cursor)?;
        if cursor.eat(" as ") {
            return Some(Rvalue::Cast(operand, cursor.rest()));
        }
        return cursor.is_empty().then_some(Rvalue::Use(operand));
    }
    if let Some(rest) = text.strip_prefix("const ") {
        // A cast of a constant; `as` inside a path stands in angle brackets.
        let mut cursor = Cursor::new(rest);
        let value = cursor.until(b" ", true);
        if cursor.rest().starts_with(" as ") && !value.starts_with(['"', '\'']) {
            return Some(Rvalue::Cast(Operand::Const(value), &cursor.rest()[4..]));
        }
        return Some(Rvalue::Use(Operand::Const(rest)));
    }
    if let Some(rest) = text.strip_prefix("discriminant(") {
        let mut cursor = Cursor::new(rest);
        return Some(Rvalue::Discriminant(place(&mut cursor)?));
    }
    if cursor.eat("(") {
        return Some(Rvalue::Aggregate("", operands(&mut cursor, b')')?));
    }
    if cursor.eat("[") {
        return Some(Rvalue::Aggregate("[]", operands(&mut cursor, b']')?));
    }
    // A path, then its fields; a closure's or coroutine's type is a path here.
    let name = if text.starts_with('{') {
        let mut depth = 0i32;
        let end = text.bytes().position(|byte| {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            depth == 0
        })? + 1;
        cursor = Cursor::new(&text[end..]);
        &text[..end]
    } else {
        cursor.until(b"( {", true)
    };
    if cursor.eat("(") {
        return Some(Rvalue::Aggregate(name, operands(&mut cursor, b')')?));
    }
    if cursor.eat(" { ") {
        let mut values = Vec::new();
        while !cursor.eat("}") {
            cursor.until(b":", false);
            cursor.expect(": ")?;
            values.push(operand(&mut cursor)?);
            cursor.eat(",");
            cursor.eat(" ");
        }
        return Some(Rvalue::Aggregate(name, values));
    }
    if cursor.eat(" as ") {
        return Some(Rvalue::Cast(Operand::Const(name), cursor.rest()));
    }
    cursor.is_empty().then(|| Rvalue::Aggregate(name, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::super::model::{Operand, Rvalue};
    use super::{fields_of, rvalue};

    #[test]
    fn the_last_field_of_a_struct_may_be_a_constant() {
        let text = "Flusher { pending: move _8, spare: move _10, rounds: const 10_usize }";
        let Rvalue::Aggregate("Flusher", values) = rvalue(text) else { panic!("no aggregate") };
        assert_eq!(values.len(), 3);
        assert!(matches!(values[2], Operand::Const("10_usize")));
        let text = "_7 = Named { first: move _8, name: const \"a } b\" }";
        assert_eq!(fields_of(text), Some(("Named", vec!["first", "name"])));
    }
}
