//! What a check is to do: the arguments, cargo's configuration and the environment, resolved once.
//! No later stage looks at any of them again.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anstream::ColorChoice;
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use serde::Deserialize;

use super::args::{
    self, Args, BaselineArgs, CargoCommand, ConfirmArgs, ExplainArgs, MergeArgs, ReplayArgs,
};
use super::cargo_args::CargoArgs;
use super::cargo_config::CargoConfig;
use super::ci::{self, Service};
use super::destination::Output;
use super::failure::Failure;
use super::invocation::Invocation;
use super::packages::{self, Package};
use super::phase::Voice;
use super::toolchain::Toolchain;
use super::user_config::{self, Accepted, Read};
use crate::report::belonging::Member;
use crate::report::classify::Levels;
use crate::report::render::{Format, Show};

/// Names a directory for compiled runtimes other than `lockcheck` in the user's directory for caches.
pub const CACHE: &str = "LOCKCHECK_CACHE_DIR";

/// Tests in which nothing gets on for this long are taken to hang, unless another time is set.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What to run, where to build, how to report.
#[derive(Debug)]
pub struct Settings {
    /// cargo.
    pub cargo: PathBuf,
    /// All of its arguments.
    pub cargo_args: Vec<OsString>,
    /// What is run, so that it can be run again; none where nothing is, or its words are not text.
    pub invocation: Option<Invocation>,
    /// Those with which it compiles the same, and runs nothing; none where it runs nothing anyway.
    pub only_compiling: Option<Vec<OsString>>,
    /// The traces to report on or to join, where nothing is run; none for those of the last run.
    pub traces: Vec<PathBuf>,
    /// Whether a trace that cannot be used is no error.
    pub keep_going: bool,
    /// The root of the workspace.
    pub workspace: PathBuf,
    /// The way from the root of the repository to that of the workspace: empty, or with `/` at its end.
    pub repository: String,
    /// The text of `Cargo.lock` as the build will have it; `None` where nothing is run, or cargo cannot
    /// bring it up to date.
    pub lock_file: Option<String>,
    /// The packages that the program is made of, without its own; none where nothing is run.
    pub packages: Vec<Package>,
    /// The packages of the workspace, as cargo names them.
    pub members: Vec<String>,
    /// The same packages, each with its directory.
    pub packages_of_workspace: Vec<Member>,
    /// Everything that lockcheck keeps: `target/lockcheck`.
    pub directory: PathBuf,
    /// cargo's target directory for checked programs.
    pub build: PathBuf,
    /// Where compiled runtimes are kept, for all workspaces.
    pub cache: PathBuf,
    /// Where they are kept if `cache` cannot be written.
    pub workspace_cache: PathBuf,
    /// The compiler that cargo uses.
    pub toolchain: Toolchain,
    /// The compiler wrapper that the user has set.
    pub wrapper: Option<PathBuf>,
    /// Whether what is said is in colour, where that was asked for or forbidden.
    pub color: ColorChoice,
    /// How much is said beside the report.
    pub voice: Voice,
    /// The format that is printed.
    pub format: Format,
    /// What is written beside what is printed.
    pub outputs: Vec<Output>,
    /// The service that this runs in.
    pub service: Option<Service>,
    /// What is shown of that which cannot happen or is allowed.
    pub show: Show,
    /// Whether processes are to count and time waits and holds.
    pub stats: bool,
    /// A process is ended when nothing has got on for this long.
    pub timeout: Option<Duration>,
    /// The levels of rules and tiers.
    pub levels: Levels,
    /// Findings that are accepted.
    pub accepted: Vec<Accepted>,
    /// What the lint is told of the program's locks.
    pub lint: user_config::Lint,
    /// Whether the lint is to be joined with the traces.
    pub with_trace: bool,
    /// Whether the tests of what is found are run again, to confirm it.
    pub confirm: bool,
    /// Whether the acquisitions are listed whose lock has no name.
    pub coverage: bool,
    /// Whether cargo's messages go on to stdout, as an editor wants them.
    pub forward_messages: bool,
}

