//! Crates that are compiled otherwise than their authors wrote them: `parking_lot`, whose locks are
//! not those of the standard library, `lock_api`, which makes them, `tokio`, whose locks no thread waits for,
//! and the library `lockdep`.
//!
//! The real `parking_lot` is compiled as `parking_lot_real` beside the place where cargo wants the
//! crate, and then a facade in its place, which everything downstream links to unknowingly. Each
//! version has a facade of its own; one that is not known stays as it is.
//!
//! `lock_api` is compiled from rewritten sources (see [`super::patch_lock_api`]). Should they not compile,
//! the real ones are taken, and its locks are told apart by where they are used first.
//!
//! `tokio` is compiled from rewritten sources too (see `patch_tokio`), with its feature `tracing`, and with a
//! crate of ours by that name, which has the runtime told of its tasks and locks. Should that not compile, or
//! does the program use that feature itself, it stays as it is, and is not watched.
//!
//! In the place of the library `lockdep` comes a facade of the runtime, where both are of one version.
//! With the features for foreign locks, which the runtime does not have, the library stays as it is,
//! and watches its own locks for itself.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::rustc_call::{RustcCall, keyed};
use super::{patch_lock_api, patch_tokio};
use crate::cli::status;

/// The facades with the versions that they stand in for.
pub const FACADES: &[(&str, &str)] = &[
    ("0.11.", include_str!("facade/parking_lot_0_12.rs")),
    ("0.12.", include_str!("facade/parking_lot_0_12.rs")),
    ("0.13.", include_str!("facade/parking_lot_0_13.rs")),
];

/// The facade of the library `lockdep`, with its file name.
pub const LOCKDEP: (&str, &str) = ("lockdep.rs", include_str!("facade/lockdep.rs"));

/// What `tokio` takes for the crate `tracing`, with its library.
pub const TRACING: (&str, &str) = ("tracing", include_str!("facade/tracing.rs"));
/// See [`TRACING`].
pub const TRACING_LIBRARY: &str = "libtracing-lockcheck.rlib";

/// How the directory of a crate's rewritten sources ends, beside the library, where they were compiled.
pub const REWRITTEN: &str = ".lockcheck";

/// How the name of a file ends, beside the libraries, that says of a crate that it was compiled as it is, for it
/// could not be compiled otherwise.
pub const AS_IT_IS: &str = ".unwatched";

/// The real `parking_lot` under a facade.
const REAL: &str = "parking_lot_real";

/// Whether there is a facade for this version of `parking_lot`.
pub fn has_facade(version: &str) -> bool {
    facade_of(version).is_some()
}

/// How the versions begin that have the facade of this one.
fn facade_of(version: &str) -> Option<&'static str> {
    FACADES.iter().map(|(versions, _)| *versions).find(|versions| version.starts_with(versions))
}

/// The file name of the facade for versions that begin so.
pub fn file_name(versions: &str) -> String {
    format!("parking_lot_{}rs", versions.replacen('.', "_", 1))
}

/// A crate that is compiled otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Substitute {
    /// `parking_lot`, of versions that begin so.
    ParkingLot(&'static str),
    /// `lock_api`.
    LockApi,
    /// `tokio`.
    Tokio,
    /// The library of this project.
    Lockdep,
}

