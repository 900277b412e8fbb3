//! A way in which a cycle comes about: every thread takes its first lock, then none gets its
//! second.

use std::fmt::Write;

use lockdep::finding::awaited;

use crate::report::model::{Edge, Finding, Mode, Sort};
use crate::report::wording;

/// More steps than this are not told one by one.
const STEPS: usize = 16;

/// The steps to the deadlock that `finding` warns of, in columns by thread when they fit into
/// `width`, else one below the other. Nothing for a finding that is no cycle of locks.
pub(super) fn steps(finding: &Finding, width: usize) -> Option<String> {
    let edges = &finding.edges;
    let cycle = edges.len() > 1
        && finding.waits.is_empty()
        && edges.iter().zip(edges.iter().cycle().skip(1)).all(|(edge, next)| edge.to == next.from);
    if !cycle {
        return None;
    }
    let name = |lock: usize| &finding.locks[lock].name;
    let lock = |lock: usize| &finding.locks[lock];
    // Nobody holds an event; who completes it has just not done so yet.
    let takes = |edge: &Edge| {
        if wording::is_event(&finding.locks[edge.from]) {
            return None;
        }
        let verb = match (lock(edge.from).sort(), edge.from_mode) {
            (Sort::ReadWrite, Mode::Read) => "reads",
            (Sort::ReadWrite, _) => "writes",
            _ => "locks",
        };
        Some(format!("{verb} `{}`", name(edge.from)))
    };
    let waits = |edge: &Edge| {
        let verb = match (lock(edge.to).sort(), edge.to_mode) {
            (Sort::ReadWrite, Mode::Read) => "waits to read",
            (Sort::ReadWrite, Mode::Write) => "waits to write",
            _ => "waits for",
        };
        format!("{verb} {}", awaited(&lock(edge.to).kind, &format!("`{}`", name(edge.to))))
    };
    let threads = names(edges);
    let first: Vec<Option<String>> = edges.iter().map(takes).collect();
    let second: Vec<String> = edges.iter().map(waits).collect();
    Some(
        in_columns(&threads, &first, &second, width)
            .unwrap_or_else(|| below_each_other(&threads, &first, &second, width)),
    )
}

/// The threads, with another word for one that would have to run twice at once.
fn names(edges: &[Edge]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for edge in edges {
        let known = names.contains(&edge.thread);
        names.push(if known { wording::ANOTHER.to_owned() } else { edge.thread.clone() });
    }
    names
}

fn in_columns(
    threads: &[String],
    first: &[Option<String>],
    second: &[String],
    width: usize,
) -> Option<String> {
    const GAP: usize = 2;
    const NUMBER: usize = 3;
    let length = |text: &str| text.chars().count();
    let longest_word = |text: &str| text.split(' ').map(length).max().unwrap_or(0);
    let widths: Vec<usize> = (0..threads.len())
        .map(|at| {
            let first = first[at].as_deref().map_or(0, length);
            first.max(length(&second[at])).max(longest_word(&threads[at]))
        })
        .collect();
    if NUMBER + widths.iter().map(|width| width + GAP).sum::<usize>() > width {
        return None;
    }
    let mut text = String::new();
    let mut row = |number: &str, cell: &dyn Fn(usize) -> String| {
        let mut line = format!("{number:>NUMBER$}");
        for (at, width) in widths.iter().enumerate() {
            let _ = write!(line, "{:GAP$}{:width$}", "", cell(at));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    let headers: Vec<String> =
        threads.iter().zip(&widths).map(|(thread, width)| wrap(thread, *width)).collect();
    let height = headers.iter().map(|header| header.lines().count()).max().unwrap_or(0);
    for line in 0..height {
        row("", &|at| headers[at].lines().nth(line).unwrap_or_default().to_owned());
    }
    let taken = first.iter().enumerate().filter_map(|(at, step)| Some((at, step.as_ref()?)));
    let steps = taken.chain(second.iter().enumerate());
    for (number, (at, step)) in steps.enumerate() {
        let cell = |column| if column == at { step.clone() } else { String::new() };
        row(&(number + 1).to_string(), &cell);
    }
    text.pop();
    Some(text)
}

fn below_each_other(
    threads: &[String],
    first: &[Option<String>],
    second: &[String],
    width: usize,
) -> String {
    let taken =
        threads.iter().zip(first).filter_map(|(thread, step)| Some((thread, step.as_ref()?)));
    let steps = taken.chain(threads.iter().zip(second));
    let steps: Vec<String> =
        steps.map(|(thread, step)| format!("{} {step}", wording::subject(thread))).collect();
    let mut text = String::new();
    let hidden = steps.len().saturating_sub(STEPS);
    for (index, step) in steps.iter().enumerate() {
        let from_end = steps.len() - index;
        if hidden > 0 && index >= STEPS / 2 && from_end > STEPS / 2 {
            if index == STEPS / 2 {
                let _ = writeln!(text, "     ... {hidden} more steps of the same kind");
            }
            continue;
        }
        let number = index + 1;
        let step = wrap(step, width.saturating_sub(5)).replace('\n', "\n     ");
        let _ = writeln!(text, "{number:>3}  {step}");
    }
    text.pop();
    text
}

/// Breaks `text` at spaces into lines of at most `width` columns, as far as its words allow.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + text.len() / 16);
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("one twothreefour", 5), "one\ntwothreefour");
        assert_eq!(wrap("", 5), "");
    }
}