/// The tools of a check around this one: a checked test has started this one, and cargo's variables
/// name the outer check's wrapper.
#[derive(Clone, Debug)]
pub struct Outer {
    /// The compiler wrapper that the user has set.
    pub next: Option<PathBuf>,
    /// The real documentation tool.
    pub rustdoc: PathBuf,
}

impl Settings {
    /// cargo's arguments for a part of what is run: the tests with these names alone.
    pub fn cargo_args_for(&self, tests: &[String]) -> Vec<OsString> {
        let Some(invocation) = &self.invocation else { return self.cargo_args.clone() };
        let words = invocation.narrowed(tests).words.into_iter().map(OsString::from).collect();
        let verb = self.cargo_args.first().and_then(|verb| verb.to_str()).unwrap_or("test");
        instrumented(verb, &CargoArgs::new(words), &self.toolchain.target, &self.build)
    }

    /// Where the last report is kept.
    pub fn last_report(&self) -> PathBuf {
        self.directory.join("report.json")
    }

    /// Settles what the arguments ask for, inside of an outer check if there is one.
    ///
    /// # Errors
    /// When there is no package or no compiler, or something is asked for that cannot be checked.
    pub fn resolve(args: Args, outer: Option<Outer>) -> Result<Settings, Failure> {
        let Args { report, command } = args;
        let mut traces = Vec::new();
        let mut keep_going = false;
        let (verb, words) = match command {
            args::Command::Test(CargoCommand { cargo }) => ("test", cargo),
            args::Command::Run(CargoCommand { cargo }) => ("run", cargo),
            args::Command::Bench(CargoCommand { cargo }) => ("bench", cargo),
            args::Command::Nextest(CargoCommand { cargo }) => ("nextest", cargo),
            args::Command::Check(CargoCommand { cargo }) => ("check", cargo),
            args::Command::Report(stored) | args::Command::Merge(MergeArgs { stored, .. }) => {
                traces = stored.traces;
                keep_going = stored.keep_going;
                ("report", stored.checked.cargo())
            }
            args::Command::Baseline(BaselineArgs { checked, .. })
            | args::Command::Confirm(ConfirmArgs { checked, .. })
            | args::Command::Replay(ReplayArgs { checked, .. })
            | args::Command::Explain(ExplainArgs { checked, .. }) => ("report", checked.cargo()),
            // They need no settings, and ask for none.
            args::Command::Diff(_)
            | args::Command::Clean
            | args::Command::Completions(_)
            | args::Command::Man(_) => ("report", Vec::new()),
        };
        let with_trace = report.with_trace.is_some();
        traces.extend(report.with_trace.clone().flatten());
        let given = CargoArgs::new(words);
        let cwd = env::current_dir().map_err(|error| {
            Failure::new(
                format!("the current directory cannot be used: {error}"),
                "Change to a directory that exists and that you may read.",
            )
        })?;
        let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        let config = CargoConfig::load(&given, &cwd);
        refuse_build_std(&given, &config)?;
        let metadata = Metadata::read(&cargo, &given)?;
        let mut toolchain = Toolchain::find(&config, &cwd)?;
        if verb != "check" && verb != "report" {
            toolchain.compiles_runtime()?;
            toolchain.target = target(&given, &config, &toolchain.host)?;
        }

        let target = given.value("--target-dir").map(|directory| cwd.join(directory));
        let packages_of_workspace = metadata.members();
        let directory = target.unwrap_or(metadata.target_directory).join("lockcheck");
        let build = directory.join("build");
        let workspace_cache = directory.join("runtime");
        let cache = cache(&cwd).unwrap_or_else(|| workspace_cache.clone());
        let Read { mut levels, lint, accepted } = Read::load(&metadata.workspace_root)?;
        for (code, level) in report.levels() {
            levels.command.set(code, level).map_err(bad_word)?;
        }
        let mut show = Show::default();
        for code in &report.show {
            show.add(code).map_err(bad_word)?;
        }
        let (wrapper, toolchain) = match outer {
            Some(outer) => (outer.next, Toolchain { rustdoc: outer.rustdoc, ..toolchain }),
            None => (config.program("RUSTC_WRAPPER", "build.rustc-wrapper"), toolchain),
        };
        let outputs = report.output.into_iter();
        let mut outputs: Vec<Output> =
            outputs.map(|written| Output::asked_for(written, &directory)).collect();
        let service = Service::here();
        if report.format == Format::Text {
            let unasked = service.as_ref().map(|service| service.output(&directory));
            let is_new = |new: &Output| outputs.iter().all(|known| known.format != new.format);
            outputs.extend(unasked.filter(is_new));
        }
        let (lock_file, packages) = match verb {
            "check" | "report" => (None, Vec::new()),
            _ => resolved(&cargo, &given, &toolchain.target, &metadata.workspace_root),
        };
        Ok(Settings {
            cargo,
            lock_file,
            packages,
            cargo_args: match verb {
                "check" => checked(&given, &directory.join("lint")),
                _ => instrumented(verb, &given, &toolchain.target, &build),
            },
            only_compiling: only_compiling(verb, &given)
                .map(|(verb, given)| instrumented(verb, &given, &toolchain.target, &build)),
            invocation: Invocation::of(verb, &given, &cwd),
            traces,
            keep_going,
            packages_of_workspace,
            repository: ci::way_from_repository(&metadata.workspace_root),
            workspace: metadata.workspace_root,
            members: metadata.workspace_members,
            directory,
            build,
            cache,
            workspace_cache,
            toolchain,
            wrapper,
            color: color(&given, &config),
            voice: voice(&given),
            format: report.format,
            outputs,
            service,
            show,
            stats: report.stats,
            timeout: match (report.timeout, verb) {
                (Some(time), _) => Some(time).filter(|time| !time.is_zero()),
                (None, "test" | "nextest") => Some(PATIENCE),
                (None, _) => None,
            },
            levels,
            accepted,
            lint,
            with_trace,
            confirm: report.confirm,
            coverage: report.coverage,
            forward_messages: verb == "check"
                && given
                    .values("--message-format")
                    .any(|form| form.to_str().is_some_and(|form| form.starts_with("json"))),
        })
    }
}

