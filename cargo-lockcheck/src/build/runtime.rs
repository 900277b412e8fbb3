//! The runtime that is linked into every checked program, and the facade that brings it there.
//!
//! Both travel as text inside this binary (the runtime's from `lockdep::sources`), so that an
//! installed `cargo-lockcheck` needs no checkout and no network. They are compiled once per
//! compiler, always optimised, and kept in a directory whose name is a hash of everything that
//! went in; a directory is made under another name and renamed when it is whole, so any number of
//! checks can run at once.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::SystemTime;

use lockdep::sources::SOURCES;
use lockdep::std_items::STD_ITEMS;

use super::crate_patches::{self, FACADES, LOCKDEP, TRACING, TRACING_LIBRARY};
use super::std_has;
use crate::cli::failure::Failure;
use crate::cli::phase::{Phase, Voice};
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
}

impl Runtime {
    /// The runtime for this compiler, from `cache` or compiled anew into it.
    ///
    /// # Errors
    /// When `cache` cannot be written, or the compiler refuses the sources.
    pub fn prepare(
        cache: &Path,
        toolchain: &Toolchain,
        users: Users,
        voice: Voice,
    ) -> Result<Runtime, Failure> {
        let directory = directory(cache, toolchain, users);
        if !is_whole(&directory) {
            let release = toolchain.version.lines().next().unwrap_or_default();
            let _phase =
                Phase::begin(format_args!("building the runtime for {release}, once"), voice);
            build(cache, &directory, toolchain, users)?;
        }
        let cfgs =
            fs::read_to_string(directory.join(CFGS)).map_err(|e| unwritable(&directory, &e))?;
        Ok(Runtime { std: directory.join(STD_LIBRARY), directory, cfgs, edition: edition(users) })
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

/// Where the runtime for this compiler is kept.
fn directory(cache: &Path, toolchain: &Toolchain, users: Users) -> PathBuf {
    cache.join(hash([&*edition(users), &*toolchain.version].into_iter()))
}

/// Compiles into a directory of its own, then gives it its name.
fn build(
    cache: &Path,
    directory: &Path,
    toolchain: &Toolchain,
    users: Users,
) -> Result<(), Failure> {
    let work = Scratch::new(cache)?;
    let write = |path: &Path, text: &str| {
        let parent = path.parent().unwrap_or(&work.0);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(path, text))
            .map_err(|e| unwritable(path, &e))
    };
    let sources = work.0.join("lockdep");
    for (path, text) in SOURCES {
        write(&sources.join(path), text)?;
    }
    let facade = work.0.join("std.rs");
    write(&facade, STD)?;
    for (versions, text) in FACADES {
        write(&work.0.join(crate_patches::file_name(versions)), text)?;
    }
    write(&work.0.join(LOCKDEP.0), LOCKDEP.1)?;
    write(&work.0.join(CFGS), &toolchain.cfgs(cache)?)?;
    let root = sources.join("lib.rs");
    // A compiler whose intrinsics have changed builds the runtime without the order of creation.
    let items = std_has::flags(toolchain, &work.0);
    let flags: Vec<&OsStr> =
        users.flags().iter().map(OsStr::new).chain(items.iter().map(OsStr::new)).collect();
    let with_order: Vec<&OsStr> =
        flags.iter().copied().chain([OsStr::new(CREATION_ORDER)]).collect();
    compile(toolchain, &work.0, "lockdep", &root, &with_order)
        .or_else(|_| compile(toolchain, &work.0, "lockdep", &root, &flags))?;
    let mut lockdep = OsString::from("--extern=lockdep=");
    lockdep.push(work.0.join(RUNTIME_LIBRARY));
    compile(toolchain, &work.0, "std", &facade, &[&lockdep])?;
    let tracing = work.0.join("tracing.rs");
    write(&tracing, TRACING.1)?;
    compile(toolchain, &work.0, TRACING.0, &tracing, &[&lockdep])?;
    seal(&work.0).map_err(|error| unwritable(&work.0, &error))?;

    // Somebody else may have been faster, and then theirs is as good; or the old one is broken.
    if fs::rename(&work.0, directory).is_err() && !is_whole(directory) {
        let broken = Scratch::new(cache)?;
        let moved = fs::rename(directory, broken.0.join("broken"));
        moved.and_then(|()| fs::rename(&work.0, directory)).or_else(|error| {
            if is_whole(directory) { Ok(()) } else { Err(unwritable(directory, &error)) }
        })?;
    }
    Ok(())
}

fn compile(
    toolchain: &Toolchain,
    out: &Path,
    name: &str,
    root: &Path,
    more: &[&OsStr],
) -> Result<(), Failure> {
    let mut remap = out.as_os_str().to_owned();
    remap.push("=/lockcheck");
    let output = Command::new(&toolchain.rustc)
        .args(["--crate-name", name, "--target", &toolchain.host])
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
    let next = if said.contains("No space left on device") {
        "Free some space on that disk, or choose another with `--target-dir`."
    } else {
        "Try the newest stable toolchain; if it fails there too, report the message above as a \
         fault of cargo-lockcheck."
    };
    Err(Failure::new(format!("the runtime does not compile here\n{}", said.trim()), next))
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

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot write `{}`: {error}", path.display()),
        "Make that place writable and see that there is space, or choose another directory with \
         `--target-dir`.",
    )
}

