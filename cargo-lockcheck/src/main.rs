//! The `cargo lockcheck` subcommand.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::slice;

use cargo_lockcheck::accept::baseline::{self, Baseline, Change};
use cargo_lockcheck::accept::{self, Evidence};
use cargo_lockcheck::build::cache::{Cache, Removed};
use cargo_lockcheck::build::runtime::{Runtime, Users};
use cargo_lockcheck::build::unwatched::unwatched;
use cargo_lockcheck::build::wrapper::{self, Plan};
use cargo_lockcheck::cli::args::{
    Args, BaselineArgs, Checked, Command, CompletionsArgs, ConfirmArgs, DiffArgs, ExplainArgs,
    ManArgs, MergeArgs, RUNS, ReplayArgs, ReportArgs, Stored,
};
use cargo_lockcheck::cli::failure::Failure;
use cargo_lockcheck::cli::invocation::Invocation;
use cargo_lockcheck::cli::outcome::Outcome;
use cargo_lockcheck::cli::phase::Phase;
use cargo_lockcheck::cli::settings::{Outer, Settings};
use cargo_lockcheck::cli::{kept_report, manual, output, settings, status};
use cargo_lockcheck::compare::Difference;
use cargo_lockcheck::confirm::{self, Ground, Verdict};
use cargo_lockcheck::explain::{self, Subject};
use cargo_lockcheck::lint;
use cargo_lockcheck::predict::Limits;
use cargo_lockcheck::report::belonging;
use cargo_lockcheck::report::classify::{Levels, classify};
use cargo_lockcheck::report::graph::OrderGraph;
use cargo_lockcheck::report::model::{Finding, Level, Report, Suppressed, Unwatched};
use cargo_lockcheck::report::naming::Syntax;
use cargo_lockcheck::report::render::{Format, Show};
use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::run::orphans::{self, WATCHED};
use cargo_lockcheck::run::{collect, interrupts};
use cargo_lockcheck::traces::lock_names::Names;
use cargo_lockcheck::traces::merge::Merged;
use cargo_lockcheck::traces::not_watched;
use cargo_lockcheck::traces::predicted::{self, Predicted};
use cargo_lockcheck::traces::std_format::{ENDING, StdTrace};
use cargo_lockcheck::traces::symbols;
use cargo_lockcheck::traces::trace::Warning;
use cargo_lockcheck::traces::{self, analyze::analyze};
use cargo_lockcheck::with_trace;
use jiff::Timestamp;
use jiff::tz::Offset;
use lockdep::finding::Tier;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    if let Some(watched) = env::var_os(WATCHED) {
        return orphans::stand_by(&watched);
    }
    let is_subcommand = arguments.get(1).is_some_and(|first| first == "lockcheck");
    if env::var_os(lint::compile::WRAPPER).is_some() && !is_subcommand {
        return lint::compile::wrap(arguments.into_iter().skip(1).collect());
    }
    let plan = Plan::inherited();
    if let (Some(plan), false) = (&plan, is_subcommand) {
        return wrapper::run(plan, arguments.into_iter().skip(1).collect());
    }
    let outer = plan.and_then(Result::ok).map(|Plan { next, rustdoc, .. }| Outer { next, rustdoc });
    let args = match Args::parse(arguments) {
        Ok(args) => args,
        Err(error) => {
            // A closed stdout or stderr leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = run(args, outer).unwrap_or_else(|failure| {
        status::failure(&failure);
        Outcome::NotChecked
    });
    outcome.into()
}