/// Where compiled runtimes of this user are kept, if the system has a place for such: [`CACHE`], from the
/// directory `cwd`, or `lockcheck` in the directory for caches (`XDG_CACHE_HOME`).
pub fn cache(cwd: &Path) -> Option<PathBuf> {
    let named = env::var_os(CACHE).filter(|path| !path.is_empty()).map(|path| cwd.join(path));
    named.or_else(|| Some(choose_native_strategy().ok()?.cache_dir().join("lockcheck")))
}

/// What cargo would do: `--color`, then `CARGO_TERM_COLOR`, then `term.color`.
fn color(given: &CargoArgs, config: &CargoConfig) -> ColorChoice {
    let option = given.value("--color").map(OsStr::to_owned);
    let set = option.or_else(|| env::var_os("CARGO_TERM_COLOR"));
    let word = set.and_then(|word| word.into_string().ok());
    match word.or_else(|| config.strings("term.color").pop()).as_deref() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// What cargo would say: nothing, what it does, or more.
fn voice(given: &CargoArgs) -> Voice {
    let has = |words: &[&str]| words.iter().any(|word| given.has(word));
    if has(&["-q", "--quiet"]) {
        Voice::Quiet
    } else if has(&["-v", "-vv", "--verbose"]) {
        Voice::Verbose
    } else {
        Voice::Normal
    }
}

fn bad_word(what: String) -> Failure {
    Failure::new(what, "`cargo lockcheck test --help` lists the choices.")
}

/// cargo's arguments with the host as an explicit target, which keeps build scripts and procedural
/// macros apart, and with a target directory of our own.
fn instrumented(verb: &str, given: &CargoArgs, host: &str, build: &Path) -> Vec<OsString> {
    let rest = given.without("--target").without("--target-dir");
    let mut words = vec![OsString::from(verb)];
    let mut rest = rest.words().iter();
    if verb == "nextest" {
        // Its own subcommand comes first, after any global options.
        while let Some(word) = rest.next() {
            words.push(word.clone());
            if CargoArgs::takes_value(word) {
                words.extend(rest.next().cloned());
            } else if !word.as_encoded_bytes().starts_with(b"-") {
                break;
            }
        }
    }
    words.extend(["--target".into(), host.into(), "--target-dir".into(), build.into()]);
    words.extend(rest.cloned());
    words
}

/// A verb and arguments with which cargo compiles the same and runs nothing.
fn only_compiling<'v>(verb: &'v str, given: &CargoArgs) -> Option<(&'v str, CargoArgs)> {
    match verb {
        "run" => Some(("build", given.before_first_free_word())),
        "test" | "bench" | "nextest" => {
            let mut words = given.before_program().words().to_vec();
            words.push("--no-run".into());
            Some((verb, CargoArgs::new(words)))
        }
        _ => None,
    }
}

