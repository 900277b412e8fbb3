//! The report in SARIF 2.1.0, the form that code scanning reads (GitHub, Azure DevOps, editors).
//!
//! A finding's id is its partial fingerprint, so that it stays one alert while lines move. Each thread
//! is a thread flow of the result's code flow; locks' own places are related locations. What the
//! program's people have accepted is there, as suppressed; what cannot happen is left out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::look::{Look, Show};
use crate::report::model::{Finding, Level, Place, Report, Suppressed};
use crate::report::rules::{self, RULES, RuleInfo};
use crate::report::schedule::{Does, Schedule};
use crate::report::wording;

/// Where rules are explained.
const RULES_PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules.md");

/// What paths are relative to: the root of the repository, or what dependencies were unpacked into.
const REPOSITORY: &str = "REPOSITORY";
const DEPENDENCIES: &str = "DEPENDENCIES";

/// The name, with its version, under which results have the finding's id.
const FINGERPRINT: &str = "lockcheckFindingId/v1";

pub(super) fn render(report: &Report, out: &mut dyn Write, look: &Look<'_>) -> io::Result<()> {
    let page = Page { look };
    let found = report.findings.iter().map(|finding| page.result(finding, None));
    let suppressed = report.suppressed.iter().filter(|one| is_told(one, look.show));
    let suppressed = suppressed.map(|one| page.result(&one.finding, Some(one)));
    let results: Vec<Value> = found.chain(suppressed).collect();
    let notification =
        |level: &str, text: &String| json!({ "level": level, "message": { "text": text } });
    let warnings = report.warnings.iter().map(|text| notification("warning", text));
    let notes = report.notes.iter().map(|text| notification("note", text));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": RULES.iter().map(rule).collect::<Vec<Value>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                REPOSITORY: { "description": { "text": "The root of the repository." } },
                DEPENDENCIES: { "description": {
                    "text": "The directory that cargo has unpacked dependencies into.",
                } },
            },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": warnings.chain(notes).collect::<Vec<Value>>(),
            }],
            "results": results,
            "properties": { "coverage": report.coverage },
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// Whether a finding that is not shown is a result all the same.
fn is_told(suppressed: &Suppressed, show: &Show) -> bool {
    suppressed.accepted.is_some() || show.has(suppressed)
}

fn rule(info: &RuleInfo) -> Value {
    let code = info.rule.code();
    let explanation = info.explanation.trim();
    json!({
        "id": code,
        "shortDescription": { "text": format!("{}.", info.summary) },
        "fullDescription": { "text": format!("{}. To cure it, {}.", info.summary, info.cure) },
        "help": { "text": explanation, "markdown": explanation },
        "helpUri": format!("{RULES_PAGE}#{code}"),
        "defaultConfiguration": {
            "enabled": info.level != Level::Allow,
            "level": level(info.level),
        },
        "properties": { "tags": ["concurrency", "deadlock"], "found": info.by.words() },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "note",
    }
}

struct Page<'a> {
    look: &'a Look<'a>,
}