/// Does what the arguments ask for.
fn run(args: Args, outer: Option<Outer>) -> Result<Outcome, Failure> {
    let stages: fn(Settings, &Baseline) -> Result<Outcome, Failure> = match &args.command {
        Command::Check(_) => lint_source,
        Command::Report(_) => report_on_traces,
        Command::Test(_) | Command::Run(_) | Command::Bench(_) | Command::Nextest(_) => check,
        Command::Baseline(baseline) => {
            let BaselineArgs { from, reason, prune, .. } = baseline;
            let (from, reason, prune) = (from.clone(), reason.clone(), *prune);
            let settings = Settings::resolve(args, outer)?;
            return update_baseline(&settings, from, &reason, prune);
        }
        Command::Confirm(_) | Command::Replay(_) => {
            let Args { report, command } = args;
            return match command {
                Command::Confirm(ConfirmArgs { ids, runs, checked }) => {
                    Again::last(report, checked, outer)?.confirm(&ids, runs)
                }
                Command::Replay(ReplayArgs { id, checked }) => {
                    Again::last(report, checked, outer)?.replay(id)
                }
                _ => Ok(Outcome::Passed),
            };
        }
        Command::Merge(MergeArgs { into, .. }) => {
            let into = into.clone();
            return merge_traces(&Settings::resolve(args, outer)?, &into);
        }
        Command::Explain(ExplainArgs { what, .. }) => {
            let text = match Subject::of(what.as_deref())? {
                Subject::Rules => explain::list(),
                Subject::Rule(rule) => explain::rule(rule),
                Subject::Finding(id) => explain_finding(&Settings::resolve(args, outer)?, &id)?,
            };
            output::print(&text)?;
            return Ok(Outcome::Passed);
        }
        Command::Completions(CompletionsArgs { shell }) => {
            output::print(&manual::completions(*shell))?;
            return Ok(Outcome::Passed);
        }
        Command::Man(ManArgs { directory }) => {
            manual::write(directory)?;
            return Ok(Outcome::Passed);
        }
        Command::Clean => return clean(),
        Command::Diff(DiffArgs { old, new }) => return diff(old, new, args.report.format),
    };
    let settings = Settings::resolve(args, outer)?;
    settings.color.write_global();
    // What cannot be read is said before anything is run, so that nothing is lost by it.
    let baseline = Baseline::load(&settings.workspace)?;
    stages(settings, &baseline)
}

/// Accepts what the last report shows, or the one that is named.
fn update_baseline(
    settings: &Settings,
    from: Option<PathBuf>,
    reason: &str,
    prune: bool,
) -> Result<Outcome, Failure> {
    let report = kept_report::read(&from.unwrap_or_else(|| settings.last_report()))?;
    let mut baseline = Baseline::load(&settings.workspace)?;
    let Change { added, kept, gone } = baseline.update(&report, reason, prune);
    baseline.write(&settings.workspace)?;
    let gone = match (gone, prune) {
        (0, _) => String::new(),
        (gone, true) => format!(", {gone} taken out"),
        (gone, false) => format!(", {gone} not found (`--prune` takes them out)"),
    };
    status::stage(format_args!("wrote {}: {added} added, {kept} kept{gone}", baseline::NAME));
    Ok(Outcome::Passed)
}

/// All that the last report knows of a finding.
fn explain_finding(settings: &Settings, id: &str) -> Result<String, Failure> {
    let report = kept_report::read(&settings.last_report())?;
    let sources = Sources::of_workspace(&settings.workspace);
    explain::finding(&report, id, &output::plain(&sources, &settings.show))
}

/// Compares two reports, and fails for what is new.
fn diff(old: &Path, new: &Path, format: Format) -> Result<Outcome, Failure> {
    let (old, new) = (kept_report::read(old)?, kept_report::read(new)?);
    let difference = Difference::of(&old, &new);
    let sources = Sources::of_workspace(&env::current_dir().unwrap_or_default());
    output::print(&match format {
        Format::Text => difference.text(&output::plain(&sources, &Show::default())),
        Format::Json => difference.json(),
        other => {
            return Err(Failure::new(
                format!("a comparison cannot be printed as `{}`", other.name()),
                "Leave `--format` out, or ask for `json`.",
            ));
        }
    })?;
    Ok(if difference.has_new_deny() { Outcome::Denied } else { Outcome::Passed })
}

