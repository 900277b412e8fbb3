//! Decides what is shown and what fails the run: the level of each finding, from its rule, its tier
//! and the user's settings. Nothing after this stage decides severity.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lockdep::finding::{Rule, Tier};

use super::model::{Finding, Level, Report, Suppressed};
use super::pattern::Pattern;
use super::rules;

/// The levels that the user has set. What is asked for on the command line wins over what is said of a
/// part of the program, and that over what is said of all of it.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// For the whole program.
    pub base: Settings,
    /// For parts of the program; a later one wins over an earlier one.
    pub parts: Vec<(Pattern, Settings)>,
    /// For this check.
    pub command: Settings,
}

/// Levels of rules and tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    rules: BTreeMap<Rule, Level>,
    tiers: BTreeMap<Tier, Level>,
}

impl Settings {
    /// Sets the level of the rule or tier that has this code. A later setting wins over an earlier
    /// one, a tier's over a rule's.
    ///
    /// # Errors
    /// With a sentence, when nothing has this code.
    pub fn set(&mut self, code: &str, level: Level) -> Result<(), String> {
        if let Some(rule) = Rule::from_code(code) {
            self.rules.insert(rule, level);
        } else if let Some(tier) = Tier::from_code(code) {
            self.tiers.insert(tier, level);
        } else {
            let known: Vec<&str> = Rule::ALL
                .iter()
                .map(|rule| rule.code())
                .chain(Tier::ALL.iter().map(|tier| tier.code()))
                .collect();
            return Err(format!(
                "`{code}` is no rule and no tier; there are: {}",
                known.join(", ")
            ));
        }
        Ok(())
    }

    /// The level that is set for findings of `rule` at `tier`, if any is.
    fn level(&self, rule: Rule, tier: Tier) -> Option<Level> {
        let of_tier = self.tiers.get(&tier).filter(|_| rule.has_tiers());
        // What cannot happen stays hidden, whatever is thought of the rule.
        let is_hidden = rule.has_tiers() && level_of_tier(tier) == Level::Allow;
        of_tier.or_else(|| self.rules.get(&rule).filter(|_| !is_hidden)).copied()
    }
}

impl Levels {
    /// The level of a finding, and whether it was the user who set it.
    pub fn of(&self, finding: &Finding) -> (Level, bool) {
        let Finding { rule, tier, .. } = finding;
        let parts = self.parts.iter().rev().filter(|(part, _)| part.fits(finding));
        let mut settings = [&self.command]
            .into_iter()
            .chain(parts.map(|(_, settings)| settings))
            .chain([&self.base]);
        if let Some(level) = settings.find_map(|settings| settings.level(*rule, *tier)) {
            return (level, true);
        }
        let cap = if rule.has_tiers() { level_of_tier(*tier) } else { Level::Deny };
        (rules::info(*rule).level.min(cap), false)
    }
}

/// The level that a tier allows at most.
fn level_of_tier(tier: Tier) -> Level {
    match tier {
        Tier::Happened | Tier::Confirmed | Tier::Predicted | Tier::Reachable => Level::Deny,
        Tier::Guarded | Tier::Ordered | Tier::Refuted => Level::Allow,
        _ => Level::Warn,
    }
}

