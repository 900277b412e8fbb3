//! The runtime that is linked into every checked program, and the facade that brings it there.
//!
//! Both travel as text inside this binary (the runtime's from `lockdep::sources`), so that an
//! installed `cargo-lockcheck` needs no checkout and no network. They are compiled once per
//! compiler, always optimised, and kept for all workspaces (see [`super::cache`]) under a hash of everything
//! that went in.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use lockdep::sources::SOURCES;
use lockdep::std_items::STD_ITEMS;

use super::cache::{Cache, InUse, Unwritable};
use super::crate_patches::{self, FACADES, LOCKDEP, TRACING, TRACING_LIBRARY};
use super::std_library;
use crate::cli::failure::Failure;
use crate::cli::phase::{Phase, Voice};
use crate::cli::status;
use crate::cli::toolchain::Toolchain;

/// The facade of the standard library.
const STD: &str = include_str!("facade/std.rs");

/// What these crates are compiled with, beside their names. The metadata keeps them apart from the
/// real `std` and from a `lockdep` that the checked program depends on by itself.
const FLAGS: &[&str] = &[
    "--edition=2024",
    "--cfg=feature=\"instrument\"",
    "--crate-type=rlib",
    "--cap-lints=allow",
    "-Copt-level=3",
    // What runs often is inlined into the program; two halves of the rest are compiled at one time.
    "-Ccodegen-units=2",
    "-Cmetadata=lockcheck",
    "-Cextra-filename=-lockcheck",
];

/// What a program uses of the library `lockdep` by name, which the runtime itself does not need.
const LIBRARY: &str = "--cfg=feature=\"library\"";

/// Who uses the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// The hooks under the program's own locks, and nobody by name.
    HooksAlone,
    /// The program as well: it depends on the library `lockdep`.
    Program,
}

impl Users {
    /// Who uses it in a program with this lock file: the program does where the file names the library, or
    /// where it is not known.
    pub fn of_program(lock_file: Option<&str>) -> Users {
        match lock_file {
            Some(text) if !text.lines().any(|line| line == "name = \"lockdep\"") => {
                Users::HooksAlone
            }
            _ => Users::Program,
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Users::HooksAlone => &[],
            Users::Program => &[LIBRARY],
        }
    }
}

/// Lets the runtime know in which order locks are created, which takes a feature of the compiler
/// that is not stable; see the module `creation` of the runtime.
const CREATION_ORDER: &str = "--cfg=lockdep_creation_order";

const RUNTIME_LIBRARY: &str = "liblockdep-lockcheck.rlib";
const STD_LIBRARY: &str = "libstd-lockcheck.rlib";
const CFGS: &str = "cfgs";

/// Lists the files of a whole directory with their hashes; written last.
const SEAL: &str = "seal";

/// The compiled runtime and facade.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The directory of the libraries.
    pub directory: PathBuf,
    /// The facade of the standard library.
    pub std: PathBuf,
    /// The compiler's own `cfg`s, one a line.
    pub cfgs: String,
    /// Differs when what is compiled into checked programs differs, whatever the compiler.
    pub edition: String,
    _in_use: Arc<InUse>,
}

impl Runtime {
    /// The runtime for this compiler, from `cache` or compiled anew into it. Where `cache` cannot be written,
    /// a warning says so, and `workspace` stands in, which is the workspace's own.
    ///
    /// # Errors
    /// When neither can be written, or the compiler refuses the sources.
    pub fn prepare(
        cache: &Cache,
        workspace: &Cache,
        toolchain: &Toolchain,
        users: Users,
        voice: Voice,
    ) -> Result<Runtime, Failure> {
        match Runtime::from(cache, toolchain, users, voice) {
            Ok(runtime) => Ok(runtime),
            Err(Problem::Unwritable(Unwritable { path, error }))
                if cache.directory() != workspace.directory() =>
            {
                status::warning(format_args!(
                    "the compiled runtime cannot be kept for all workspaces, as `{}` cannot be written \
                     ({error}): it is kept in `{}`",
                    path.display(),
                    workspace.directory().display(),
                ));
                Ok(Runtime::from(workspace, toolchain, users, voice)?)
            }
            Err(problem) => Err(problem.into()),
        }
    }

    fn from(
        cache: &Cache,
        toolchain: &Toolchain,
        users: Users,
        voice: Voice,
    ) -> Result<Runtime, Problem> {
        let release = toolchain.version.lines().next().unwrap_or_default();
        let waits = || {
            if voice != Voice::Quiet {
                status::stage("waiting for another check, which builds the runtime");
            }
        };
        let make = |directory: &Path| {
            let what = format_args!("building the runtime for {release}, once for all workspaces");
            build(directory, toolchain, users, &Phase::begin(what, voice))
        };
        let (directory, in_use) = cache.entry(&name(toolchain, users), &is_whole, &waits, make)?;
        let cfgs = fs::read_to_string(directory.join(CFGS))
            .map_err(|error| Unwritable::new(&directory, error))?;
        Ok(Runtime {
            std: directory.join(STD_LIBRARY),
            directory,
            cfgs,
            edition: edition(users),
            _in_use: Arc::new(in_use),
        })
    }
}