/// Removes the compiled runtimes of this user.
fn clean() -> Result<Outcome, Failure> {
    let cwd = env::current_dir().unwrap_or_default();
    let Some(directory) = settings::cache(&cwd) else {
        return Err(Failure::new(
            "this system names no directory for caches",
            format!("Set `{}` to the directory that has the runtimes.", settings::CACHE),
        ));
    };
    let Removed { entries, bytes, in_use } = Cache::at(&directory).clean();
    let in_use = if in_use == 0 { String::new() } else { format!(", and left {in_use} in use") };
    let runtimes = if entries == 1 { "runtime" } else { "runtimes" };
    status::stage(format_args!(
        "removed {entries} compiled {runtimes} ({:.1} MB) from {}{in_use}",
        bytes as f64 / 1e6,
        directory.display(),
    ));
    Ok(Outcome::Passed)
}

/// The stages of a check that reads the source.
fn lint_source(settings: Settings, baseline: &Baseline) -> Result<Outcome, Failure> {
    let compiled = lint::compile::run(&settings)?;
    let mut linted = lint::run(&compiled, &settings.workspace, &settings.lint);
    // Locks of what was not looked at are not known.
    let is_whole = compiled.code == 0 && compiled.has_all_of(&settings.members);
    if is_whole && !linted.unknown_names.is_empty() {
        return Err(Failure::new(
            linted.unknown_names.join("; "),
            "Write the names as reports have them: `Struct.field`, or that of a static.",
        ));
    }
    let sources = Sources::of_workspace(&settings.workspace);
    let mut order_graph = OrderGraph::of_source(&linted.orders);
    let mut times = Vec::new();
    if settings.with_trace {
        let phase = Phase::begin("reading what was recorded", settings.voice);
        let (merged, _) = read(&collect::stored(&settings)?, &sources, &phase, &mut linted.notes)?;
        let mut recorded = analyze(&merged, &sources, &settings.lint.order);
        order_graph = mem::take(&mut recorded.order_graph);
        times = mem::take(&mut recorded.times);
        let names = Names::of(&merged.classes, &Syntax::new(&sources));
        with_trace::join(&mut linted, recorded, &merged, &names);
    } else {
        linted.orders.clear();
    }
    let evidence = if settings.with_trace { Evidence::Both } else { Evidence::Source };
    let mut report = judge(linted.findings, linted.files, evidence, &settings, baseline, &sources);
    report.coverage = linted.coverage;
    belonging::settle_graph(&mut order_graph, &settings.packages_of_workspace);
    report.order_graph = order_graph;
    report.times = times;
    report.orders = linted.orders;
    report.warnings.extend(linted.unknown_names);
    report.warnings.extend(linted.not_in_force);
    report.notes.extend(linted.notes);
    // Rules that are `allow` are shown as findings when they are asked for.
    let (shown, hidden) = report
        .suppressed
        .into_iter()
        .partition(|entry| entry.finding.reason.is_none() && settings.show.has(entry));
    report.suppressed = hidden;
    let shown: Vec<Suppressed> = shown;
    report.findings.extend(shown.into_iter().map(|entry| entry.finding));
    if compiled.code != 0 {
        report.notes.push(
            "not everything compiles: what the errors above are in, and what depends on it, was \
             not looked at"
                .to_owned(),
        );
    }
    report.notes.extend(lint::compile::unread(&settings.toolchain, &report.coverage));
    if settings.forward_messages {
        // A closed stdout leaves nobody to tell.
        let _ =
            lint::output::messages::write(&report, &compiled, &sources, &mut io::stdout().lock());
    }
    output::write(&report, &settings, &sources)?;
    if settings.coverage {
        // A closed stderr leaves nobody to tell.
        let _ = linted.named_locks.write(&mut io::stderr().lock());
    }
    Ok(if compiled.code == 0 { outcome(0, &report) } else { Outcome::NotChecked })
}