/// How the names of directories begin that this process compiles into.
fn unfinished() -> String {
    format!(".new-{}-", process::id())
}

/// Removes what this process has begun to compile into `cache`, as it is about to end.
pub fn remove_unfinished(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&unfinished()) {
            // What cannot be removed does no harm.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory that is removed, unless it was renamed.
struct Scratch(PathBuf);

impl Scratch {
    fn new(parent: &Path) -> Result<Scratch, Failure> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = parent.join(format!("{}{}", unfinished(), now.as_nanos()));
        fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already when it was renamed; and what cannot be removed does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::Path;

    use super::{RUNTIME_LIBRARY, Runtime, Users, directory, edition, is_whole};
    use crate::cli::cargo_config::CargoConfig;
    use crate::cli::phase::Voice;
    use crate::cli::toolchain::Toolchain;

    #[test]
    fn a_broken_cache_is_built_anew_and_a_whole_one_is_kept() {
        let toolchain = Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let cache = tempfile::tempdir().expect("a directory");
        let first = Runtime::prepare(cache.path(), &toolchain, Users::HooksAlone, Voice::Quiet)
            .expect("it builds");
        let library = first.directory.join(RUNTIME_LIBRARY);
        let made = fs::metadata(&library).and_then(|data| data.modified()).expect("a time");
        fs::write(&library, "broken").expect("the library is writable");
        assert!(!is_whole(&first.directory));

        let second = Runtime::prepare(cache.path(), &toolchain, Users::HooksAlone, Voice::Quiet)
            .expect("it builds again");
        assert_eq!(first.directory, second.directory);
        assert!(is_whole(&second.directory));
        let again = fs::metadata(&library).and_then(|data| data.modified()).expect("a time");
        assert_ne!(made, again);

        Runtime::prepare(cache.path(), &toolchain, Users::HooksAlone, Voice::Quiet)
            .expect("it is there");
        let still = fs::metadata(&library).and_then(|data| data.modified()).expect("a time");
        assert_eq!(again, still);
        assert_eq!(fs::read_dir(cache.path()).expect("a list").count(), 1, "no scratch is left");
    }

    #[test]
    fn another_compiler_has_a_directory_of_its_own() {
        let mut toolchain =
            Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let one = directory(Path::new(""), &toolchain, Users::HooksAlone);
        toolchain.version.push_str("\nLLVM version: 0");
        assert_ne!(directory(Path::new(""), &toolchain, Users::HooksAlone), one);
    }

    #[test]
    fn the_library_is_in_the_runtime_where_the_program_depends_on_it() {
        assert_eq!(Users::of_program(None), Users::Program, "nobody knows");
        let of_another = "[[package]]\nname = \"lockdep-of-another\"\n";
        assert_eq!(Users::of_program(Some(of_another)), Users::HooksAlone);
        assert_eq!(Users::of_program(Some("[[package]]\nname = \"lockdep\"\n")), Users::Program);
        let toolchain = Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let of = |users| directory(Path::new(""), &toolchain, users);
        assert_ne!(of(Users::Program), of(Users::HooksAlone));
        // What was compiled over one of them is not used with the other.
        assert_ne!(edition(Users::Program), edition(Users::HooksAlone));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let toolchain = Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let file = env::current_exe().expect("a file");
        let error = Runtime::prepare(&file, &toolchain, Users::Program, Voice::Quiet)
            .expect_err("a file is no directory");
        assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
        assert!(error.next().contains("--target-dir"));
    }
}
