//! The command line: which words are lockcheck's own, and which are cargo's.
//!
//! lockcheck's options may stand anywhere before a `--`; every other word goes to cargo as it is.
//! None of lockcheck's options has the name of one of cargo's, so nothing is taken from cargo.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args as _, CommandFactory, FromArgMatches, Parser};
use clap_complete::Shell;
use jiff::SignedDuration;
use lockdep::finding::{Rule, Tier};

use super::arrange::arrange;
use crate::report::model::Level;
use crate::report::render::{Format, Show};

/// What scripts want to know.
const EXIT_CODES: &str = "\
Exit codes:
  0    nothing at level deny
  100  something at level deny
  101  a test failed; with `run`, the code of a program that failed
  102  the check could not be made
  2    bad arguments";

/// What scripts want to know of a comparison.
const DIFF_CODES: &str = "\
Exit codes:
  0    nothing at level deny is new
  100  something at level deny is new
  102  a report could not be read
  2    bad arguments";

/// What scripts want to know of a confirmation.
const CONFIRM_CODES: &str = "\
Exit codes:
  0    no run has come to one of the findings
  100  a run has come to one of the findings, which is confirmed
  102  the runs could not be made
  2    bad arguments";

/// What scripts want to know of joined traces.
const MERGE_CODES: &str = "\
Exit codes:
  0    all traces are in the file
  102  one could not be used, or the file not be written
  2    bad arguments";

/// What is left.
const CLEAN: &str = "\
The next check compiles the runtime anew. What a workspace has in `target/lockcheck` goes with
`cargo clean`.";

/// The heading of options for what reads the source.
const OF_THE_SOURCE: &str = "With `check`";

/// The heading of options for what runs a program.
const OF_RUNS: &str = "With `test`, `run`, `bench` and `nextest`";

/// What a subcommand that calls cargo is given.
macro_rules! usage {
    ($command:literal) => {
        concat!("cargo lockcheck ", $command, " [OPTIONS] [CARGO'S ARGUMENTS] [-- PROGRAM'S]")
    };
}

/// `cargo lockcheck …`, as cargo calls it: with the subcommand's name as the first argument.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Lockcheck(Args),
}

/// Finds deadlocks: in tests and programs that it runs, or in the source
///
/// The source stays as it is. `lockcheck.toml` at the root of the workspace sets levels of rules,
/// orders of locks and single findings that are accepted.
#[derive(Debug, clap::Args)]
#[command(
    version,
    disable_help_subcommand = true,
    override_usage = usage!("[COMMAND]"),
    after_long_help = EXIT_CODES,
)]
pub struct Args {
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What to check.
    #[command(subcommand)]
    pub command: Command,
}