/// The stages of a check that runs the program.
fn check(settings: Settings, baseline: &Baseline) -> Result<Outcome, Failure> {
    let runtime = runtime(&settings)?;
    let collected = collect::run(&settings, &runtime, None)?;
    if let Some(failure) = collected.nothing_ran() {
        status::failure(&failure);
        return Ok(Outcome::NotChecked);
    }
    // Without names the report is shorter, and what could be read of a trace is said there.
    _ = symbols::append(&collected.traces);
    let unwatched = unwatched(&settings.packages, &settings.build);
    // Without it a later report says that it is not known.
    _ = not_watched::keep(&collected.traces, &unwatched);
    let around = Around { unwatched, notes: collected.notes().collect() };
    let sources = Sources::of_workspace(&settings.workspace);
    let traces = slice::from_ref(&collected.traces);
    let (mut report, _) = report(&settings, baseline, &sources, traces, around)?;
    let confirmed = match settings.confirm && !interrupts::is_interrupted() {
        true => confirm_all(&mut report, &settings, &runtime, &sources),
        false => Ok(()),
    };
    output::write(&report, &settings, &sources)?;
    confirmed?;
    Ok(outcome(collected.code, &report))
}

/// The runtime for this program, compiled if it was not.
fn runtime(settings: &Settings) -> Result<Runtime, Failure> {
    let users = Users::of_program(settings.lock_file.as_deref());
    let caches = [&settings.cache, &settings.workspace_cache].map(Cache::at);
    let unfinished = caches.clone();
    let _cleaned_up =
        interrupts::clean_up(move || unfinished.iter().for_each(Cache::remove_unfinished));
    let [cache, of_workspace] = &caches;
    Runtime::prepare(cache, of_workspace, &settings.toolchain, users, settings.voice)
}

/// Confirms all findings of this run that runs can come to.
fn confirm_all(
    report: &mut Report,
    settings: &Settings,
    runtime: &Runtime,
    sources: &Sources,
) -> Result<(), Failure> {
    let ground = Ground { settings, runtime, sources, runs: RUNS };
    let mut all = confirm::choose(report, &[])?.into_iter();
    let result = all.try_for_each(|finding| ground.confirm(finding).map(drop));
    reclassify(report, &settings.levels);
    result
}

/// The last run, to be made again.
struct Again {
    settings: Settings,
    report: Report,
    runtime: Runtime,
    sources: Sources,
}

impl Again {
    /// The run that the last report is on, of what `checked` names.
    fn last(how: ReportArgs, checked: Checked, outer: Option<Outer>) -> Result<Again, Failure> {
        let words = checked.cargo();
        let stored = Stored { traces: Vec::new(), keep_going: false, checked };
        let command = Command::Report(stored);
        let kept = Settings::resolve(Args { report: how.clone(), command }, outer.clone())?;
        let report = kept_report::read(&kept.last_report())?;
        let mut invocation = Invocation::kept(&collect::last_run(&kept)?)?;
        invocation.said_as(&words);
        env::set_current_dir(&invocation.directory).map_err(|error| {
            Failure::new(
                format!("`{}` cannot be gone to: {error}", invocation.directory.display()),
                "Run `cargo lockcheck test` again, which notes where it was started.",
            )
        })?;
        let again = Args { report: how, command: invocation.command() };
        let settings = Settings::resolve(again, outer)?;
        settings.color.write_global();
        let sources = Sources::of_workspace(&settings.workspace);
        let runtime = runtime(&settings)?;
        Ok(Again { settings, report, runtime, sources })
    }

    /// Confirms findings with these ids, or all that a run can come to.
    fn confirm(mut self, ids: &[String], runs: u32) -> Result<Outcome, Failure> {
        let Again { settings, report, runtime, sources } = &mut self;
        let ground = Ground { settings, runtime, sources, runs };
        let chosen = confirm::choose(report, ids)?;
        if chosen.is_empty() {
            status::stage("no finding of the last report is left that a run could confirm");
        }
        let mut is_reached = false;
        for finding in chosen {
            let verdict = ground.confirm(finding)?;
            is_reached |= verdict == Verdict::Reached;
            if settings.format == Format::Text {
                let text = verdict.text(finding, &output::for_stderr(sources, settings));
                anstream::eprintln!("{}\n", text.trim_end());
            }
        }
        reclassify(report, &settings.levels);
        match settings.format {
            Format::Text => output::write_files(report, settings, sources)?,
            _ => output::write(report, settings, sources)?,
        }
        Ok(if is_reached { Outcome::Denied } else { Outcome::Passed })
    }