/// cargo's arguments for a check of all targets, whose messages this program reads.
fn checked(given: &CargoArgs, build: &Path) -> Vec<OsString> {
    let rest = given.without("--target-dir").without("--message-format");
    let selects = ["--lib", "--bins", "--examples", "--tests", "--benches", "--all-targets"];
    let names = ["--bin", "--example", "--test", "--bench"];
    let is_selected = selects.iter().any(|option| rest.has(option))
        || names.iter().any(|option| rest.value(option).is_some() || rest.has(option));
    let mut words = vec![OsString::from("check")];
    words.push("--message-format=json-diagnostic-rendered-ansi".into());
    words.extend(["--target-dir".into(), build.into()]);
    if !is_selected {
        words.push("--all-targets".into());
    }
    // What does not compile keeps nothing else from being looked at.
    if !rest.has("--keep-going") {
        words.push("--keep-going".into());
    }
    words.extend(rest.words().iter().cloned());
    words
}

/// The target of this call of cargo: the host, unless another is asked for whose programs can be run here.
///
/// # Errors
/// When they cannot, or several are asked for.
fn target(args: &CargoArgs, config: &CargoConfig, host: &str) -> Result<String, Failure> {
    let given: Vec<String> =
        args.values("--target").map(|name| name.display().to_string()).collect();
    let wanted = if given.is_empty() { config.strings("build.target") } else { given };
    let is_host = |target: &String| target == host || target == "host-tuple";
    let (of_host, others): (Vec<String>, Vec<String>) = wanted.into_iter().partition(is_host);
    match &*others {
        [] => Ok(host.to_owned()),
        [custom] if custom.ends_with(".json") => Err(Failure::new(
            format!(
                "programs for the target of your own, `{custom}`, cannot be checked: no toolchain has a \
                     standard library for it"
            ),
            "Check a build for the host, with `--target host-tuple`.",
        )),
        [other] if of_host.is_empty() && runs_here(other, host, config) => Ok(other.clone()),
        [other] if of_host.is_empty() => {
            let runner = runner_variable(other);
            Err(Failure::new(
                format!("programs for `{other}` do not run on this host, `{host}`"),
                format!(
                    "Set `{runner}` to a program that runs them, such as `qemu-aarch64` or `wine`, or check \
                     a build for the host, with `--target host-tuple`: the locks and their order are the \
                     same in code that is not specific to one platform. `cargo lockcheck` alone reads the \
                     source of any target, and runs nothing."
                ),
            ))
        }
        _ => Err(Failure::new(
            "programs for several targets cannot be checked at once",
            "Check one target after the other.",
        )),
    }
}

