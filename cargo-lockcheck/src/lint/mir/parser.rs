//! From the text of a crate's MIR to its bodies.
//!
//! Line by line: the compiler writes one statement a line and puts the source span in a comment
//! behind it. A line of a form that is not known is passed over when no guard can be lost by it;
//! otherwise the whole body is skipped and counted.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::cursor::{Cursor, rfind};
use super::line::{call, fields_of, place, rvalue, terminator};
use super::model::{
    Block, Body, BodyKind, Called, Local, MirCrate, Operand, Place, Rvalue, Span, Statement,
    StatementKind, Terminator,
};

use super::{nothing, states};

/// As much text as one thread reads at a time.
const SHARE: usize = 1 << 20;

/// Reads a crate's MIR, on all processors.
pub(crate) fn parse(text: &str) -> MirCrate<'_> {
    let parts: Vec<&str> = shares(text, SHARE).collect();
    let parts: Vec<MirCrate<'_>> = parts.into_par_iter().map(parse_part).collect();
    let mut whole = MirCrate::default();
    let mut seen = HashSet::new();
    for part in parts {
        whole.statics.extend(part.statics);
        whole.numbers.extend(part.numbers);
        whole.fields.extend(part.fields);
        whole.skipped += part.skipped;
        let new = part.bodies.into_iter().filter(|body| seen.insert((body.name, body.kind)));
        whole.bodies.extend(new);
    }
    whole
}

/// A text in pieces of about this size that end where a body ends.
fn shares(text: &str, share: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.as_bytes().get(share..).and_then(|tail| {
            tail.windows(3).position(|window| window == b"\n}\n").map(|at| share + at + 3)
        });
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

/// The lines of a text, for which most of the reading is looking.
struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest.as_bytes());
        let (line, rest) = self.rest.split_at(end.map_or(self.rest.len(), |end| end + 1));
        self.rest = rest;
        Some(line.strip_suffix('\n').unwrap_or(line))
    }
}

/// Reads a part of a crate's MIR.
fn parse_part(text: &str) -> MirCrate<'_> {
    let mut krate = MirCrate::default();
    let mut lines = Lines { rest: text };
    let mut duplicate = false;
    while let Some(line) = lines.next() {
        if line.starts_with("// MIR FOR CTFE") {
            duplicate = true;
            continue;
        }
        if let Some(rest) = line.strip_prefix("alloc") {
            if let Some((number, name)) = static_of_alloc(rest) {
                krate.statics.insert(number, name);
            }
            continue;
        }
        if let Some((name, number)) = number_of_constant(line) {
            krate.numbers.insert(name, number);
            continue;
        }
        if !line.ends_with('{') || line.starts_with([' ', '/', '}']) || line.contains("│") {
            continue;
        }
        let Some(mut body) = header(line) else {
            krate.skipped += u64::from(line.starts_with("fn "));
            continue;
        };
        let whole = contents(&mut body, &mut lines, &mut krate.fields).is_some();
        if std::mem::take(&mut duplicate) {
            continue;
        }
        if whole && is_consistent(&body) {
            states::unite(&mut body);
            nothing::take_out(&mut body);
            krate.numbers.extend(number_of_body(&body).map(|number| (body.name, number)));
            krate.bodies.push(body);
        } else {
            krate.skipped += 1;
        }
    }
    krate
}

/// `15 (static: NAME, size: 24, align: 8) {` as number and name.
fn static_of_alloc(rest: &str) -> Option<(u32, &str)> {
    let mut cursor = Cursor::new(rest);
    let number = cursor.number()?;
    cursor.expect(" (static: ")?;
    Some((number, cursor.until(b",)", true).trim()))
}

/// `const NAME: usize = const 15_usize;` as name and number.
fn number_of_constant(line: &str) -> Option<(&str, u64)> {
    let rest = line.strip_prefix("const ")?.strip_suffix("_usize;")?;
    let (name, number) = rest.split_once(": usize = const ")?;
    Some((name, number.parse().ok()?))
}

/// The number that a constant is whose body computes nothing else, as older compilers write it.
fn number_of_body(body: &Body<'_>) -> Option<u64> {
    let ([block], BodyKind::Const, "usize") = (&*body.blocks, body.kind, body.locals[0].ty) else {
        return None;
    };
    let [Statement { kind: StatementKind::Assign(_, Rvalue::Use(Operand::Const(text))), .. }] =
        &*block.statements
    else {
        return None;
    };
    text.strip_suffix("_usize")?.parse().ok()
}

