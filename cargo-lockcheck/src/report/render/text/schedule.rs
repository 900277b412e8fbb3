//! The steps of a schedule as text: in columns by thread, or one below the other.

use std::fmt::Write;

use crate::report::model::Finding;
use crate::report::schedule::{Schedule, Step, is_to_come};
use crate::report::wording;

/// More steps than this are not told one by one.
const STEPS: usize = 16;

/// The steps to the deadlock that `finding` warns of, in columns by thread when they fit into
/// `width`, else one below the other. Nothing for a finding that is no cycle of locks.
pub(super) fn steps(finding: &Finding, width: usize) -> Option<String> {
    let schedule = Schedule::of(finding).filter(|_| is_to_come(finding))?;
    Some(in_columns(&schedule, width).unwrap_or_else(|| below_each_other(&schedule, width)))
}

fn in_columns(schedule: &Schedule<'_>, width: usize) -> Option<String> {
    const GAP: usize = 2;
    const NUMBER: usize = 3;
    let length = |text: &str| text.chars().count();
    let longest_word = |text: &str| text.split(' ').map(length).max().unwrap_or(0);
    let Schedule { threads, steps } = schedule;
    let widths: Vec<usize> = (0..threads.len())
        .map(|at| {
            let of_thread = |step: &&Step<'_>| step.thread == at;
            let longest = steps.iter().filter(of_thread).map(|step| length(&step.text)).max();
            longest.unwrap_or(0).max(longest_word(&threads[at]))
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
    for (number, step) in steps.iter().enumerate() {
        let cell = |column| if column == step.thread { step.text.clone() } else { String::new() };
        row(&(number + 1).to_string(), &cell);
    }
    text.pop();
    Some(text)
}

fn below_each_other(schedule: &Schedule<'_>, width: usize) -> String {
    let said = |step: &Step<'_>| {
        format!("{} {}", wording::subject(&schedule.threads[step.thread]), step.text)
    };
    let steps: Vec<String> = schedule.steps.iter().map(said).collect();
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