/// What to check.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Runs `cargo test` with every lock watched
    #[command(visible_alias = "t", override_usage = usage!("test"), after_long_help = EXIT_CODES)]
    Test(CargoCommand),
    /// Runs `cargo run` with every lock watched
    #[command(visible_alias = "r", override_usage = usage!("run"), after_long_help = EXIT_CODES)]
    Run(CargoCommand),
    /// Runs `cargo bench` with every lock watched
    #[command(override_usage = usage!("bench"), after_long_help = EXIT_CODES)]
    Bench(CargoCommand),
    /// Runs `cargo nextest` with every lock watched
    #[command(override_usage = usage!("nextest run"), after_long_help = EXIT_CODES)]
    Nextest(CargoCommand),
    /// Reads the source as `cargo check` does; the default
    #[command(
        visible_alias = "c",
        override_usage = "cargo lockcheck [check] [OPTIONS] [CARGO'S ARGUMENTS]",
        after_long_help = EXIT_CODES
    )]
    Check(CargoCommand),
    /// Reports on what earlier runs have left, here or on other machines
    #[command(
        override_usage = "cargo lockcheck report [OPTIONS] [TRACES]...",
        after_long_help = EXIT_CODES
    )]
    Report(Stored),
    /// Re-runs the tests of findings so that what they tell of comes about
    #[command(
        override_usage = "cargo lockcheck confirm [OPTIONS] [ID]...",
        after_long_help = CONFIRM_CODES
    )]
    Confirm(ConfirmArgs),
    /// Brings a deadlock about once more, for a debugger to look at
    #[command(override_usage = "cargo lockcheck replay [OPTIONS] ID")]
    Replay(ReplayArgs),
    /// Joins the traces of many runs or machines into one file
    #[command(
        override_usage = "cargo lockcheck merge [OPTIONS] --into FILE [TRACES]...",
        after_long_help = MERGE_CODES
    )]
    Merge(MergeArgs),
    /// Accepts what the last report shows, until it is cured
    #[command(override_usage = "cargo lockcheck baseline [OPTIONS] [REPORT]")]
    Baseline(BaselineArgs),
    /// Says what a rule means, or all about a finding of the last report
    #[command(override_usage = "cargo lockcheck explain [OPTIONS] [RULE|ID]")]
    Explain(ExplainArgs),
    /// Compares two reports: what is new, what is gone
    #[command(
        override_usage = "cargo lockcheck diff [OPTIONS] OLD NEW",
        after_long_help = DIFF_CODES
    )]
    Diff(DiffArgs),
    /// Removes the compiled runtimes, which all workspaces share
    #[command(hide = true, override_usage = "cargo lockcheck clean", after_long_help = CLEAN)]
    Clean,
    /// Prints what completes the arguments in a shell
    #[command(hide = true, override_usage = "cargo lockcheck completions SHELL")]
    Completions(CompletionsArgs),
    /// Writes the manual's pages into a directory
    #[command(hide = true, override_usage = "cargo lockcheck man DIRECTORY")]
    Man(ManArgs),
}

/// Those of the options of [`ReportArgs`] that are of use to this subcommand.
fn options_of(subcommand: &str) -> &'static [&'static str] {
    match subcommand {
        "test" | "run" | "bench" | "nextest" => {
            &["format", "output", "show", "confirm", "stats", "timeout", "deny", "warn", "allow"]
        }
        "check" => &["format", "output", "show", "with_trace", "coverage", "deny", "warn", "allow"],
        "confirm" | "replay" => &["format", "output", "show", "timeout", "deny", "warn", "allow"],
        "report" => &["format", "output", "show", "deny", "warn", "allow"],
        "explain" => &["show"],
        "diff" => &["format"],
        _ => &[],
    }
}

/// For which shell.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Where to.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The directory, which is made where it is not there
    pub directory: PathBuf,
}

/// Which traces to report on.
#[derive(Debug, clap::Args)]
pub struct Stored {
    /// Traces, or directories with them; else those of the last run
    ///
    /// `report` also reads runs in the STD format, in files with the ending `.std`.
    #[arg(value_name = "TRACES")]
    pub traces: Vec<PathBuf>,
    /// Do not fail for traces that cannot be used
    #[arg(long)]
    pub keep_going: bool,
    /// Of what.
    #[command(flatten)]
    pub checked: Checked,
}

/// What to confirm.
#[derive(Debug, clap::Args)]
pub struct ConfirmArgs {
    /// The ids of findings of the last report; else all that can be tried
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// How many runs to make at most for each
    #[arg(long, value_name = "N", default_value_t = RUNS, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Of what.
    #[command(flatten)]
    pub checked: Checked,
}

/// What to bring about.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The id of a finding of the last report
    #[arg(value_name = "ID")]
    pub id: String,
    /// Of what.
    #[command(flatten)]
    pub checked: Checked,
}

/// So many runs are made to confirm a finding, unless another number is named.
pub const RUNS: u32 = 10;

/// Which traces to join, and where to.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// The file, which `report` then reads
    #[arg(short = 'o', long, value_name = "FILE")]
    pub into: PathBuf,
    /// Which traces.
    #[command(flatten)]
    pub stored: Stored,
}

