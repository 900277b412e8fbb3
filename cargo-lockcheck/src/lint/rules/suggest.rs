//! Edits that cure a finding and compile for sure: a guard that is dropped before the statement
//! that must not run under it, and a value that is bound before the `match` over it, so that the
//! guard which it was read under is no temporary of the `match` any more.
//!
//! The first is offered only where the source shows that nobody misses the guard: it is bound by a
//! plain `let`, the statement is in no loop or closure within, neither the guard nor anything that
//! may borrow from it is named from there on, and it was not given away before. Words in comments
//! and strings count as names, so the answer errs to nothing. The second is offered for values that
//! cannot borrow from the guard.

use std::ops::Range;

use proc_macro2::LineColumn;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Item, Pat, Stmt};

use crate::report::model::{Edit, Place, Suggestion};

/// A guard as the source names it.
pub(crate) struct Guard<'g> {
    /// The variable.
    pub(crate) name: &'g str,
    /// Where it is taken.
    pub(crate) taken: &'g Place,
    /// The other variables that cannot borrow from it: parameters, and what holds no reference.
    pub(crate) owned: &'g [&'g str],
    /// All other variables of the body.
    pub(crate) others: &'g [&'g str],
}

/// The edit that drops a guard before what happens at `here`.
pub(crate) fn drop_before(text: &str, guard: &Guard<'_>, here: &Place) -> Option<Suggestion> {
    let file = syn::parse_file(text).ok()?;
    let mut finder = Finder { text, guard, here: position(here), found: None };
    finder.visit_file(&file);
    let at = finder.found?;
    Some(Suggestion {
        message: format!("drop `{}` first", guard.name),
        edits: vec![statement_before(text, at, &here.file, &format!("drop({});", guard.name))],
        // A name like `_guard` says that the guard is kept for what it keeps out.
        is_certain: !guard.name.starts_with('_'),
    })
}

/// The edits that bind the value of a `match` or `if let` before it, when the guard that is `taken`
/// for it lives while what happens `here`. `is_free` tells of the method that gives the value, by
/// line and column from one, whether the value borrows from nothing.
pub(crate) fn bind_before(
    text: &str,
    taken: &Place,
    here: &Place,
    is_free: &dyn Fn(u32, u32) -> bool,
) -> Option<Suggestion> {
    let file = syn::parse_file(text).ok()?;
    let mut matches = Matches { taken: position(taken), here: position(here), found: None };
    matches.visit_file(&file);
    let found = matches.found?;
    let rest = text.get(found.start..found.end)?;
    let is_unused = |name: &&str| words(rest, name).next().is_none();
    let name = ["value", "found", "current"].into_iter().find(is_unused)?;
    if !is_free(found.method.line as u32, found.method.column as u32 + 1) {
        return None;
    }
    let value = text.get(found.value.clone())?;
    let bound = format!("let {name} = {value};");
    let replaced = Edit {
        place: place_at(text, found.value.start, &here.file),
        end: place_at(text, found.value.end, &here.file),
        text: name.to_owned(),
    };
    Some(Suggestion {
        message: format!("bind what is read under the lock first, as `{name}`"),
        edits: vec![statement_before(text, found.start, &here.file, &bound), replaced],
        is_certain: true,
    })
}

/// Puts a statement before the one that begins at an offset.
fn statement_before(text: &str, at: usize, file: &str, statement: &str) -> Edit {
    let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let indent = &text[begin..at];
    let between = if indent.trim().is_empty() { format!("\n{indent}") } else { " ".to_owned() };
    let place = place_at(text, at, file);
    Edit { end: place.clone(), place, text: format!("{statement}{between}") }
}

fn place_at(text: &str, at: usize, file: &str) -> Place {
    let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[..at].matches('\n').count() as u32 + 1;
    Place { file: file.to_owned(), line, column: text[begin..at].chars().count() as u32 + 1 }
}

fn position(place: &Place) -> LineColumn {
    LineColumn { line: place.line as usize, column: (place.column as usize).saturating_sub(1) }
}

fn contains(spanned: &dyn Spanned, at: LineColumn) -> bool {
    let span = spanned.span();
    span.start() <= at && at < span.end()
}

