//! The command line: which words are lockcheck's own, and which are cargo's.
//!
//! lockcheck's options may stand anywhere before a `--`; every other word goes to cargo as it is.
//! None of lockcheck's options has the name of one of cargo's, so nothing is taken from cargo.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser};
use lockdep::finding::{Rule, Tier};

use super::cargo_args::CargoArgs;
use crate::report::model::Level;
use crate::report::render::{Format, Show};

/// `cargo lockcheck …`, as cargo calls it: with the subcommand's name as the first argument.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Lockcheck(Args),
}

/// Finds deadlocks: runs tests and programs with every lock instrumented.
///
/// The source stays as it is. Exit codes: 0 when nothing is at level deny, 100 when something is,
/// the program's or cargo's own code when that failed, 101 when the check could not be made.
#[derive(Debug, clap::Args)]
#[command(version)]
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
    /// Runs `cargo test` with every lock instrumented
    #[command(visible_alias = "t")]
    Test(CargoCommand),
    /// Runs `cargo run` with every lock instrumented
    #[command(visible_alias = "r")]
    Run(CargoCommand),
    /// Runs `cargo bench` with every lock instrumented
    Bench(CargoCommand),
    /// Runs `cargo nextest` with every lock instrumented
    Nextest(CargoCommand),
    /// Lints the source as `cargo check` compiles it; this is the default
    #[command(visible_alias = "c")]
    Check(CargoCommand),
    /// Reports on traces that earlier runs have left, on this machine or on others
    Report(Stored),
}

/// Which traces to report on.
#[derive(Debug, clap::Args)]
pub struct Stored {
    /// Files with traces, or directories with such files anywhere below; those of the last run
    /// unless told
    #[arg(value_name = "TRACES")]
    pub traces: Vec<PathBuf>,
    /// The manifest of the package or workspace that was checked
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// The target directory of that workspace
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
}

/// A command of cargo's.
#[derive(Debug, clap::Args)]
#[command(after_help = "The options of the report are listed by `cargo lockcheck --help`.")]
pub struct CargoCommand {
    /// Arguments for cargo, and after `--` for the program
    #[arg(last = true, value_name = "CARGO'S ARGUMENTS")]
    pub cargo: Vec<OsString>,
}

impl Stored {
    /// Where cargo is to look, in cargo's words.
    pub fn cargo(&self) -> Vec<OsString> {
        let word = |name: &str, path: &Option<PathBuf>| {
            path.as_ref().map(|path| [name.into(), path.into()]).into_iter().flatten()
        };
        let manifest = word("--manifest-path", &self.manifest_path);
        manifest.chain(word("--target-dir", &self.target_dir)).collect()
    }
}

/// How to report what was found.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Report options")]
pub struct ReportArgs {
    /// Print the report in this format: text goes to stderr, all others to stdout
    #[arg(long, value_name = "FORMAT", default_value = Format::Text.name(), value_parser = formats())]
    pub format: Format,
    /// Also write the report to a file: `--output json=report.json`; may be repeated
    #[arg(long, value_name = "FORMAT=PATH")]
    pub output: Vec<Output>,
    /// Also show what is hidden by default: a tier that cannot happen, what is at level `allow`, or
    /// `all`
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(Show::CODES))]
    pub show: Vec<String>,
    /// With `check`: join what the source shows with what was recorded, by the last run unless a
    /// file or directory with traces is named
    #[arg(long, value_name = "TRACES", require_equals = true)]
    pub with_trace: Option<Option<PathBuf>>,
    /// Also count and time waits and holds, and report them for each lock
    #[arg(long)]
    pub stats: bool,
    /// Fail when this rule, or anything of this tier, is found
    #[arg(long, value_name = "RULE", value_parser = codes())]
    pub deny: Vec<String>,
    /// Report this rule or tier without failing
    #[arg(long, value_name = "RULE", value_parser = codes())]
    pub warn: Vec<String>,
    /// Do not report this rule or tier
    #[arg(long, value_name = "RULE", value_parser = codes())]
    pub allow: Vec<String>,
}

impl ReportArgs {
    /// The levels that are set, each code with its own; the strictest last, so that it wins.
    pub fn levels(&self) -> impl Iterator<Item = (&str, Level)> {
        let levels =
            [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)];
        levels.into_iter().flat_map(|(codes, level)| codes.iter().map(move |code| (&**code, level)))
    }
}

/// A file that a report is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// In which form.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (format, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or("write FORMAT=PATH, for example json=report.json")?;
        Ok(Output { format: format.parse()?, path: path.into() })
    }
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