/// What to accept.
#[derive(Debug, clap::Args)]
pub struct BaselineArgs {
    /// A report as JSON; else the last one
    #[arg(value_name = "REPORT")]
    pub from: Option<PathBuf>,
    /// Why what is new is accepted
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "known when the baseline was written",
        hide_default_value = true
    )]
    pub reason: String,
    /// Also take out what the report has no more
    #[arg(long)]
    pub prune: bool,
    /// Of what.
    #[command(flatten)]
    pub checked: Checked,
}

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// A rule, or the id of a finding; else all rules are listed
    #[arg(value_name = "RULE|ID")]
    pub what: Option<String>,
    /// Of what.
    #[command(flatten)]
    pub checked: Checked,
}

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The earlier report, as JSON
    pub old: PathBuf,
    /// The later report, as JSON
    pub new: PathBuf,
}

/// The program that was checked.
#[derive(Debug, Default, clap::Args)]
pub struct Checked {
    /// The manifest of what was checked
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Its target directory
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// Say nothing but the report
    #[arg(short, long, hide_short_help = true)]
    pub quiet: bool,
    /// Say how long things take, too
    #[arg(short, long, conflicts_with = "quiet", hide_short_help = true)]
    pub verbose: bool,
    /// In colour: `auto`, `always` or `never`
    #[arg(long, value_name = "WHEN", hide_possible_values = true, hide_short_help = true, value_parser = ["auto", "always", "never"])]
    pub color: Option<String>,
}

/// A command of cargo's.
#[derive(Debug, clap::Args)]
pub struct CargoCommand {
    /// Arguments for cargo, and after `--` for the program
    #[arg(last = true, hide = true)]
    pub cargo: Vec<OsString>,
}

impl Checked {
    /// Where cargo is to look, in cargo's words.
    pub fn cargo(&self) -> Vec<OsString> {
        let word = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| [name.into(), path.into()]).into_iter().flatten()
        };
        let manifest = word("--manifest-path", &self.manifest_path);
        let directory = word("--target-dir", &self.target_dir);
        let flags = [("--quiet", self.quiet), ("--verbose", self.verbose)];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.into());
        let color = self.color.as_ref().map(|when| ["--color".into(), when.into()]);
        manifest.chain(directory).chain(flags).chain(color.into_iter().flatten()).collect()
    }
}

/// How to report what was found.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// Print the report in this form instead of as text
    #[arg(long, global = true, value_name = "FORMAT", default_value = Format::Text.name(), value_parser = formats(), hide_default_value = true, hide_possible_values = true, long_help = what_forms_there_are())]
    pub format: Format,
    /// Also write it to a file; may be repeated
    #[arg(long, global = true, value_name = "FORMAT[=PATH]", hide_short_help = true, long_help = where_files_are())]
    pub output: Vec<Written>,
    /// Also show what is left out, or `all` of it
    #[arg(long, global = true, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true, hide_short_help = true, long_help = what_is_shown(), value_parser = PossibleValuesParser::new(Show::CODES))]
    pub show: Vec<String>,
    /// Join what the source shows with what was recorded, by the last run unless a file or directory
    /// with traces is named
    #[arg(
        long,
        global = true,
        help_heading = OF_THE_SOURCE,
        value_name = "TRACES",
        require_equals = true,
        hide_short_help = true
    )]
    pub with_trace: Option<Option<PathBuf>>,
    /// Also re-run the tests of what is found, as `cargo lockcheck confirm` does
    #[arg(long, global = true, help_heading = OF_RUNS, hide_short_help = true)]
    pub confirm: bool,
    /// List the acquisitions whose lock has no name, by the reason
    #[arg(long, global = true, help_heading = OF_THE_SOURCE, hide_short_help = true)]
    pub coverage: bool,
    /// Also count and time waits and holds, and report them for each lock
    #[arg(long, global = true, help_heading = OF_RUNS, hide_short_help = true)]
    pub stats: bool,
    /// End a process when nothing has got on for this time: `90`, `2m`; `0` for never. It is 60 s
    /// unless told, and none for `run` and `bench`
    #[arg(long, global = true, help_heading = OF_RUNS, value_name = "TIME", hide_short_help = true, value_parser = timeout)]
    pub timeout: Option<Duration>,
    /// Fail on these rules or tiers (--warn, --allow)
    #[arg(long, global = true, value_name = "RULES", value_delimiter = ',', hide_possible_values = true, long_help = what_has_levels(), value_parser = codes())]
    pub deny: Vec<String>,
    /// Report these rules or tiers without failing
    #[arg(long, global = true, value_name = "RULES", value_delimiter = ',', hide_possible_values = true, hide_short_help = true, value_parser = codes())]
    pub warn: Vec<String>,
    /// Do not report these rules or tiers
    #[arg(long, global = true, value_name = "RULES", value_delimiter = ',', hide_possible_values = true, hide_short_help = true, value_parser = codes())]
    pub allow: Vec<String>,
}