/// Looks for the block that the guard is bound in.
struct Finder<'f> {
    text: &'f str,
    guard: &'f Guard<'f>,
    here: LineColumn,
    /// The offset of the statement before which the guard is to be dropped.
    found: Option<usize>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_block(&mut self, block: &'ast Block) {
        let braces = block.brace_token.span;
        if !(braces.open().start()..braces.close().end()).contains(&self.here) {
            return;
        }
        let binds = |stmt: &Stmt| is_bound_by(stmt, self.guard);
        if let Some(bound) = block.stmts.iter().position(binds) {
            self.found = self.statement(block, bound);
        } else {
            visit::visit_block(self, block);
        }
    }
}

impl Finder<'_> {
    /// The offset of the innermost statement at the place, if the guard may be dropped before it.
    fn statement(&self, block: &Block, bound: usize) -> Option<usize> {
        let rest = &block.stmts[bound + 1..];
        let outer = rest.iter().find(|stmt| contains(stmt, self.here))?;
        let start = outer.span().byte_range().start;
        let mut inner = Inner { here: self.here, start, is_straight: true };
        inner.visit_stmt(outer);
        let between = block.stmts[bound].span().byte_range().end..inner.start;
        let after = inner.start..block.brace_token.span.close().byte_range().start;
        let (between, after) = (self.text.get(between)?, self.text.get(after)?);
        let guard = self.guard;
        let is_free = inner.is_straight
            && words(after, guard.name).next().is_none()
            && words(between, guard.name).all(|at| is_looked_at(between, at, guard.name))
            && guard.others.iter().all(|name| {
                guard.owned.contains(name)
                    || words(between, name).next().is_none()
                    || words(after, name).next().is_none()
            });
        is_free.then_some(inner.start)
    }
}

/// Whether a statement is the `let` that keeps the guard.
fn is_bound_by(stmt: &Stmt, guard: &Guard<'_>) -> bool {
    let Stmt::Local(local) = stmt else { return false };
    let mut pat = &local.pat;
    if let Pat::Type(typed) = pat {
        pat = &typed.pat;
    }
    let Pat::Ident(ident) = pat else { return false };
    let Some(init) = &local.init else { return false };
    let is_plain = ident.by_ref.is_none() && ident.subpat.is_none() && init.diverge.is_none();
    is_plain && ident.ident == guard.name && contains(&init.expr, position(guard.taken))
}

/// Looks for the statement that is a `match` or `if let` over what a guard is taken for.
struct Matches {
    taken: LineColumn,
    here: LineColumn,
    found: Option<Match>,
}

/// Such a statement.
struct Match {
    /// Where it starts, and where the block ends that it is in.
    start: usize,
    end: usize,
    /// What is matched.
    value: Range<usize>,
    /// The method that gives it.
    method: LineColumn,
}

impl<'ast> Visit<'ast> for Matches {
    fn visit_block(&mut self, block: &'ast Block) {
        let braces = block.brace_token.span;
        if !(braces.open().start()..braces.close().end()).contains(&self.here) {
            return;
        }
        for stmt in &block.stmts {
            let expr = match stmt {
                Stmt::Expr(expr, _) => Some(expr),
                Stmt::Local(local) => local.init.as_ref().map(|init| &*init.expr),
                _ => None,
            };
            let value = match expr {
                Some(Expr::Match(of)) => Some(&*of.expr),
                Some(Expr::If(of)) => match &*of.cond {
                    Expr::Let(of) => Some(&*of.expr),
                    _ => None,
                },
                _ => None,
            };
            if let Some(Expr::MethodCall(call)) = value
                && contains(call, self.taken)
                && contains(stmt, self.here)
                && !contains(call, self.here)
            {
                self.found = Some(Match {
                    start: stmt.span().byte_range().start,
                    end: braces.close().byte_range().start,
                    value: call.span().byte_range(),
                    method: call.method.span().start(),
                });
            }
        }
        visit::visit_block(self, block);
    }
}

/// Goes down to the innermost statement at a place.
struct Inner {
    here: LineColumn,
    start: usize,
    /// Whether it runs at most once for each time that the guard is bound, in the same body.
    is_straight: bool,
}

impl<'ast> Visit<'ast> for Inner {
    fn visit_block(&mut self, block: &'ast Block) {
        if let Some(stmt) = block.stmts.iter().find(|stmt| contains(*stmt, self.here)) {
            self.start = stmt.span().byte_range().start;
            self.visit_stmt(stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        let leaves = matches!(
            expr,
            Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) | Expr::Closure(_) | Expr::Async(_)
        );
        if leaves && contains(expr, self.here) {
            self.is_straight = false;
        }
        visit::visit_expr(self, expr);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        self.is_straight &= !contains(item, self.here);
    }
}

/// Where a word stands in a text, but for the name of a field or method after a `.`.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        let is_member = before.ends_with('.') && !before.ends_with("..");
        !before.ends_with(is_part) && !after.starts_with(is_part) && !is_member
    })
}

