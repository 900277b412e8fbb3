//! Comments that allow a finding where it stands: `// lockcheck: allow(rule) reason`.
//!
//! The comment stands on a line that the finding names, or on lines of its own above it. One that
//! allows nothing any more is reported, so that they do not pile up.

use lockdep::finding::Rule;

use crate::lint::program::Program;
use crate::lint::source::tokens::literals;
use crate::report::model::{Finding, Place, Suppressed};

/// What such a comment begins with.
const MARK: &str = "lockcheck: allow(";

/// A comment that allows something.
#[derive(Debug)]
struct Allowance {
    file: String,
    /// The line of the comment.
    line: u32,
    /// The line of code that it is for.
    applies: u32,
    rules: Vec<String>,
    reason: String,
    is_used: bool,
}

/// Takes the allowed findings out, and says in sentences which comments are wrong.
pub(crate) fn apply(
    program: &Program<'_>,
    findings: Vec<Finding>,
) -> (Vec<Finding>, Vec<Suppressed>, Vec<String>) {
    let mut allowances = allowances(program);
    let mut notes = Vec::new();
    let (mut kept, mut suppressed) = (Vec::new(), Vec::new());
    for finding in findings {
        let rule = finding.rule.code();
        let found = allowances.iter_mut().find(|allowance| {
            allowance.rules.iter().any(|allowed| allowed == rule)
                && places(&finding)
                    .any(|at| at.file == allowance.file && at.line == allowance.applies)
        });
        match found {
            Some(allowance) => {
                allowance.is_used = true;
                let because = match allowance.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                let reason = format!("allowed at {}:{}{because}", allowance.file, allowance.line);
                suppressed.push(Suppressed { finding, reason });
            }
            None => kept.push(finding),
        }
    }
    for allowance in &allowances {
        let Allowance { file, line, rules, .. } = allowance;
        for rule in rules.iter().filter(|rule| Rule::from_code(rule).is_none()) {
            notes.push(format!("the comment at {file}:{line} allows `{rule}`, which is no rule"));
        }
        if !allowance.is_used && rules.iter().all(|rule| Rule::from_code(rule).is_some()) {
            notes.push(format!(
                "the comment at {file}:{line} allows `{}`, which is not found there: remove it",
                rules.join(", ")
            ));
        }
    }
    (kept, suppressed, notes)
}

pub(crate) fn places(finding: &Finding) -> impl Iterator<Item = &Place> {
    let edges = finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
    edges.chain(finding.sites.iter().map(|site| &site.place))
}

/// All such comments of the program's own files.
fn allowances(program: &Program<'_>) -> Vec<Allowance> {
    let mut found: Vec<Allowance> = Vec::new();
    for unit in &program.units {
        for (name, text) in unit.sources.texts() {
            if found.iter().all(|known| known.file != name) {
                in_file(&name, text.text(), &mut found);
            }
        }
    }
    found
}

/// The comments of one file: the line of each, the line that it is for, the rules and the reason.
#[cfg(fuzzing)]
pub(crate) fn read(text: &str) -> Vec<(u32, u32, Vec<String>, String)> {
    let mut found = Vec::new();
    in_file("fuzzed", text, &mut found);
    found.into_iter().map(|at| (at.line, at.applies, at.rules, at.reason)).collect()
}

fn in_file(name: &str, text: &str, found: &mut Vec<Allowance>) {
    if !text.contains(MARK) {
        return;
    }
    let literals = literals(text);
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let begin = line.as_ptr() as usize - text.as_ptr() as usize;
        let is_code = |at: usize| !literals.iter().any(|literal| literal.contains(&(begin + at)));
        let mut slashes = line.match_indices("//").map(|(at, _)| at);
        let Some(comment) = slashes.find(|at| is_code(*at)) else { continue };
        let Some(at) = line[comment..].find(MARK) else { continue };
        // Between the slashes and the mark there is nothing but space.
        if !line[comment + 2..comment + at].trim().is_empty() {
            continue;
        }
        let rest = &line[comment + at + MARK.len()..];
        let Some((rules, reason)) = rest.split_once(')') else { continue };
        let owns_exclusively = line[..comment].trim().is_empty();
        let code = (index..lines.len()).find(|other| {
            let line = lines[*other].trim();
            !line.is_empty() && !line.starts_with("//")
        });
        let applies = if owns_exclusively { code.unwrap_or(index) } else { index };
        found.push(Allowance {
            file: name.to_owned(),
            line: index as u32 + 1,
            applies: applies as u32 + 1,
            rules: rules.split(',').map(|rule| rule.trim().to_owned()).collect(),
            reason: reason.trim().to_owned(),
            is_used: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::in_file;

    #[test]
    fn comments_are_for_their_line_or_the_next_line_of_code() {
        let text = "a();\n// lockcheck: allow(double-lock, lock-order) it is reentrant\n// more\nb();\n\
                    c(); // lockcheck: allow(lock-order)\nlet s = \"lockcheck: allow(x)\";\n";
        let mut found = Vec::new();
        in_file("f.rs", text, &mut found);
        let seen: Vec<_> = found.iter().map(|a| (a.line, a.applies, a.rules.len())).collect();
        assert_eq!(seen, [(2, 4, 2), (5, 5, 1)]);
        assert_eq!(found[0].reason, "it is reentrant");
    }

    #[test]
    fn what_a_string_says_is_no_comment() {
        let text = "fn f() {\n    print(\"é // lockcheck: allow(double-lock)\", a());\n    \
                    g(\"//\"); // lockcheck: allow(lock-order) one at a time\n    let s = \"\n\
                    // lockcheck: allow(double-lock)\n\";\n}\n";
        let mut found = Vec::new();
        in_file("f.rs", text, &mut found);
        let seen: Vec<_> = found.iter().map(|a| (a.line, a.rules.concat())).collect();
        assert_eq!(seen, [(3, "lock-order".to_owned())]);
    }
}