/// A time, in seconds where no unit is said.
fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let with_unit = || text.parse::<SignedDuration>().ok().and_then(|time| time.try_into().ok());
    seconds
        .or_else(with_unit)
        .ok_or_else(|| "write seconds, or a time such as `90s` or `2m`".to_owned())
}

/// What `--format` takes, in words.
fn what_forms_there_are() -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    format!(
        "Print the report in this form: `{}`; text goes to stderr, all others to stdout",
        names.join("`, `")
    )
}

/// What `--show` takes, in words.
fn what_is_shown() -> String {
    let codes = Show::CODES.join("`, `");
    format!("Also show what is left out of the report: `{codes}`, several separated by commas")
}

/// What a level can be set of, in words.
fn what_has_levels() -> String {
    let rules: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    let tiers: Vec<&str> = Tier::ALL.iter().map(|tier| tier.code()).collect();
    format!(
        "Fail when one of these rules, or anything of these tiers, is found; several are separated by \
         commas.\n\nRules: {}.\n\nTiers: {}.",
        rules.join(", "),
        tiers.join(", ")
    )
}

impl ReportArgs {
    /// The levels that are set, each code with its own; the strictest last, so that it wins.
    pub fn levels(&self) -> impl Iterator<Item = (&str, Level)> {
        let levels =
            [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)];
        levels.into_iter().flat_map(|(codes, level)| codes.iter().map(move |code| (&**code, level)))
    }
}

/// A form that a report is to be written in, and perhaps where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// In which form.
    pub format: Format,
    /// The file; where none is named, the form has a place of its own.
    pub path: Option<PathBuf>,
}

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Written, String> {
        let (format, path) = match text.split_once('=') {
            None => (text, None),
            Some((_, "")) => return Err("no file is named after `=`".to_owned()),
            Some((format, path)) => (format, Some(path.into())),
        };
        let format = format.parse().map_err(|what| {
            format!("{what}; write FORMAT or FORMAT=PATH, for example json=report.json")
        })?;
        Ok(Written { format, path })
    }
}

/// Where `--output` writes what has no path, in words.
fn where_files_are() -> String {
    let files = Format::ALL
        .iter()
        .filter_map(|format| Some(format!("`{}` to `{}`", format.name(), format.file()?)));
    let files: Vec<String> = files.collect();
    format!(
        "Also write the report to a file, in any of these forms; may be repeated. Where no path is named, \
         it is written below `target/lockcheck`: {}. `github` is printed. In GitHub Actions `github` is \
         written unasked, in GitLab CI `gitlab`",
        files.join(", ")
    )
}

/// The parser of a format's name.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<Format>())
}

/// The parser of what can have a level: a rule or a tier, by its code.
fn codes() -> PossibleValuesParser {
    let rules = Rule::ALL.iter().map(|rule| rule.code());
    PossibleValuesParser::new(rules.chain(Tier::ALL.iter().map(|tier| tier.code())))
}