impl Substitute {
    /// What is done with the crate that cargo wants compiled with these arguments.
    pub fn of(call: &RustcCall) -> Option<Substitute> {
        let is_package = |name: &str| {
            call.value("--crate-name") == Some(name)
                && env::var("CARGO_PKG_NAME").is_ok_and(|package| package == name)
        };
        let words = call.words();
        if call.has("--test") {
            return None;
        }
        let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
        if is_package("parking_lot") {
            return facade_of(&version).map(Substitute::ParkingLot);
        }
        if is_package("lockdep") {
            let is_ours = version == env!("CARGO_PKG_VERSION")
                && env::var("CARGO_PKG_REPOSITORY").as_deref() == Ok(env!("CARGO_PKG_REPOSITORY"));
            let has = |feature: &str| words.iter().any(|w| w.ends_with(&format!("{feature:?}")));
            let is_whole = !has("lock_api") && !has("parking_lot");
            return (is_ours && is_whole).then_some(Substitute::Lockdep);
        }
        if is_package("tokio") {
            let traces = words.iter().any(|word| word.ends_with("tokio_unstable"))
                && words.iter().any(|word| word.ends_with(r#"feature="tracing""#));
            return (patch_tokio::is_known(&version) && !traces).then_some(Substitute::Tokio);
        }
        let is_known = version.starts_with("0.4.") || version.starts_with("0.5.");
        (is_package("lock_api") && is_known).then_some(Substitute::LockApi)
    }
}

/// A call of the compiler: how it is called, and the arguments of cargo and of the check.
#[derive(Debug)]
pub struct Compilation<'a> {
    /// The program, with what comes before the arguments.
    pub compiler: &'a [OsString],
    /// The arguments that cargo gave.
    pub call: &'a RustcCall,
    /// Where libraries are to be searched besides.
    pub searched: &'a [OsString],
    /// The arguments that the check adds for every crate of the program, `searched` among them.
    pub added: &'a [OsString],
    /// The crate's first source file.
    pub root: &'a Path,
    /// The directory of the runtime, where the facades lie as well.
    pub libraries: &'a Path,
}

impl Compilation<'_> {
    /// Compiles the crate and its substitute.
    ///
    /// # Errors
    /// When the compiler cannot be started, or a file not be written.
    pub fn run(&self, substitute: Substitute) -> io::Result<ExitStatus> {
        match substitute {
            Substitute::ParkingLot(versions) => self.parking_lot(versions),
            Substitute::LockApi => self.rewritten("lock_api", &[patch_lock_api::rewrite], &[]),
            Substitute::Tokio => self.tokio(),
            Substitute::Lockdep => self.lockdep(),
        }
    }

    fn command(&self, call: &RustcCall) -> Command {
        let mut command = Command::new(&self.compiler[0]);
        command.args(&self.compiler[1..]).args(call.words());
        command
    }