/// A body's first line.
fn header(line: &str) -> Option<Body<'_>> {
    let line = line.strip_suffix(" {")?;
    let mut locals = vec![Local::default()];
    let (kind, name) = if let Some(rest) = line.strip_prefix("fn ") {
        let open = rest.find("(_1: ").or_else(|| rest.find("() -> "))?;
        let (name, rest) = rest.split_at(open);
        let mut cursor = Cursor::new(rest);
        cursor.expect("(")?;
        while !cursor.eat(")") {
            cursor.expect("_")?;
            let number: usize = cursor.number()?;
            if number != locals.len() {
                return None;
            }
            cursor.expect(": ")?;
            locals.push(Local { ty: cursor.until(b",)", true) });
            cursor.eat(", ");
        }
        locals[0].ty = cursor.rest().strip_prefix(" -> ").unwrap_or("()");
        (BodyKind::Fn, name)
    } else {
        let line = line.strip_suffix(" =")?;
        let (kind, rest) = match line.strip_prefix("static ") {
            Some(rest) => (BodyKind::Static, rest.strip_prefix("mut ").unwrap_or(rest)),
            None => (BodyKind::Const, line.strip_prefix("const ").unwrap_or(line)),
        };
        // `NAME: TYPE`; a colon of `<impl at src/a.rs:1:2: 3:4>` stands in angle brackets.
        let bytes = rest.as_bytes();
        let mut angles = 0i32;
        let colon = (0..bytes.len()).find(|&at| {
            match bytes[at] {
                b'<' => angles += 1,
                b'>' if at == 0 || bytes[at - 1] != b'-' => angles -= 1,
                _ => {}
            }
            angles == 0 && bytes[at] == b':' && bytes.get(at + 1) == Some(&b' ')
        })?;
        locals[0].ty = &rest[colon + 2..];
        (kind, &rest[..colon])
    };
    Some(Body {
        kind,
        name,
        params: locals.len() - 1,
        locals,
        blocks: Vec::new(),
        span: Span::default(),
        names: Vec::new(),
    })
}

/// Reads the lines up to the closing brace. Nothing says that a line could not be read; then too
/// all lines of the body have been taken.
fn contents<'a>(
    body: &mut Body<'a>,
    lines: &mut Lines<'a>,
    fields: &mut HashMap<&'a str, Vec<&'a str>>,
) -> Option<()> {
    let mut whole = Some(());
    let mut block: Option<Block<'a>> = None;
    let mut wants_name = false;
    while let Some(line) = lines.next() {
        if line == "}" {
            return whole;
        }
        let text = line.trim_ascii_start();
        if text.is_empty() || text.starts_with("//") {
            // Behind a call stands where its function is named: for a method, past the receiver.
            if let (Some(current), Some(span)) = (&mut block, text.strip_prefix("// + span: "))
                && std::mem::take(&mut wants_name)
            {
                current.span = Span(span.trim_end());
            }
            continue;
        }
        if let Some(rest) = text.strip_prefix("Storage") {
            if let (Some(current), Some(rest)) = (&mut block, rest.strip_prefix("Dead(_")) {
                match Cursor::new(rest).number() {
                    Some(local) => current.statements.push(Statement {
                        kind: StatementKind::StorageDead(local),
                        span: Span::default(),
                    }),
                    None => whole = None,
                }
            }
            continue;
        }
        let (text, span) = split_comment(text);
        if let Some(current) = &mut block {
            if text == "}" {
                body.blocks.extend(block.take());
                continue;
            }
            if let Some((name, names)) = fields_of(text) {
                fields.entry(name).or_insert(names);
            }
            if block_line(current, text, span).is_none() {
                whole = None;
            }
            wants_name =
                matches!(&current.terminator, Terminator::Call(call) if call.callee().is_some());
        } else if let Some(rest) = text.strip_prefix("bb") {
            let mut cursor = Cursor::new(rest);
            if cursor.number() != Some(body.blocks.len()) {
                whole = None;
            }
            block = Some(Block { cleanup: cursor.eat(" (cleanup)"), ..Block::default() });
        } else if let Some(rest) = text.strip_prefix("let ") {
            if declaration(body, rest.strip_prefix("mut ").unwrap_or(rest), span).is_none() {
                whole = None;
            }
        } else if let Some(rest) = text.strip_prefix("debug ") {
            // A name whose value is not a plain place only costs a name.
            body.names.extend(name(rest));
        }
    }
    None
}