/// Why there is no runtime.
enum Problem {
    /// It cannot be kept.
    Unwritable(Unwritable),
    /// It cannot be made.
    Other(Failure),
}

impl From<Unwritable> for Problem {
    fn from(unwritable: Unwritable) -> Problem {
        Problem::Unwritable(unwritable)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem::Other(failure)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        match problem {
            Problem::Unwritable(Unwritable { path, error }) => Failure::new(
                format!("cannot write `{}`: {error}", path.display()),
                "Make that place writable and see that there is space, or choose another directory \
                 with `--target-dir` or `LOCKCHECK_CACHE_DIR`.",
            ),
            Problem::Other(failure) => failure,
        }
    }
}

/// A hash of these texts.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    }
    format!("{:016x}", hasher.finish())
}

/// A hash of all that the compiler is given.
fn edition(users: Users) -> String {
    let texts = SOURCES.iter().flat_map(|(path, text)| [*path, *text]);
    let facades = FACADES.iter().map(|(_, text)| *text);
    let probes = STD_ITEMS.iter().flat_map(|item| [item.name, item.probe]);
    let own = [STD, LOCKDEP.1, TRACING.1, CREATION_ORDER, env!("CARGO_PKG_VERSION")];
    let flags = FLAGS.iter().chain(users.flags()).copied();
    hash(texts.chain(probes).chain(flags).chain(facades).chain(own))
}

/// The name under which the runtime for this compiler is kept: a hash of all that it depends on.
fn name(toolchain: &Toolchain, users: Users) -> String {
    let compiler = [&*toolchain.version, &*toolchain.target, &*std_library::name(toolchain)];
    hash([&*edition(users)].into_iter().chain(compiler))
}

/// Compiles all into this directory.
fn build(work: &Path, toolchain: &Toolchain, users: Users, phase: &Phase) -> Result<(), Problem> {
    /// What `phase` counts: asking what the compiler's `std` has, the runtime, its facades.
    const STEPS: usize = 3;
    let write = |path: &Path, text: &str| {
        let parent = path.parent().unwrap_or(work);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| Unwritable::new(path, error))
    };
    phase.is_at(0, STEPS);
    let sources = work.join("lockdep");
    for (path, text) in SOURCES {
        write(&sources.join(path), text)?;
    }
    let (facade, tracing) = (work.join("std.rs"), work.join("tracing.rs"));
    write(&facade, STD)?;
    write(&tracing, TRACING.1)?;
    for (versions, text) in FACADES {
        write(&work.join(crate_patches::file_name(versions)), text)?;
    }
    write(&work.join(LOCKDEP.0), LOCKDEP.1)?;
    write(&work.join(CFGS), &toolchain.cfgs(work)?)?;
    let root = sources.join("lib.rs");
    let items = std_library::flags(toolchain, work);
    phase.is_at(1, STEPS);
    // A compiler whose intrinsics have changed builds the runtime without the order of creation.
    let flags: Vec<&OsStr> =
        users.flags().iter().map(OsStr::new).chain(items.iter().map(OsStr::new)).collect();
    let with_order: Vec<&OsStr> =
        flags.iter().copied().chain([OsStr::new(CREATION_ORDER)]).collect();
    compile(toolchain, work, "lockdep", &root, &with_order)
        .or_else(|_| compile(toolchain, work, "lockdep", &root, &flags))?;
    phase.is_at(2, STEPS);
    let mut lockdep = OsString::from("--extern=lockdep=");
    lockdep.push(work.join(RUNTIME_LIBRARY));
    let facades = thread::scope(|scope| {
        let std = scope.spawn(|| compile(toolchain, work, "std", &facade, &[&lockdep]));
        let tracing = compile(toolchain, work, TRACING.0, &tracing, &[&lockdep]);
        [std.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), tracing]
    });
    facades.into_iter().collect::<Result<(), Problem>>()?;
    seal(work).map_err(|error| Unwritable::new(work, error))?;
    Ok(())
}