/// Sorts `findings` into what is reported, worst first, and what is not.
pub fn classify(findings: Vec<Finding>, levels: &Levels) -> Report {
    let mut report = Report::default();
    for mut finding in findings {
        let (level, by_user) = levels.of(&finding);
        // A program that hung has failed, whatever the rule would warn of.
        let hung = finding.tier == Tier::Happened && !finding.waits.is_empty();
        let level = if hung && !by_user { Level::Deny } else { level };
        finding.level = level;
        if level > Level::Allow {
            report.findings.push(finding);
        } else {
            let reason = finding.reason.take().unwrap_or_else(|| match by_user {
                true => "allowed by the settings".to_owned(),
                false => format!("`{}` is `allow` unless it is set", finding.rule),
            });
            report.suppressed.push(Suppressed { finding, reason, accepted: None });
        }
    }
    let weight = |finding: &Finding| (Reverse(finding.level), Reverse(finding.tier), finding.rule);
    report.findings.sort_by_key(weight);
    report.suppressed.sort_by_key(|suppressed| weight(&suppressed.finding));
    report
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lockdep::finding::{Rule, Tier};

    use super::{Levels, Settings, classify};
    use crate::report::model::{Finding, Level};

    fn level(rule: Rule, tier: Tier, levels: &Levels) -> Level {
        let report = classify(vec![Finding::new(rule, tier, "")], levels);
        let shown = report.findings.iter().map(|finding| finding.level);
        let hidden = report.suppressed.iter().map(|suppressed| suppressed.finding.level);
        shown.chain(hidden).next().expect("a finding is never lost")
    }

    fn levels(settings: &[(&str, Level)]) -> Levels {
        let mut levels = Levels::default();
        for (code, level) in settings {
            levels.base.set(code, *level).expect("the code is known");
        }
        levels
    }

    #[test]
    fn rule_and_tier_make_the_level() {
        let default = Levels::default();
        for (rule, tier, expected) in [
            (Rule::LockOrder, Tier::Happened, Level::Deny),
            (Rule::LockOrder, Tier::Reachable, Level::Deny),
            (Rule::LockOrder, Tier::Potential, Level::Warn),
            (Rule::LockOrder, Tier::NeedsThread, Level::Warn),
            (Rule::LockOrder, Tier::Guarded, Level::Allow),
            (Rule::WaitWhileHolding, Tier::Reachable, Level::Warn),
            (Rule::WaitWhileHolding, Tier::Ordered, Level::Allow),
            (Rule::DoubleLock, Tier::Potential, Level::Deny),
            (Rule::RecursiveRead, Tier::Potential, Level::Warn),
            (Rule::LockInDebug, Tier::Potential, Level::Allow),
        ] {
            assert_eq!(level(rule, tier, &default), expected, "{rule} {tier}");
        }
    }

    #[test]
    fn the_user_decides_except_about_what_cannot_happen() {
        let set = levels(&[("lock-order", Level::Warn), ("lock-in-debug", Level::Deny)]);
        assert_eq!(level(Rule::LockOrder, Tier::Reachable, &set), Level::Warn);
        assert_eq!(level(Rule::LockOrder, Tier::Guarded, &set), Level::Allow);
        assert_eq!(level(Rule::LockInDebug, Tier::Potential, &set), Level::Deny);
        let set = levels(&[("lock-order", Level::Warn), ("potential", Level::Deny)]);
        assert_eq!(level(Rule::LockOrder, Tier::Potential, &set), Level::Deny);
        assert_eq!(level(Rule::LockOrder, Tier::Reachable, &set), Level::Warn);
        let set = levels(&[("deadlock", Level::Allow)]);
        assert_eq!(level(Rule::Deadlock, Tier::Happened, &set), Level::Allow);
        let error = Settings::default().set("lock-odour", Level::Warn).expect_err("it is no code");
        assert!(error.starts_with("`lock-odour` is no rule and no tier; there are: deadlock, "));
    }

    #[test]
    fn the_worst_comes_first_and_fails_the_run() {
        let finding = |rule, tier| Finding::new(rule, tier, "");
        let report = classify(
            vec![
                finding(Rule::LockOrder, Tier::Guarded),
                finding(Rule::RecursiveRead, Tier::Potential),
                finding(Rule::LockOrder, Tier::Reachable),
                finding(Rule::Deadlock, Tier::Happened),
            ],
            &Levels::default(),
        );
        let rules: Vec<Rule> = report.findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [Rule::Deadlock, Rule::LockOrder, Rule::RecursiveRead]);
        assert_eq!(report.suppressed.len(), 1);
        assert!(report.has_deny());
        let report = classify(vec![finding(Rule::LockOrder, Tier::Potential)], &Levels::default());
        assert!(!report.has_deny());
    }

    #[test]
    fn only_two_rules_have_more_tiers_than_happened_and_potential() {
        for &rule in Rule::ALL {
            let tiers: BTreeSet<Tier> =
                Tier::ALL.iter().map(|&tier| Finding::new(rule, tier, "").tier).collect();
            if matches!(rule, Rule::LockOrder | Rule::WaitWhileHolding) {
                assert_eq!(tiers.len(), Tier::ALL.len(), "{rule}");
            } else {
                assert_eq!(tiers, BTreeSet::from([Tier::Potential, Tier::Happened]), "{rule}");
            }
        }
    }
}