/// A line without its comment, and the span in the comment.
fn split_comment(line: &str) -> (&str, Span<'_>) {
    let span = |comment| {
        let mut cursor = Cursor::new(comment);
        cursor.eat("return place ");
        cursor.eat("in ");
        cursor.expect("scope ")?;
        let _scope: u32 = cursor.number()?;
        cursor.expect(" at ")?;
        Some(Span(cursor.rest().trim_ascii_end()))
    };
    let comment = rfind(line, b"// ").map(|at| line.split_at(at));
    match comment.and_then(|(text, comment)| Some((text, span(&comment[3..])?))) {
        Some((text, span)) => (text.trim_ascii_end(), span),
        None => (line.trim_ascii_end(), Span::default()),
    }
}

/// `_3: TYPE;`
fn declaration<'a>(body: &mut Body<'a>, text: &'a str, span: Span<'a>) -> Option<()> {
    let mut cursor = Cursor::new(text.strip_suffix(';')?);
    cursor.expect("_")?;
    let number: usize = cursor.number()?;
    cursor.expect(": ")?;
    // A local more than all lines of a body could declare is not to be believed.
    if number > 1 << 20 {
        return None;
    }
    if number >= body.locals.len() {
        body.locals.resize(number + 1, Local::default());
    }
    body.locals[number].ty = cursor.rest();
    if number == 0 {
        body.span = span;
    }
    Some(())
}

/// `name => PLACE;`
fn name(text: &str) -> Option<(&str, Place<'_>)> {
    let (name, value) = text.strip_suffix(';')?.split_once(" => ")?;
    let mut cursor = Cursor::new(value);
    let place = place(&mut cursor)?;
    cursor.is_empty().then_some((name, place))
}

/// A statement or terminator.
fn block_line<'a>(block: &mut Block<'a>, text: &'a str, span: Span<'a>) -> Option<()> {
    let text = text.strip_suffix(';')?;
    if !text.starts_with(['_', '(']) {
        if let Some(terminator) = terminator(text)? {
            block.terminator = terminator;
            block.span = span;
        } else if let Some(rest) = text.strip_prefix("discriminant(") {
            let mut cursor = Cursor::new(rest);
            let place = place(&mut cursor)?;
            cursor.expect(") = ")?;
            let kind = StatementKind::SetDiscriminant(place, cursor.number()?);
            block.statements.push(Statement { kind, span });
        }
        // `FakeRead`, `PlaceMention`, `AscribeUserType`, `Coverage`, `nop`, …
        return Some(());
    }
    let mut cursor = Cursor::new(text);
    let dest = place(&mut cursor)?;
    cursor.expect(" = ")?;
    if let Some(call) = call(dest.clone(), cursor.rest()) {
        block.terminator = Terminator::Call(call);
        block.span = span;
        return Some(());
    }
    let kind = StatementKind::Assign(dest, rvalue(cursor.rest()));
    block.statements.push(Statement { kind, span });
    Some(())
}