fn compile(
    toolchain: &Toolchain,
    out: &Path,
    name: &str,
    root: &Path,
    more: &[&OsStr],
) -> Result<(), Problem> {
    let mut remap = out.as_os_str().to_owned();
    remap.push("=/lockcheck");
    let output = Command::new(&toolchain.rustc)
        .args(["--crate-name", name, "--target", &toolchain.target])
        .args(FLAGS)
        .args(more)
        .arg("--remap-path-prefix")
        .arg(remap)
        .arg("--out-dir")
        .args([out, root])
        .env("CARGO_PKG_NAME", name)
        .env("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION"))
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .map_err(|error| {
            Failure::new(
                format!("cannot start `{}`: {error}", toolchain.rustc.display()),
                "Install Rust with rustup, or set `RUSTC` to its compiler.",
            )
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No space left on device") {
        return Err(Unwritable::new(out, io::ErrorKind::StorageFull.into()).into());
    }
    if said.contains("target may not be installed") {
        let failure = Failure::new(
            format!("this compiler has no standard library for `{}`", toolchain.target),
            format!("Install it: `rustup target add {}`.", toolchain.target),
        );
        return Err(failure.into());
    }
    let failure = Failure::new(
        format!("the runtime does not compile here\n{}", said.trim()),
        "Try the newest stable toolchain; if it fails there too, report the message above as a fault of \
         cargo-lockcheck.",
    );
    Err(failure.into())
}

/// Writes the list of the libraries, which makes the directory whole.
fn seal(directory: &Path) -> io::Result<()> {
    fs::write(directory.join(SEAL), contents(directory)?)
}

/// Whether the directory holds what was put there.
fn is_whole(directory: &Path) -> bool {
    let sealed = fs::read_to_string(directory.join(SEAL));
    matches!((sealed, contents(directory)), (Ok(sealed), Ok(found)) if sealed == found)
}

/// One line for each file that is used later.
fn contents(directory: &Path) -> io::Result<String> {
    let mut lines = String::new();
    for name in [RUNTIME_LIBRARY, STD_LIBRARY, TRACING_LIBRARY, CFGS] {
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(directory.join(name))?);
        lines.push_str(&format!("{:016x} {name}\n", hasher.finish()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::Path;

    use super::{RUNTIME_LIBRARY, Runtime, Users, edition, is_whole, name};
    use crate::build::cache::Cache;
    use crate::cli::cargo_config::CargoConfig;
    use crate::cli::phase::Voice;
    use crate::cli::toolchain::Toolchain;

    fn toolchain() -> Toolchain {
        Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc")
    }

    #[test]
    fn a_broken_cache_is_built_anew_and_a_whole_one_is_kept() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path());
        let prepare = || {
            Runtime::prepare(&cache, &cache, &toolchain(), Users::HooksAlone, Voice::Quiet)
                .expect("it builds")
        };
        let first = prepare();
        let library = first.directory.join(RUNTIME_LIBRARY);
        let made = || fs::metadata(&library).and_then(|data| data.modified()).expect("a time");
        let before = made();
        fs::write(&library, "broken").expect("the library is writable");
        assert!(!is_whole(&first.directory));
        drop(first);

        let second = prepare();
        assert!(is_whole(&second.directory));
        let again = made();
        assert_ne!(before, again);

        assert_eq!(prepare().directory, second.directory);
        assert_eq!(again, made());
        let entries = fs::read_dir(root.path()).expect("a list");
        let directories = entries.filter(|entry| {
            entry.as_ref().is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        });
        assert_eq!(directories.count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn another_compiler_has_a_directory_of_its_own() {
        let mut toolchain = toolchain();
        let one = name(&toolchain, Users::HooksAlone);
        toolchain.version.push_str("\nLLVM version: 0");
        let two = name(&toolchain, Users::HooksAlone);
        assert_ne!(two, one);
        toolchain.target = "x86_64-pc-windows-gnu".to_owned();
        assert_ne!(name(&toolchain, Users::HooksAlone), two, "nor have two targets one");
    }

    #[test]
    fn the_library_is_in_the_runtime_where_the_program_depends_on_it() {
        assert_eq!(Users::of_program(None), Users::Program, "nobody knows");
        let of_another = "[[package]]\nname = \"lockdep-of-another\"\n";
        assert_eq!(Users::of_program(Some(of_another)), Users::HooksAlone);
        assert_eq!(Users::of_program(Some("[[package]]\nname = \"lockdep\"\n")), Users::Program);
        let of = |users| name(&toolchain(), users);
        assert_ne!(of(Users::Program), of(Users::HooksAlone));
        // What was compiled over one of them is not used with the other.
        assert_ne!(edition(Users::Program), edition(Users::HooksAlone));
    }

    #[test]
    fn where_the_cache_cannot_be_written_the_workspace_has_its_own() {
        let root = tempfile::tempdir().expect("a directory");
        let file = Cache::at(env::current_exe().expect("a file"));
        let workspace = Cache::at(root.path());
        let prepare = |fallback| {
            Runtime::prepare(&file, fallback, &toolchain(), Users::HooksAlone, Voice::Quiet)
        };
        let made = prepare(&workspace).expect("the workspace can be written");
        assert!(made.directory.starts_with(root.path()));
        let error = prepare(&file).expect_err("a file is no directory");
        assert!(error.to_string().contains(&*file.directory().to_string_lossy()), "{error}");
        assert!(error.next().contains("--target-dir"));
    }
}