    /// Brings the finding with this id about, and lets it stand.
    fn replay(mut self, id: String) -> Result<Outcome, Failure> {
        let Again { settings, report, runtime, sources } = &mut self;
        let ground = Ground { settings, runtime, sources, runs: RUNS };
        let chosen = confirm::choose(report, slice::from_ref(&id))?;
        for finding in chosen {
            if !ground.replay(finding)? && !interrupts::is_interrupted() {
                status::warning(format_args!("no run has come to `{id}`, in {RUNS} attempts"));
            }
        }
        Ok(Outcome::Passed)
    }
}

/// Sorts the findings anew, whose tiers have changed.
fn reclassify(report: &mut Report, levels: &Levels) {
    let judged = classify(mem::take(&mut report.findings), levels);
    report.findings = judged.findings;
    report.suppressed.extend(judged.suppressed);
}

/// The stages of a report on what was recorded before.
fn report_on_traces(settings: Settings, baseline: &Baseline) -> Result<Outcome, Failure> {
    let traces = collect::stored(&settings)?;
    let (_, own) = apart(&traces);
    let around = match not_watched::kept(&own) {
        Some(unwatched) => Around { unwatched, notes: Vec::new() },
        None => Around { unwatched: Vec::new(), notes: vec![NOT_KNOWN.to_owned()] },
    };
    let sources = Sources::of_workspace(&settings.workspace);
    let (report, unusable) = report(&settings, baseline, &sources, &traces, around)?;
    output::write(&report, &settings, &sources)?;
    let outcome = outcome(0, &report);
    if unusable > 0 && outcome == Outcome::Passed && !settings.keep_going {
        return Err(lacking(unusable, "this report"));
    }
    Ok(outcome)
}

/// Some traces could not be used, so `what` lacks what they show.
fn lacking(unusable: usize, what: &str) -> Failure {
    let traces = if unusable == 1 { "trace" } else { "traces" };
    Failure::new(
        format!("{unusable} {traces} could not be used, so {what} may lack what they show"),
        "Record them again with this version of cargo-lockcheck, or pass `--keep-going`.",
    )
}