/// `cargo lockcheck` as it is parsed: no subcommand shows an option that does nothing for it.
fn cargo() -> clap::Command {
    Cargo::command().mut_subcommand("lockcheck", |own| {
        let options: Vec<Arg> =
            own.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
        own.mut_subcommands(|subcommand| {
            let used = options_of(subcommand.get_name());
            let unused = options.iter().filter(|option| !used.contains(&option.get_id().as_str()));
            let hidden = unused.map(|option| option.clone().hide(true));
            subcommand.args(hidden)
        })
    })
}

/// The command line as a program of its own, which `cargo lockcheck` calls.
pub fn program() -> clap::Command {
    let cargo = cargo();
    let own = cargo.find_subcommand("lockcheck").cloned().unwrap_or(cargo);
    own.name("cargo-lockcheck").bin_name("cargo-lockcheck").version(env!("CARGO_PKG_VERSION"))
}

impl Args {
    /// The arguments of this process.
    ///
    /// # Errors
    /// clap's own error for arguments that make no sense, which also stands for `--help`.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
        let mut cargo = cargo();
        let args = arrange(args.into_iter().collect(), &cargo);
        let matches = cargo.try_get_matches_from_mut(args)?;
        let unused = matches.subcommand().and_then(|(_, own)| unused_option(own));
        if let Some(why) = unused {
            return Err(cargo.error(ErrorKind::ArgumentConflict, why));
        }
        let Cargo::Lockcheck(args) = Cargo::from_arg_matches(&matches)?;
        Ok(args)
    }
}