/// Whether cargo has a runner for this target, or it is the host's with another C library.
fn runs_here(target: &str, host: &str, config: &CargoConfig) -> bool {
    let system = |target: &str| target.rsplit_once('-').map(|(system, _)| system.to_owned());
    let is_linux = |target: &str| target.contains("-linux-");
    let has_runner = config.is_set(&format!("target.{target}.runner"));
    has_runner || (is_linux(target) && is_linux(host) && system(target) == system(host))
}

/// The variable by which cargo is told how programs for this target are run.
fn runner_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_RUNNER", target.to_uppercase().replace('-', "_"))
}

fn refuse_build_std(args: &CargoArgs, config: &CargoConfig) -> Result<(), Failure> {
    let asked = args.values("-Z").any(|value| value.to_string_lossy().starts_with("build-std"));
    if asked || config.is_set("unstable.build-std") {
        return Err(Failure::new(
            "a program that compiles its own standard library (`-Zbuild-std`) cannot be checked: \
             the runtime is linked to the toolchain's",
            "Leave `-Zbuild-std` out of this check.",
        ));
    }
    Ok(())
}

/// `cargo metadata` with the part of cargo's arguments that says which workspace is meant.
fn metadata(cargo: &Path, args: &CargoArgs) -> Command {
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1"]);
    for option in ["--manifest-path", "--config", "-Z", "--lockfile-path"] {
        for value in args.values(option) {
            command.args([OsStr::new(option), value]);
        }
    }
    command.args(["--locked", "--offline", "--frozen"].iter().filter(|flag| args.has(flag)));
    command
}

/// The lock file, after cargo has brought it up to date as a build would, and the packages that it brings.
fn resolved(
    cargo: &Path,
    args: &CargoArgs,
    host: &str,
    root: &Path,
) -> (Option<String>, Vec<Package>) {
    let mut command = metadata(cargo, args);
    for option in ["--features", "-F"] {
        for value in args.values(option) {
            command.args([OsStr::new("--features"), value]);
        }
    }
    let of_features = ["--all-features", "--no-default-features"];
    command.args(of_features.iter().filter(|flag| args.has(flag)));
    // What is wrong is said by the build that follows.
    let output = command.args(["--filter-platform", host]).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return (None, Vec::new());
    };
    let path = args.value("--lockfile-path").map_or_else(|| root.join("Cargo.lock"), PathBuf::from);
    (fs::read_to_string(path).ok(), packages::of_metadata(&output.stdout))
}

/// What cargo says of the workspace.
#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    workspace_members: Vec<String>,
    packages: Vec<Described>,
}

/// What cargo says of a package of the workspace.
#[derive(Deserialize)]
struct Described {
    name: String,
    manifest_path: PathBuf,
}

impl Metadata {
    /// The packages, each by its directory relative to the root of the workspace.
    fn members(&self) -> Vec<Member> {
        let member = |package: &Described| {
            let directory = package.manifest_path.parent()?;
            let directory = relative(directory, &self.workspace_root)?;
            Some(Member { name: package.name.clone(), directory })
        };
        self.packages.iter().filter_map(member).collect()
    }

    fn read(cargo: &Path, args: &CargoArgs) -> Result<Metadata, Failure> {
        let output = metadata(cargo, args).arg("--no-deps").output().map_err(|error| {
            Failure::new(
                format!("cannot start `{}`: {error}", cargo.display()),
                "Install cargo with rustup, or set `CARGO` to it.",
            )
        })?;
        if !output.status.success() {
            // Its warnings are left to the call of cargo that follows; its error is the last word.
            anstream::eprint!("{}", String::from_utf8_lossy(&output.stderr));
            return Err(Failure::new(
                "cargo finds no package that it can read",
                "Run this in the directory of a package, or name one with `--manifest-path`.",
            ));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            Failure::new(
                format!("the output of `cargo metadata` is not understood: {error}"),
                "See that `CARGO` is the path of a recent cargo.",
            )
        })
    }
}