/// Joins traces into one file.
fn merge_traces(settings: &Settings, into: &Path) -> Result<Outcome, Failure> {
    let (runs, traces) = apart(&collect::stored(settings)?);
    if let Some(run) = runs.first() {
        return Err(Failure::new(
            format!("`{}` has every step of one run, and is not joined with others", run.display()),
            "Leave it out, and name it beside the joined file for `cargo lockcheck report`.",
        ));
    }
    let sources = Sources::of_workspace(&settings.workspace);
    let phase = Phase::begin("joining what was recorded", settings.voice);
    let tell = |done, all| phase.is_at(done, all);
    let (merged, unread) = Merged::gather(&traces, &sources, &tell);
    if let Some(failure) = unread.failure() {
        return Err(failure);
    }
    merged.write(into, not_watched::kept(&traces))?;
    drop(phase);
    unread.warnings.iter().for_each(status::warning);
    let processes = match merged.processes.len() {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    status::stage(format_args!("wrote {}: what {processes} recorded", into.display()));
    if unread.unusable > 0 && !settings.keep_going {
        return Err(lacking(unread.unusable, &format!("`{}`", into.display())));
    }
    Ok(Outcome::Passed)
}

/// Of traces that came without the file that says it.
const NOT_KNOWN: &str = "which locks were not watched is not known of all these traces: \
                         `not-watched.json` is missing beside them, or cannot be read";

/// What is known of a run beside its traces.
struct Around {
    /// What it did not watch.
    unwatched: Vec<Unwatched>,
    /// Sentences on how the traces came about.
    notes: Vec<String>,
}

/// From traces to the report, with the number of those that could not be used.
fn report(
    settings: &Settings,
    baseline: &Baseline,
    sources: &Sources,
    traces: &[PathBuf],
    around: Around,
) -> Result<(Report, usize), Failure> {
    let mut unread = Vec::new();
    let phase = Phase::begin("looking for deadlocks in what was recorded", settings.voice);
    let (runs, traces) = apart(traces);
    let (merged, unusable) = read(&traces, sources, &phase, &mut unread)?;
    let (predicted, unusable_runs) = predict(&runs, sources, &mut unread);
    let unusable = unusable + unusable_runs;
    let mut analysis = analyze(&merged, sources, &settings.lint.order);
    analysis.findings.extend(predicted.findings);
    analysis.notes.extend(predicted.notes);
    let files = accept::files_below(&settings.workspace);
    let mut report = judge(analysis.findings, files, Evidence::Runs, settings, baseline, sources);
    report.coverage = merged.coverage();
    report.coverage.add(&predicted.coverage);
    report.order_graph = analysis.order_graph;
    belonging::settle_graph(&mut report.order_graph, &settings.packages_of_workspace);
    report.times = analysis.times;
    report.standstills = analysis.standstills;
    report.unwatched = around.unwatched;
    report.notes.extend(around.notes);
    report.notes.extend(analysis.notes);
    report.notes.extend(unread);
    if report.coverage.processes == 0 {
        report.notes.push("no process took a lock, so there was nothing to check".to_owned());
    }
    drop(phase);
    Ok((report, unusable))
}

/// The runs in the STD format, and all other traces.
fn apart(traces: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_std = |trace: &PathBuf| trace.extension().is_some_and(|ending| ending == ENDING);
    traces.iter().cloned().partition(is_std)
}

/// What is predicted of runs in the STD format, and how many of them could not be used.
fn predict(runs: &[PathBuf], sources: &Sources, notes: &mut Vec<String>) -> (Predicted, usize) {
    let mut unusable = 0;
    let mut read = Vec::new();
    for run in runs {
        let name = sources.shorten(&run.to_string_lossy());
        let (trace, warnings) = StdTrace::read(run, &name);
        notes.extend(warnings.into_iter().map(|Warning(sentence)| sentence));
        unusable += usize::from(trace.is_none());
        read.extend(trace);
    }
    (predicted::analyze(&read, &Syntax::new(sources), Limits::default()), unusable)
}

/// The findings as a report: each has its package, what is accepted is taken out, and what is left has
/// its level.
fn judge(
    mut findings: Vec<Finding>,
    files: BTreeSet<String>,
    evidence: Evidence,
    settings: &Settings,
    baseline: &Baseline,
    sources: &Sources,
) -> Report {
    let syntax = Syntax::new(sources);
    belonging::settle(&mut findings, &settings.packages_of_workspace, sources, &syntax);
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let parted =
        accept::part(findings, &settings.accepted, baseline, files, sources, evidence, today);
    let mut report = classify(parted.left, &settings.levels);
    report.suppressed.extend(parted.accepted);
    report.warnings = parted.warnings;
    report.notes = parted.notes;
    report
}

/// The traces in one, for a report, and how many could not be used; sentences on those are added to `notes`.
fn read(
    traces: &[PathBuf],
    sources: &Sources,
    phase: &Phase,
    notes: &mut Vec<String>,
) -> Result<(Merged, usize), Failure> {
    let (merged, unread) = traces::read(traces, sources, &|done, all| phase.is_at(done, all));
    if let Some(failure) = unread.failure() {
        return Err(failure);
    }
    if let Some(warning) = unread.warning() {
        status::warning(warning);
    }
    notes.extend(unread.warnings.into_iter().map(|Warning(sentence)| sentence));
    Ok((merged, unread.unusable))
}

/// What ended the check: a failure of the program's own keeps its code; one that is the effect of
/// a finding (a deadlock that was stopped) does not count as such.
fn outcome(program: u8, report: &Report) -> Outcome {
    let happened =
        |finding: &Finding| finding.level == Level::Deny && finding.tier == Tier::Happened;
    match (program, report.has_deny()) {
        (0, false) => Outcome::Passed,
        (0, true) => Outcome::Denied,
        _ if report.findings.iter().any(happened) => Outcome::Denied,
        _ => Outcome::Failed(program),
    }
}