impl Page<'_> {
    fn result(&self, finding: &Finding, suppressed: Option<&Suppressed>) -> Value {
        let index = RULES.iter().position(|info| info.rule == finding.rule);
        let place = finding.at.as_ref().or_else(|| finding.place());
        let mut result = json!({
            "ruleId": finding.rule.code(),
            "ruleIndex": index,
            "level": level(finding.level),
            "message": { "text": self.message(finding) },
            "locations": place.map(|place| self.location(place, None)).into_iter().collect::<Vec<_>>(),
            "partialFingerprints": { FINGERPRINT: finding.id },
            "occurrenceCount": finding.count.max(1),
            "properties": {
                "id": finding.id,
                "tier": finding.tier.code(),
                "tests": finding.tests,
            },
        });
        let related = self.related(finding, place);
        if !related.is_empty() {
            result["relatedLocations"] = related.into();
        }
        if let Some(schedule) = Schedule::of(finding) {
            result["codeFlows"] = json!([self.flow(&schedule)]);
            let stacks = self.stacks(&schedule);
            if !stacks.is_empty() {
                result["stacks"] = stacks.into();
            }
        }
        if let Some(package) = &finding.package {
            result["properties"]["package"] = package.as_str().into();
        }
        if let Some(suppressed) = suppressed {
            match &suppressed.accepted {
                Some(written) => {
                    let is_comment = written.file.ends_with(".rs");
                    result["suppressions"] = json!([{
                        "kind": if is_comment { "inSource" } else { "external" },
                        "status": "accepted",
                        "justification": suppressed.reason,
                        "location": self.location(written, None),
                    }]);
                }
                None => {
                    // What is not a fault has no level.
                    result["kind"] = "informational".into();
                    result["level"] = "none".into();
                    result["message"]["text"] =
                        format!("{}\n\nNot counted: {}", finding.message, suppressed.reason).into();
                }
            }
        }
        result
    }

    /// What is wrong, and what to do.
    fn message(&self, finding: &Finding) -> String {
        let mut text = finding.message.clone();
        for note in &finding.notes {
            text += &format!("\n\nNote: {note}.");
        }
        let cure = [rules::info(finding.rule).cure.to_owned()];
        let help = if finding.help.is_empty() { &cure[..] } else { &finding.help };
        for help in help {
            text += &format!("\n\nHelp: {help}.");
        }
        text
    }

    /// The places beside the first, each once.
    fn related(&self, finding: &Finding, first: Option<&Place>) -> Vec<Value> {
        let mut labels: BTreeMap<&Place, String> = BTreeMap::new();
        let mut add = |place, label: String| {
            labels.entry(place).or_insert(label);
        };
        if let Some(schedule) = Schedule::of(finding) {
            for step in schedule.steps {
                let thread = wording::subject(&schedule.threads[step.thread]);
                add(step.place, format!("{thread} {}", step.text));
            }
        }
        for site in &finding.sites {
            add(&site.place, site.label.clone());
        }
        for lock in finding.locks.iter().filter(|lock| !lock.created.file.is_empty()) {
            add(&lock.created, format!("`{}` is created here", lock.name));
        }
        let others = labels.into_iter().filter(|(place, _)| Some(*place) != first);
        let located = others.enumerate().map(|(number, (place, label))| {
            let mut location = self.location(place, Some(&label));
            location["id"] = (number + 1).into();
            location
        });
        located.collect()
    }

    fn flow(&self, schedule: &Schedule<'_>) -> Value {
        let threads = schedule.threads.iter().enumerate().map(|(number, name)| {
            let steps = schedule.steps.iter().enumerate();
            let own = steps.filter(|(_, step)| step.thread == number);
            let locations = own.map(|(order, step)| {
                json!({
                    "location": self.location(step.place, Some(&step.text)),
                    "executionOrder": order + 1,
                    "importance": match step.does {
                        Does::Takes => "important",
                        Does::Waits => "essential",
                        Does::Acts => "unimportant",
                    },
                    "kinds": match step.does {
                        Does::Takes => json!(["acquire", "lock"]),
                        Does::Waits => json!(["lock", "wait"]),
                        Does::Acts => json!([]),
                    },
                })
            });
            json!({
                "id": format!("{}: {name}", number + 1),
                "message": { "text": wording::thread(name) },
                "locations": locations.collect::<Vec<Value>>(),
            })
        });
        // A flow with no step is none.
        let is_told =
            |flow: &Value| flow["locations"].as_array().is_some_and(|all| !all.is_empty());
        json!({
            "message": { "text": "How it comes about, thread by thread" },
            "threadFlows": threads.filter(is_told).collect::<Vec<Value>>(),
        })
    }

    fn stacks(&self, schedule: &Schedule<'_>) -> Vec<Value> {
        let known = schedule.steps.iter().filter(|step| !step.stack.is_empty());
        let stacks = known.map(|step| {
            let frames = step.stack.iter().filter_map(|frame| {
                let place = Place::of_frame(frame)?;
                let (function, _) = frame.rsplit_once(" at ")?;
                Some(json!({ "location": self.location(&place, Some(function)) }))
            });
            let thread = wording::subject(&schedule.threads[step.thread]);
            json!({
                "message": { "text": format!("{thread} {}", step.text) },
                "frames": frames.collect::<Vec<Value>>(),
            })
        });
        stacks.collect()
    }

    fn location(&self, place: &Place, text: Option<&str>) -> Value {
        let artifact = match self.look.in_repository(place) {
            Some(path) => json!({ "uri": uri(&path), "uriBaseId": REPOSITORY }),
            None => json!({ "uri": uri(&place.file), "uriBaseId": DEPENDENCIES }),
        };
        let mut location = json!({ "physicalLocation": {
            "artifactLocation": artifact,
            "region": { "startLine": place.line.max(1), "startColumn": place.column.max(1) },
        } });
        if let Some(text) = text {
            location["message"] = json!({ "text": text });
        }
        location
    }
}

/// A path as a relative URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'+' | b'@' => uri.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("src/a b#c.rs"), "src/a%20b%23c.rs");
        assert_eq!(uri("serde-1.0.0+x/ä.rs"), "serde-1.0.0+x/%C3%A4.rs");
    }
}
