//! What a rule means, and what is known of one finding of the last report.

use std::fmt::Write;

use lockdep::finding::Rule;

use crate::cli::failure::Failure;
use crate::cli::user_config::near;
use crate::report::model::{Finding, Report};
use crate::report::render::{self, Look};
use crate::report::rules::{self, RULES};
use crate::report::schedule::Schedule;
use crate::report::{tiers, wording};

/// What can be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All rules.
    Rules,
    /// One rule.
    Rule(Rule),
    /// The finding with this id.
    Finding(String),
}

impl Subject {
    /// What is meant by a word of the command line, or by none.
    ///
    /// # Errors
    /// When it is neither a rule nor like an id.
    pub fn of(word: Option<&str>) -> Result<Subject, Failure> {
        let Some(word) = word else { return Ok(Subject::Rules) };
        if let Some(rule) = Rule::from_code(word) {
            return Ok(Subject::Rule(rule));
        }
        let is_id = Rule::ALL.iter().any(|rule| {
            let rest = word.strip_prefix(rule.code()).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()))
        });
        if is_id {
            return Ok(Subject::Finding(word.to_owned()));
        }
        Err(Failure::new(
            format!("`{word}` is neither a rule nor the id of a finding"),
            match near(word) {
                Some(near) => format!("Write `{near}`, which is spelt most like it."),
                None => "`cargo lockcheck explain` alone lists the rules; ids are the last lines of findings."
                    .to_owned(),
            },
        ))
    }
}

/// A list of all rules.
pub fn list() -> String {
    let mut text = String::new();
    for info in RULES {
        let _ = writeln!(text, "{} ({})\n  {}", info.rule.code(), info.level, info.summary);
    }
    text + "\n`cargo lockcheck explain RULE` says more of one.\n"
}

/// All there is to say of a rule, in Markdown.
pub fn rule(rule: Rule) -> String {
    let info = rules::info(rule);
    format!(
        "# {rule}\n\n{}. Level `{}`, found {}.\n\n{}\n",
        info.summary,
        info.level,
        info.by.words(),
        info.explanation.trim()
    )
}

/// The finding of `report` that has this id, with all of its evidence.
///
/// # Errors
/// When there is none.
pub fn finding(report: &Report, id: &str, look: &Look<'_>) -> Result<String, Failure> {
    let shown = report.findings.iter().map(|finding| (finding, None));
    let suppressed = report.suppressed.iter();
    let mut all = shown.chain(suppressed.map(|one| (&one.finding, Some(one.reason.as_str()))));
    let Some((finding, reason)) = all.find(|(finding, _)| finding.id == id) else {
        return Err(unknown(report, id));
    };
    let mut text = format!("{}\n\n", render::finding(finding, look));
    let _ = writeln!(text, "tier {}: {}", finding.tier, tiers::meaning(finding.tier));
    if let Some(reason) = reason {
        let _ = writeln!(text, "not counted: {reason}");
    }
    if let Some(package) = &finding.package {
        let _ = writeln!(text, "package: {package}");
    }
    for test in &finding.tests {
        let _ = writeln!(text, "shown by the test {test}");
    }
    for lock in &finding.locks {
        let ty = if lock.ty.is_empty() { String::new() } else { format!(" of {}", lock.ty) };
        let created = match lock.created.file.as_str() {
            "" => String::new(),
            _ => format!(", created at {}", lock.created),
        };
        let _ = writeln!(text, "lock `{}`: {}{ty}{created}", lock.name, lock.kind);
    }
    text += &stacks(finding);
    let _ = writeln!(text, "\n`cargo lockcheck explain {}` is about the rule.", finding.rule);
    Ok(text)
}

/// Why nothing is known of the finding with this id, which `report` has not.
pub fn unknown(report: &Report, id: &str) -> Failure {
    let known: Vec<&str> = report.findings.iter().map(|finding| &*finding.id).take(5).collect();
    Failure::new(
        format!("the last report has no finding `{id}`"),
        match known.as_slice() {
            [] => "It has no findings at all: run the check that has shown it again.".to_owned(),
            known => {
                format!("Run the check that has shown it again; this one has {}.", known.join(", "))
            }
        },
    )
}

/// Every stack in full.
pub fn stacks(finding: &Finding) -> String {
    let mut text = String::new();
    let schedule = Schedule::of(finding);
    let steps = schedule.iter().flat_map(|schedule| {
        schedule.steps.iter().map(|step| (&schedule.threads[step.thread], step))
    });
    for (thread, step) in steps.filter(|(_, step)| !step.stack.is_empty()) {
        let _ = writeln!(text, "\n{} {}:", wording::subject(thread), step.text);
        for (number, frame) in step.stack.iter().enumerate() {
            let _ = writeln!(text, "{number:>4}: {frame}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use lockdep::finding::Rule;

    use super::{Subject, list, rule};

    #[test]
    fn a_word_is_a_rule_or_an_id() {
        let subject = |word| Subject::of(Some(word));
        assert_eq!(subject("deadlock").ok(), Some(Subject::Rule(Rule::Deadlock)));
        let id = "lock-order-35d1f204";
        assert_eq!(subject(id).ok(), Some(Subject::Finding(id.to_owned())));
        assert_eq!(Subject::of(None).ok(), Some(Subject::Rules));
        let error = subject("lock-odour").expect_err("it is neither");
        assert!(error.next().contains("`lock-order`"), "{}", error.next());
        assert!(subject("xyz").expect_err("it is neither").next().contains("lists the rules"));
    }

    #[test]
    fn every_rule_is_listed_and_explained() {
        let list = list();
        for known in Rule::ALL {
            assert!(list.contains(known.code()), "{known}");
            assert!(rule(*known).contains("**Cure.**"), "{known}");
        }
        let widest = list.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= 80), "{list}");
    }
}