impl Args {
    /// The arguments of this process.
    ///
    /// # Errors
    /// clap's own error for arguments that make no sense, which also stands for `--help`.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
        let Cargo::Lockcheck(args) = Cargo::try_parse_from(arrange(args.into_iter().collect()))?;
        if args.report.with_trace.is_some() && !matches!(args.command, Command::Check(_)) {
            return Err(Cargo::command().error(
                ErrorKind::ArgumentConflict,
                "`--with-trace` is for `cargo lockcheck check`, which joins what the source shows \
                 with what runs have recorded; the other subcommands read no source",
            ));
        }
        Ok(args)
    }
}

/// Puts lockcheck's own options before the subcommand's name and all others behind a `--`, which
/// is where clap expects them.
fn arrange(args: Vec<OsString>) -> Vec<OsString> {
    let mut words = args.into_iter().peekable();
    let mut front: Vec<OsString> = words.next().into_iter().collect();
    words.next_if(|word| word == "lockcheck");
    front.push("lockcheck".into());
    let own = OwnOptions::new();
    let mut rest = Vec::new();
    let verb = loop {
        match words.next() {
            Some(word) if own.knows(&word) || is_information(&word) => {
                own.take(word, &mut words, &mut front);
            }
            Some(word) if !is_option(&word) => break word,
            // No subcommand: the source is checked, and what is not ours is cargo's.
            Some(word) => {
                let takes_value = CargoArgs::takes_value(&word);
                rest.push(word);
                if takes_value {
                    rest.extend(words.next());
                }
                break "check".into();
            }
            None if front.iter().any(|word| is_information(word)) => return front,
            None => break "check".into(),
        }
    };
    let mut help = None;
    let program_follows = verb == "run" || verb == "r";
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word);
            break;
        } else if word == "--help" || word == "-h" {
            help = Some(word);
        } else if own.knows(&word) {
            own.take(word, &mut words, &mut front);
        } else if program_follows && !is_option(&word) {
            // `cargo run` gives the first free word and all that follow it to the program.
            rest.push(word);
            break;
        } else {
            let takes_value = CargoArgs::takes_value(&word);
            rest.push(word);
            if takes_value {
                rest.extend(words.next());
            }
        }
    }
    rest.extend(words);
    // All other subcommands hand what is left to cargo.
    let ours = verb == "report";
    front.push(verb);
    front.extend(help);
    if !rest.is_empty() && !ours {
        front.push("--".into());
    }
    front.extend(rest);
    front
}

/// Whether a word asks about this program.
fn is_information(word: &OsStr) -> bool {
    ["-h", "--help", "-V", "--version"].iter().any(|known| word == *known)
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// The long options of lockcheck itself, as clap knows them, and whether the next word is their
/// value.
struct OwnOptions(Vec<(String, bool)>);

impl OwnOptions {
    fn new() -> OwnOptions {
        let command = Cargo::command();
        let report =
            command.find_subcommand("lockcheck").into_iter().flat_map(|c| c.get_arguments());
        OwnOptions(
            report
                .filter(|arg| !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version))
                .filter_map(|arg| {
                    let wants_value =
                        arg.get_action().takes_values() && !arg.is_require_equals_set();
                    Some((format!("--{}", arg.get_long()?), wants_value))
                })
                .collect(),
        )
    }

    fn knows(&self, word: &OsStr) -> bool {
        word.to_str().is_some_and(|word| {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            self.0.iter().any(|(long, _)| long == name)
        })
    }

    /// Moves `word`, and its value when that is the next word, to `front`.
    fn take(
        &self,
        word: OsString,
        words: &mut impl Iterator<Item = OsString>,
        front: &mut Vec<OsString>,
    ) {
        let wants_value = self.0.iter().any(|(long, wants)| *wants && word == long.as_str());
        front.push(word);
        if wants_value {
            front.extend(words.next());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

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
        assert_eq!(args.report.output[0].path, Path::new("a.json"));
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
        assert_eq!(stored.manifest_path.as_deref(), Some(Path::new("m")));
    }

    #[test]
    fn bad_arguments_are_refused_with_the_choices() {
        for (line, expected) in [
            ("x lockcheck test --deny no-such-rule", "lock-order"),
            ("x lockcheck test --output report.json", "FORMAT=PATH"),
            ("x lockcheck test --format yaml", "json"),
            ("x lockcheck tset", "test"),
            ("x lockcheck report --release", "--release"),
            ("x lockcheck test --with-trace", "for `cargo lockcheck check`"),
            ("x lockcheck report a --with-trace=b", "for `cargo lockcheck check`"),
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(expected), "{line}: {error}");
        }
    }
}