/// Why an option that was given is of no use to the subcommand, if one is.
fn unused_option(own: &ArgMatches) -> Option<String> {
    let (subcommand, given) = own.subcommand()?;
    let used = options_of(subcommand);
    let options = ReportArgs::augment_args(clap::Command::new(""));
    let is_unused = |option: &&Arg| {
        let id = option.get_id().as_str();
        !used.contains(&id) && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    let option = options.get_arguments().find(is_unused)?;
    let option = option.get_long()?;
    let who = match option {
        "with-trace" => {
            "`cargo lockcheck check`, which joins what the source shows with what runs have recorded; \
             the other subcommands read no source"
        }
        "coverage" => {
            "`cargo lockcheck check`, which names locks by what the source says; in a run each lock is known"
        }
        "confirm" => {
            "`cargo lockcheck test` and others that run something; `cargo lockcheck confirm` confirms \
             what the last of these has found"
        }
        "stats" | "timeout" => "`cargo lockcheck test` and others that run something",
        "output" | "deny" | "warn" | "allow" => {
            "subcommands that report, and this one does not; `cargo lockcheck report` reports on what \
             was recorded"
        }
        _ => "other subcommands",
    };
    Some(format!("`--{option}` is for {who}"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;
    use std::time::Duration;

    use super::{Args, Command, Format};
    use crate::report::model::Level;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::parse(line.split(' ').map(OsString::from))
    }

    fn cargo_args(line: &str) -> String {
        let args = parse(line).expect("the line parses");
        let (Command::Test(to)
        | Command::Run(to)
        | Command::Bench(to)
        | Command::Nextest(to)
        | Command::Check(to)) = args.command
        else {
            panic!("{line} is not for cargo");
        };
        to.cargo.join(" ".as_ref()).into_string().expect("UTF-8")
    }

    #[test]
    fn what_is_not_ours_goes_to_cargo() {
        assert_eq!(cargo_args("cargo-lockcheck lockcheck test"), "");
        assert_eq!(
            cargo_args(
                "x lockcheck test -p a --format json --release name -- --nocapture --show x"
            ),
            "-p a --release name -- --nocapture --show x"
        );
        assert_eq!(
            cargo_args("x lockcheck nextest run --output json=r -E test(a)"),
            "run -E test(a)"
        );
    }

    #[test]
    fn the_subcommand_name_may_be_missing() {
        assert_eq!(cargo_args("cargo-lockcheck test -v"), "-v");
    }

    #[test]
    fn arguments_of_the_program_are_not_ours() {
        assert_eq!(
            cargo_args("x lockcheck run --bin b --deny=livelock word --format json"),
            "--bin b word --format json"
        );
    }

    #[test]
    fn our_options_are_read_wherever_they_stand() {
        let args = parse(
            "x lockcheck --format json test --output json=a.json --output=text=b --show guarded \
             --show allow -v --deny lock-order --warn deadlock --allow slow-hold",
        )
        .expect("the line parses");
        assert_eq!(args.report.format, Format::Json);
        assert_eq!(args.report.output[0].path.as_deref(), Some(Path::new("a.json")));
        assert_eq!(args.report.output[1].format, Format::Text);
        assert_eq!(args.report.show, ["guarded", "allow"]);
        let levels: Vec<_> = args.report.levels().collect();
        let expected =
            [("slow-hold", Level::Allow), ("deadlock", Level::Warn), ("lock-order", Level::Deny)];
        assert_eq!(levels, expected);
    }

    #[test]
    fn flags_are_ours_too() {
        assert_eq!(cargo_args("x lockcheck test --stats -p a"), "-p a");
        assert_eq!(cargo_args("x lockcheck --with-trace check -p a"), "-p a");
        let args = parse("x lockcheck check --with-trace=some/where --lib").expect("it parses");
        assert_eq!(args.report.with_trace, Some(Some("some/where".into())));
    }

    #[test]
    fn stored_traces_have_arguments_of_their_own() {
        let args = parse("x lockcheck report a --format json --manifest-path m b --deny livelock");
        let args = args.expect("the line parses");
        assert_eq!(args.report.format, Format::Json);
        let Command::Report(stored) = args.command else { panic!("it is not a report") };
        assert_eq!(stored.traces, [Path::new("a"), Path::new("b")]);
        assert_eq!(stored.checked.manifest_path.as_deref(), Some(Path::new("m")));
    }

    #[test]
    fn what_runs_nothing_has_arguments_of_its_own_too() {
        let args = parse("x lockcheck baseline --prune --reason=old old.json");
        let Command::Baseline(baseline) = args.expect("the line parses").command else {
            panic!("it is not a baseline")
        };
        assert_eq!((baseline.prune, &*baseline.reason), (true, "old"));
        assert_eq!(baseline.from.as_deref(), Some(Path::new("old.json")));
        let args = parse("x lockcheck diff --format json a b").expect("the line parses");
        let Command::Diff(diff) = args.command else { panic!("it is no comparison") };
        assert_eq!([diff.old, diff.new], [Path::new("a"), Path::new("b")]);
        let args = parse("x lockcheck explain lock-order").expect("the line parses");
        let Command::Explain(explain) = args.command else { panic!("it explains nothing") };
        assert_eq!(explain.what.as_deref(), Some("lock-order"));
    }

    #[test]
    fn an_option_that_would_do_nothing_is_an_error() {
        for (line, option) in [
            ("merge -o all.merged --deny lock-order", "`--deny`"),
            ("--format json merge -o all.merged", "`--format`"),
            ("baseline --reason r --output json", "`--output`"),
            ("diff a b --show allow", "`--show`"),
            ("report --stats", "`--stats`"),
            ("check --timeout 3", "`--timeout`"),
            ("test --coverage", "`--coverage`"),
            ("test --with-trace", "`--with-trace`"),
            ("report --confirm", "`--confirm`"),
        ] {
            let error = parse(&format!("x lockcheck {line}")).expect_err(line);
            assert!(error.to_string().contains(&format!("{option} is for")), "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        for line in
            ["confirm --timeout 3 --format json", "explain --show all", "diff --format json a b"]
        {
            parse(&format!("x lockcheck {line}")).expect(line);
        }
    }

    #[test]
    fn how_much_is_said_is_asked_for_in_cargos_words() {
        let cargo = |line: &str| {
            let Command::Report(stored) = parse(line).expect("the line parses").command else {
                panic!("it is not a report")
            };
            stored.checked.cargo().join(" ".as_ref()).into_string().expect("UTF-8")
        };
        assert_eq!(cargo("x lockcheck report -q --color never"), "--quiet --color never");
        assert_eq!(cargo("x lockcheck report --verbose a --keep-going"), "--verbose");
        let error = parse("x lockcheck report -q -v").expect_err("it is one or the other");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn several_values_of_one_option_are_separated_by_commas() {
        let args = parse("x lockcheck test --deny double-lock,potential --show guarded,ordered");
        let args = args.expect("the line parses");
        assert_eq!(args.report.deny, ["double-lock", "potential"]);
        assert_eq!(args.report.show, ["guarded", "ordered"]);
    }

    #[test]
    fn times_are_seconds_unless_they_say_otherwise() {
        for (text, seconds) in [("90", 90), ("0", 0), ("2m", 120), ("1m30s", 90)] {
            let args = parse(&format!("x lockcheck test --timeout {text}")).expect(text);
            assert_eq!(args.report.timeout, Some(Duration::from_secs(seconds)), "{text}");
        }
        let error = parse("x lockcheck test --timeout soon").expect_err("it is no time");
        assert!(error.to_string().contains("`2m`"), "{error}");
    }

    #[test]
    fn help_says_all_and_in_short_fits_a_screen() {
        let help = |line: &str| {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 0, "{line}: {error}");
            error.to_string()
        };
        for line in ["x lockcheck help", "x lockcheck --help", "x lockcheck help test"] {
            let text = help(line);
            for part in ["[CARGO'S ARGUMENTS] [-- PROGRAM'S]", "--deny", "102", "lock-order"] {
                assert!(text.contains(part), "{line} does not say {part}: {text}");
            }
        }
        assert!(help("x lockcheck help").contains("lockcheck.toml"));
        for (command, of_use, of_none) in [
            ("test", "--stats", "--with-trace"),
            ("nextest", "--confirm", "--coverage"),
            ("check", "--with-trace", "--stats"),
            ("report", "--deny", "--timeout"),
            ("merge", "--keep-going", "--deny"),
            ("diff", "--format", "--output"),
            ("baseline", "--prune", "--format"),
        ] {
            let text = help(&format!("x lockcheck {command} --help"));
            assert!(text.contains(of_use) && !text.contains(of_none), "{text}");
        }
        let all = ["", "test", "check", "report", "merge", "baseline", "explain", "diff", "clean"];
        for command in all.map(|command| format!("{command} ")) {
            let command = command.trim_start();
            let short = help(&format!("x lockcheck {command}-h"));
            assert!(short.lines().count() < 24, "{short}");
            assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
        }
    }

    #[test]
    fn bad_arguments_are_refused_with_the_choices() {
        for (line, expected) in [
            ("x lockcheck test --deny", "value is required for '--deny <RULES>'"),
            ("x lockcheck --deny test", "test"),
            ("x lockcheck test --deny -p x", "value is required for '--deny <RULES>'"),
            ("x lockcheck report a --deny --format json", "value is required for '--deny"),
            ("x lockcheck test --deny no-such-rule", "lock-order"),
            ("x lockcheck test --output report.json", "FORMAT=PATH"),
            ("x lockcheck test --output json=", "no file is named"),
            ("x lockcheck test --format yaml", "json"),
            ("x lockcheck tset", "test"),
            ("x lockcheck report --release", "--release"),
            ("x lockcheck diff a", "<NEW>"),
            ("x lockcheck test --with-trace", "for `cargo lockcheck check`"),
            ("x lockcheck report a --with-trace=b", "for `cargo lockcheck check`"),
            ("x lockcheck report a --confirm", "for `cargo lockcheck test`"),
            ("x lockcheck confirm a --runs 0", "1.."),
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(expected), "{line}: {error}");
        }
    }
}