/// Whether every number in the body is one of its own.
fn is_consistent(body: &Body<'_>) -> bool {
    let locals = body.locals.len() as u32;
    let blocks = body.blocks.len() as u32;
    let place_is = |place: &Place<'_>| place.local < locals;
    let operand_is = |operand: &Operand<'_>| operand.place().is_none_or(place_is);
    !body.blocks.is_empty()
        && body.names.iter().all(|(_, place)| place_is(place))
        && body.blocks.iter().all(|block| {
            block.terminator.targets().all(|target| target < blocks)
                && block.statements.iter().all(|statement| match &statement.kind {
                    StatementKind::Assign(place, value) => {
                        place_is(place)
                            && match value {
                                Rvalue::Use(value) | Rvalue::Cast(value, _) => operand_is(value),
                                Rvalue::Ref(place) | Rvalue::Discriminant(place) => place_is(place),
                                Rvalue::Aggregate(_, values) => values.iter().all(operand_is),
                                Rvalue::Static(_) | Rvalue::Other => true,
                            }
                    }
                    StatementKind::StorageDead(local) => *local < locals,
                    StatementKind::SetDiscriminant(place, _) => place_is(place),
                })
                && match &block.terminator {
                    Terminator::Switch(value, ..) => operand_is(value),
                    Terminator::Call(call) => {
                        let called_is = match &call.called {
                            Called::Function(_) => true,
                            Called::Pointer(place) => place_is(place),
                        };
                        called_is && call.args.iter().all(operand_is) && place_is(&call.dest)
                    }
                    Terminator::Drop(place, _) => place_is(place),
                    Terminator::Goto(_) | Terminator::Return | Terminator::Stop => true,
                }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::super::model::{Body, BodyKind, Place, Rvalue, StatementKind, Step, Terminator};
    use super::{parse, parse_part, shares};

    /// What a compiler writes for `golden/golden.rs`.
    const GOLDEN: &str = include_str!("golden/rustc-1.95.mir");

    /// What the compilers between the oldest and the newest write for it.
    const GOLDENS: &[(&str, &str)] = &[
        ("1.85", include_str!("golden/rustc-1.85.mir")),
        ("1.95", GOLDEN),
        ("1.96", include_str!("golden/rustc-1.96.mir")),
        ("1.99", include_str!("golden/rustc-1.99.mir")),
        ("1.101", include_str!("golden/rustc-1.101.mir")),
    ];

    #[test]
    fn every_body_of_the_golden_files_is_read() {
        for (version, golden) in GOLDENS {
            let krate = parse(golden);
            let mut names: Vec<&str> = krate.bodies.iter().map(|body| body.name).collect();
            // How many constants a body has is the compiler's affair.
            names.retain(|name| !name.contains("promoted"));
            names.sort();
            assert_eq!(
                names,
                [
                    "<impl at golden.rs:9:1: 9:10>::guard",
                    "<impl at golden.rs:9:1: 9:10>::sum",
                    "<impl at golden.rs:9:1: 9:10>::sum::{closure#0}",
                    "<impl at golden.rs:9:1: 9:10>::sum::{closure#1}",
                    "TOTAL",
                    "later",
                    "later::{closure#0}",
                    "other",
                    "other::{closure#0}",
                    "print",
                ],
                "{version}"
            );
            assert_eq!(krate.skipped, 0, "{version}");
            let total = krate.bodies.iter().find(|body| body.name == "TOTAL");
            assert_eq!(total.map(|body| body.kind), Some(BodyKind::Static), "{version}");
            assert!(krate.statics.values().any(|name| *name == "TOTAL"), "{version}");
        }
    }

    #[test]
    fn the_golden_files_call_the_same_functions() {
        let calls = |golden| {
            let krate = parse(golden);
            let mut calls: Vec<String> = Vec::new();
            for body in &krate.bodies {
                for block in &body.blocks {
                    let Terminator::Call(call) = &block.terminator else { continue };
                    let Some(callee) = call.callee() else { continue };
                    // What the macros of the standard library call is its own affair.
                    let at = block.span.parts().filter(|(file, ..)| *file == "golden.rs");
                    let Some((_, line, column, ..)) = at else { continue };
                    let (args, name) = (call.args.len(), callee.text);
                    calls.push(format!("{}: {line}:{column} {name} of {args}", body.name));
                }
            }
            calls.sort();
            calls.dedup();
            calls
        };
        for (version, golden) in GOLDENS {
            assert_eq!(calls(golden), calls(GOLDEN), "{version}");
        }
    }

    #[test]
    fn the_golden_files_are_read_to_the_right_sides() {
        for (version, golden) in GOLDENS {
            let unread = |body: &Body<'_>| {
                let statements = body.blocks.iter().flat_map(|block| &block.statements);
                statements
                    .filter(|s| matches!(s.kind, StatementKind::Assign(_, Rvalue::Other)))
                    .count()
            };
            let unread: usize = parse(golden).bodies.iter().map(unread).sum();
            assert_eq!(unread, 0, "{version}");
        }
    }

    #[test]
    fn the_state_of_a_coroutine_has_one_name_in_all_golden_files() {
        let names = |golden| {
            let krate = parse(golden);
            let later = krate.bodies.into_iter().find(|body| body.name == "later::{closure#0}");
            let later = later.expect("it is there");
            let state = later.names.iter().find(|(name, _)| *name == "bank").map(|(_, p)| p.local);
            let saved = |place: &Place<'_>| Some(place.local) == state && place.steps.len() > 2;
            let assigned = later
                .blocks
                .iter()
                .flat_map(|block| &block.statements)
                .filter(|s| matches!(&s.kind, StatementKind::Assign(place, _) if saved(place)));
            assigned.count()
        };
        // Where variables are named by their number in the state, there is nothing to compare.
        for (version, golden) in
            GOLDENS.iter().filter(|(version, _)| !["1.99", "1.101"].contains(version))
        {
            assert_eq!(names(golden), names(GOLDEN), "{version}");
        }
        assert!(names(GOLDEN) > 0);
    }

    #[test]
    fn calls_have_their_parts() {
        let krate = parse(GOLDEN);
        let guard = &krate.bodies[1];
        assert_eq!(guard.params, 1);
        assert_eq!(guard.locals[1].ty, "&Bank");
        let calls: Vec<_> = guard
            .blocks
            .iter()
            .filter_map(|block| match &block.terminator {
                Terminator::Call(call) => Some((call, block.span)),
                _ => None,
            })
            .collect();
        let (lock, at) = calls[1];
        assert!(
            lock.callee().is_some_and(|callee| {
                callee.text == "std::sync::Mutex::<std::vec::Vec<u32>>::lock"
            }),
            "{lock:?}"
        );
        // The name of the method, not the receiver before it.
        assert_eq!((at.line(), at.parts().map(|parts| parts.2)), (11, Some(23)));
        let field = guard.blocks[0].statements.iter().find_map(|s| match &s.kind {
            StatementKind::Assign(_, Rvalue::Ref(place)) => Some(place),
            _ => None,
        });
        let steps = &field.expect("the field is borrowed").steps;
        assert!(matches!(steps[..], [Step::Deref, Step::Field(0, _)]), "{steps:?}");
    }

    #[test]
    fn quotes_and_brackets_in_constants_do_not_confuse() {
        let krate = parse(GOLDEN);
        let call = krate.bodies[6].blocks.iter().find_map(|block| match &block.terminator {
            Terminator::Call(call) if call.callee()?.text == "other" => Some(call),
            _ => None,
        });
        let args = &call.expect("the call of `other`").args;
        assert_eq!(args.len(), 2, "{args:?}");
    }

    #[test]
    fn a_text_that_is_read_in_parts_says_the_same() {
        let whole = parse(GOLDEN);
        for share in [1, 1000, 7000, 1 << 30] {
            let parts: Vec<_> = shares(GOLDEN, share).map(parse_part).collect();
            let bodies = parts.iter().flat_map(|part| &part.bodies);
            let read: Vec<_> = bodies.map(|body| (body.name, body.blocks.len())).collect();
            let expected = whole.bodies.iter().map(|body| (body.name, body.blocks.len()));
            assert_eq!(read, expected.collect::<Vec<_>>(), "in parts of {share} bytes");
        }
    }

    #[test]
    fn deep_nesting_neither_hangs_nor_overflows() {
        for bracket in ["(", "[", "{", "<", "(*", "&", "Some("] {
            let deep = bracket.repeat(50_000);
            let text = format!(
                "fn f(_1: {deep}) -> () {{\n    let _2: {deep};\n\n    bb0: {{\n        _2 = {deep};\n        \
                 _2 = f::<{deep}>({deep}) -> [return: bb1, unwind continue];\n    }}\n}}\n"
            );
            parse(&text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(192) })]

        #[test]
        fn bytes_of_any_kind_do_not_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn what_stands_before_a_cut_is_read(at in any::<prop::sample::Index>()) {
            let text = &GOLDEN[..floor(GOLDEN, at.index(GOLDEN.len()))];
            let (whole, cut) = (parse(GOLDEN), parse(text));
            prop_assert!(cut.skipped <= 1);
            for (known, read) in whole.bodies.iter().zip(&cut.bodies) {
                prop_assert_eq!((known.name, known.blocks.len()), (read.name, read.blocks.len()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,400}") {
            parse(&text);
        }

        #[test]
        fn no_change_of_the_golden_file_makes_it_panic(
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[(){}<>\\[\\]_0-9a-z:;,.'\"&*= é-]{0,6}"), 1..24)
        ) {
            let mut text = GOLDEN.to_owned();
            for (at, length, new) in edits {
                let at = floor(&text, at.index(text.len()));
                let end = floor(&text, (at + length).min(text.len()));
                text.replace_range(at..end.max(at), &new);
            }
            let krate = parse(&text);
            // What was read is consistent, whatever it says.
            for body in &krate.bodies {
                for block in &body.blocks {
                    prop_assert!(block.terminator.targets().all(|t| (t as usize) < body.blocks.len()));
                }
            }
        }
    }

    fn floor(text: &str, mut at: usize) -> usize {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}