/// The way from `root` to `path`, with `/` between parts.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let common = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(common).map(|_| Some(".."));
    let down = path.components().skip(common).map(|part| part.as_os_str().to_str());
    Some(up.chain(down).collect::<Option<Vec<&str>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{checked, instrumented, only_compiling, refuse_build_std, target};
    use crate::cli::cargo_args::CargoArgs;
    use crate::cli::cargo_config::CargoConfig;

    fn args(line: &str) -> CargoArgs {
        CargoArgs::new(line.split_whitespace().map(Into::into).collect())
    }

    #[test]
    fn target_and_directory_become_ours() {
        let line = |verb: &str, given: &str| {
            instrumented(verb, &args(given), "HOST", Path::new("dir")).join(" ".as_ref())
        };
        assert_eq!(
            line("test", "--target HOST -p a --target-dir=x b -- c"),
            "test --target HOST --target-dir dir -p a b -- c"
        );
        assert_eq!(
            line("nextest", "--color always run -p a"),
            "nextest --color always run --target HOST --target-dir dir -p a"
        );
    }

    #[test]
    fn what_runs_can_be_compiled_alone() {
        let line = |verb: &str, given: &str| {
            let (verb, args) = only_compiling(verb, &args(given)).expect("it runs something");
            format!("{verb} {}", args.words().join(" ".as_ref()).display())
        };
        assert_eq!(line("test", "-p a name -- --nocapture"), "test -p a name --no-run");
        assert_eq!(line("nextest", "run -p a -- name"), "nextest run -p a --no-run");
        assert_eq!(line("run", "--bin b word --release"), "build --bin b");
        assert!(only_compiling("check", &args("")).is_none());
    }

    #[test]
    fn a_check_is_one_of_all_targets_that_goes_on() {
        let line = |given: &str| checked(&args(given), Path::new("dir")).join(" ".as_ref());
        let begin = "check --message-format=json-diagnostic-rendered-ansi --target-dir dir";
        assert_eq!(line("-p a"), format!("{begin} --all-targets --keep-going -p a").as_str());
        assert_eq!(line("--lib --keep-going"), format!("{begin} --lib --keep-going").as_str());
    }

    #[test]
    fn a_target_is_checked_where_its_programs_run() {
        const HOST: &str = "x86_64-unknown-linux-gnu";
        let nothing_set = CargoConfig::default();
        for (allowed, expected) in [
            ("", HOST),
            ("--target x86_64-unknown-linux-gnu", HOST),
            ("--target=host-tuple", HOST),
            ("--target x86_64-unknown-linux-musl", "x86_64-unknown-linux-musl"),
        ] {
            assert_eq!(target(&args(allowed), &nothing_set, HOST).expect(allowed), expected);
        }
        for (refused, what, next) in [
            (
                "--target wasm32-wasip1",
                "do not run on this host",
                "CARGO_TARGET_WASM32_WASIP1_RUNNER",
            ),
            (
                "--target aarch64-unknown-linux-gnu",
                "do not run on this host",
                "--target host-tuple",
            ),
            ("--target mine.json", "of your own, `mine.json`", "--target host-tuple"),
            (
                "--target host-tuple --target x86_64-unknown-linux-musl",
                "several targets",
                "after the other",
            ),
        ] {
            let error = target(&args(refused), &nothing_set, HOST).expect_err(refused);
            assert!(error.to_string().contains(what), "{error}");
            assert!(error.next().contains(next), "{}", error.next());
        }
        let with_runner =
            args("--config target.wasm32-wasip1.runner='wasmtime' --target wasm32-wasip1");
        let config = CargoConfig::load(&with_runner, Path::new("/"));
        assert_eq!(target(&with_runner, &config, HOST).expect("it has a runner"), "wasm32-wasip1");
    }

    #[test]
    fn build_std_is_refused() {
        let config = CargoConfig::default();
        for refused in ["-Zbuild-std", "-Z build-std=core,std"] {
            let error = refuse_build_std(&args(refused), &config).expect_err(refused);
            assert!(error.to_string().contains("-Zbuild-std"), "{error}");
        }
        refuse_build_std(&args("-Zother -- -Zbuild-std"), &config).expect("it is not asked for");
    }
}