    fn parking_lot(&self, versions: &str) -> io::Result<ExitStatus> {
        let mut command = self.command(&self.call.clone().with("--crate-name", REAL));
        command.args(self.added);
        // Of two artifacts for one crate, cargo is to hear of the facade alone.
        let status = run(&mut command, |line| !line.contains(r#""$message_type":"artifact""#))?;
        if !status.success() {
            return Ok(status);
        }

        let (out, suffix) = (self.call.out(), self.call.suffix());
        let facade = self.call.with_root(self.root, &self.libraries.join(file_name(versions)));
        let facade = facade.with("--edition", "2024").with("--cap-lints", "allow");
        let mut command = self.command(&facade);
        command.args(self.searched);
        // Where the metadata is only in one of the two, the compiler wants both.
        for extension in ["rlib", "rmeta"] {
            let library = out.join(format!("lib{REAL}{suffix}.{extension}"));
            if library.exists() {
                command.arg("--extern").arg(keyed(&format!("{REAL}="), &library));
            }
        }
        let runtime = self.libraries.join("liblockdep-lockcheck.rlib");
        command.arg("--extern").arg(keyed("lockdep=", &runtime));
        if self.lock_api_has_places() {
            command.arg("--cfg=lockcheck_places");
        }
        let list = |name: &str| out.join(format!("{name}{suffix}.d"));
        let mark = out.join(format!("parking_lot{suffix}{AS_IT_IS}"));
        let Some(status) = unless_it_fails(&mut command)? else {
            for extension in ["rlib", "rmeta"] {
                let _ = fs::remove_file(out.join(format!("lib{REAL}{suffix}.{extension}")));
            }
            let _ = fs::remove_file(list(REAL));
            fs::write(mark, "")?;
            cannot_be_watched("parking_lot");
            return self.command(self.call).args(self.added).status();
        };
        let _ = fs::remove_file(mark);
        // What cargo must watch for changes are the files of the real crate.
        if let Ok(files) = fs::read_to_string(list(REAL)) {
            let files = files.replace(&format!("{REAL}{suffix}"), &format!("parking_lot{suffix}"));
            fs::write(list("parking_lot"), files)?;
        }
        Ok(status)
    }

    fn lockdep(&self) -> io::Result<ExitStatus> {
        let call = self.call.with_root(self.root, &self.libraries.join(LOCKDEP.0));
        let mut command = self.command(&call);
        // Whatever the program wants of it: it is being checked.
        command.args(self.added).arg("--cfg=feature=\"instrument\"").status()
    }

    fn tokio(&self) -> io::Result<ExitStatus> {
        let facade = keyed("tracing=", &self.libraries.join(TRACING_LIBRARY));
        let extern_tracing = [OsString::from("--extern"), facade];
        let cfgs = ["--cfg=tokio_unstable", "--cfg=feature=\"tracing\""].map(OsString::from);
        let more: Vec<OsString> = cfgs.into_iter().chain(extern_tracing).collect();
        // Where the feature is on without the unstable parts, it reports nothing.
        let call = self.call.clone().without_extern("tracing");
        let rewrites = [patch_tokio::rewrite, patch_tokio::rewrite_locks];
        Compilation { call: &call, ..*self }.rewritten("tokio", &rewrites, &more)
    }

    /// Compiles the crate of this name from sources that the first of these has rewritten with which it compiles,
    /// with more arguments; as it is, should all fail.
    fn rewritten(
        &self,
        name: &str,
        rewrites: &[fn(&Path, &Path) -> io::Result<()>],
        more: &[OsString],
    ) -> io::Result<ExitStatus> {
        let sources = self.call.out().join(format!("{name}{}{REWRITTEN}", self.call.suffix()));
        let original = self.root.parent().unwrap_or(self.root);
        let file = self.root.file_name().unwrap_or_default();
        for rewrite in rewrites {
            if rewrite(original, &sources).is_err() {
                continue;
            }
            let mut command = self.command(&self.call.with_root(self.root, &sources.join(file)));
            let mut remap = sources.clone().into_os_string();
            remap.push("=");
            remap.push(original);
            command.args(self.added).args(more).arg("--remap-path-prefix").arg(remap);
            if let Some(status) = unless_it_fails(&mut command)? {
                let list = self.call.out().join(format!("{name}{}.d", self.call.suffix()));
                if let Ok(files) = fs::read_to_string(&list) {
                    let [from, to] = [&*sources, original].map(|path| path.display().to_string());
                    fs::write(list, files.replace(&from, &to))?;
                }
                return Ok(status);
            }
        }
        if !more.is_empty() {
            cannot_be_watched(name);
        }
        // Without the directory, the facade knows that there are no places.
        let _ = fs::remove_dir_all(&sources);
        self.command(self.call).args(self.added).status()
    }

    /// Whether the `lock_api` that this crate is compiled with was rewritten.
    fn lock_api_has_places(&self) -> bool {
        let library = self.call.values("--extern").find_map(|v| v.strip_prefix("lock_api="));
        let Some(library) = library.map(Path::new) else { return false };
        let stem = library.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{}{REWRITTEN}", stem.trim_start_matches("lib"));
        library.with_file_name(name).is_dir()
    }
}

/// Runs the compiler, and passes on the lines of its messages that are wanted.
fn run(command: &mut Command, wanted: impl Fn(&str) -> bool) -> io::Result<ExitStatus> {
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    if let Some(messages) = child.stderr.take() {
        for line in BufReader::new(messages).lines() {
            let line = line?;
            if wanted(&line) {
                writeln!(io::stderr(), "{line}")?;
            }
        }
    }
    child.wait()
}

/// Runs the compiler. What it says is passed on, and its status given, if it succeeds; else there is nothing.
fn unless_it_fails(command: &mut Command) -> io::Result<Option<ExitStatus>> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Ok(None);
    }
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    Ok(Some(output.status))
}

fn cannot_be_watched(name: &str) {
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    status::warning(format_args!(
        "`{name}` {version} does not compile so that it can be watched: its locks are not"
    ));
}