/// Whether the guard's name stands there for what it guards, or for a reference: `*guard`,
/// `guard.push(1)`, `&guard`.
fn is_looked_at(text: &str, at: usize, name: &str) -> bool {
    let before = text[..at].trim_end();
    let before = before.strip_suffix("mut").map_or(before, str::trim_end);
    let after = text[at + name.len()..].trim_start();
    before.ends_with(['*', '&']) || after.starts_with('.') && !after.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::{Guard, drop_before};
    use crate::report::model::Place;

    /// What becomes of a function of which a line takes the guard `log` and another has the mark
    /// `HERE`.
    fn edited(body: &str) -> Option<String> {
        let text = format!("fn f(&self, pages: &Pages) {{\n{body}}}\n");
        let place = |mark: &str| {
            let at = text.find(mark).expect("it is there");
            let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let line = text[..at].matches('\n').count() as u32 + 1;
            Place { file: "a.rs".to_owned(), line, column: (at - begin) as u32 + 1 }
        };
        let guard = Guard {
            name: "log",
            taken: &place("TAKEN"),
            owned: &["count", "pages"],
            others: &["count", "pages", "first"],
        };
        let found = drop_before(&text, &guard, &place("HERE"))?;
        assert!(found.is_certain);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let [edit] = found.edits.as_slice() else { panic!("{found:?}") };
        let at =
            lines[..edit.place.line as usize - 1].concat().len() + edit.place.column as usize - 1;
        Some(format!("{}{}{}", &text[..at], edit.text, &text[at..]))
    }

    #[test]
    fn the_guard_is_dropped_before_the_statement() {
        let text = edited("    let log = TAKEN();\n    let count = log.len();\n    HERE(count);\n");
        let text = text.expect("nobody misses it");
        assert!(text.contains("log.len();\n    drop(log);\n    HERE(count);\n"), "{text}");
    }

    #[test]
    fn within_a_block_it_is_dropped_there() {
        let text = edited("    let log = TAKEN();\n    if log.full() {\n        HERE();\n    }\n");
        let text = text.expect("nobody misses it");
        assert!(text.contains("{\n        drop(log);\n        HERE();\n"), "{text}");
        let text = edited("    let log = TAKEN(); HERE();\n").expect("nobody misses it");
        assert!(text.contains("let log = TAKEN(); drop(log); HERE();"), "{text}");
    }

    #[test]
    fn a_field_of_its_name_is_another_thing() {
        let text = edited("    let log = TAKEN();\n    HERE(self.log, self.log.len());\n");
        assert!(text.expect("nobody misses it").contains("    drop(log);\n    HERE("));
        assert_eq!(edited("    let log = TAKEN();\n    HERE(0..log);\n"), None);
    }

    #[test]
    fn what_may_be_missed_is_kept() {
        for body in [
            // Needed by the statement itself, or later.
            "    let log = TAKEN();\n    HERE(*log);\n",
            "    let log = TAKEN();\n    HERE();\n    log.push(1);\n",
            "    let log = TAKEN();\n    HERE();\n    println!(\"{log}\");\n",
            // Borrowed from.
            "    let log = TAKEN();\n    let first = log.first();\n    HERE(first);\n",
            // Given away, perhaps.
            "    let log = TAKEN();\n    if c { drop(log); }\n    HERE();\n",
            "    let log = TAKEN();\n    let log = wait(log);\n    HERE();\n",
            // More than once, or not here.
            "    let log = TAKEN();\n    for _ in 0..2 {\n        HERE();\n    }\n",
            "    let log = TAKEN();\n    let run = || HERE();\n",
            // Not kept by a plain `let`.
            "    let (log, _) = TAKEN();\n    HERE();\n",
            "    let Some(log) = TAKEN() else { return };\n    HERE();\n",
            "    if let Ok(log) = TAKEN() {\n        HERE();\n    }\n",
            "    HERE(TAKEN());\n",
        ] {
            assert_eq!(edited(body), None, "{body}");
        }
    }
}
