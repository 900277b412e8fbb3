//! The source files that a report speaks of: short machine-independent names for them, and their
//! text.
//!
//! A place recorded by the compiler is relative to the workspace root, or absolute for everything
//! outside it. [`Sources::shorten`] makes one form of both, the one that stands in reports; it is
//! the only place that knows how dependencies and the standard library lie on disk.
//!
//! A file that cannot be read is no error: what is said about it gets shorter.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the sources of one workspace and of its dependencies are.
#[derive(Debug)]
pub struct Sources {
    /// The workspace root, with `/` between parts and no `/` at its end.
    root: String,
    /// The same without links, as debug information has it.
    real_root: Option<String>,
    cargo_home: Option<PathBuf>,
    texts: Mutex<HashMap<String, Option<Arc<str>>>>,
}

impl Sources {
    /// The sources of the workspace at `root`, which should be absolute; dependencies are looked
    /// for below `cargo_home`.
    pub fn new(root: &Path, cargo_home: Option<PathBuf>) -> Sources {
        let text = |path: &Path| slashes(&path.to_string_lossy()).trim_end_matches('/').to_owned();
        let (real_root, root) = (fs::canonicalize(root).ok().map(|real| text(&real)), text(root));
        let real_root = real_root.filter(|real| *real != root);
        Sources { root, real_root, cargo_home, texts: Mutex::default() }
    }

    /// The sources of the workspace at `root`, with those of dependencies where cargo keeps them.
    pub fn of_workspace(root: &Path) -> Sources {
        let cargo_home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
        Sources::new(root, cargo_home)
    }

    /// The name of `file`, given as the compiler recorded it, in reports: relative to the
    /// workspace root (with `..` for its neighbours), `crate-version/path` for a dependency from a
    /// registry, `repository/path` for one from git, `library/path` for the standard library.
    pub fn shorten(&self, file: &str) -> String {
        self.shorten_from(&self.root, file)
    }

    /// The same for a file of a workspace that was at `recorded`.
    fn shorten_from(&self, recorded: &str, file: &str) -> String {
        let file = slashes(file);
        let file = file.strip_prefix("./").unwrap_or(&file);
        let roots = [Some(recorded), Some(&*self.root), self.real_root.as_deref()];
        let roots = roots.into_iter().flatten();
        let below = |root: &str| file.strip_prefix(root)?.strip_prefix('/');
        if let Some(inside) = roots.filter(|root| !root.is_empty()).find_map(below) {
            return inside.to_owned();
        }
        // `.../registry/src/INDEX/CRATE-VERSION/path`
        if let Some((_, inside)) = file.split_once("/registry/src/") {
            return inside.split_once('/').map_or(inside, |(_, path)| path).to_owned();
        }
        // `.../git/checkouts/REPOSITORY-HASH/REVISION/path`
        if let Some((_, inside)) = file.split_once("/git/checkouts/") {
            let mut parts = inside.splitn(3, '/');
            if let (Some(repository), Some(_), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            {
                let name = repository.rsplit_once('-').map_or(repository, |(name, _)| name);
                return format!("{name}/{path}");
            }
        }
        // `.../rustdocRANDOM/doctest_bundle_2024.rs`: the documentation's examples as one program
        if let Some(bundle) =
            file.rsplit('/').next().filter(|name| name.starts_with("doctest_bundle"))
        {
            return bundle.to_owned();
        }
        // `/rustc/HASH/library/path`, or the same in an installed `rust-src`
        if let Some((before, path)) = file.split_once("/library/")
            && (before.starts_with("/rustc/") || before.ends_with("/rust"))
        {
            return format!("library/{path}");
        }
        beside(recorded, file).unwrap_or_else(|| file.to_owned())
    }

    /// Whether `file`, a short name, is one of the workspace's own files.
    pub fn is_own(&self, file: &str) -> bool {
        !file.starts_with("library/") && self.in_workspace(file).is_some()
    }

    /// The text of `file`, a short name, or nothing when there is no such file any more.
    pub fn text(&self, file: &str) -> Option<Arc<str>> {
        // A text is put there whole.
        let texts = || self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts().get(file) {
            return known.clone();
        }
        let read = |path: PathBuf| fs::read_to_string(path).ok();
        let text = match self.in_workspace(file) {
            Some(path) => read(path),
            None => self.in_registry(file).and_then(read),
        };
        let text: Option<Arc<str>> = text.map(Into::into);
        texts().insert(file.to_owned(), text.clone());
        text
    }

    fn in_workspace(&self, file: &str) -> Option<PathBuf> {
        let path = Path::new(&self.root).join(file);
        path.is_file().then_some(path)
    }

    /// The short names of all `.rs` files of the workspace's own beside `file` and below, from the root of
    /// its crate's sources on.
    pub fn of_the_same_crate(&self, file: &str) -> Vec<String> {
        let up = Path::new(file).ancestors().skip(1);
        let Some(top) = up.take_while(|directory| !self.has_manifest(directory)).last() else {
            return Vec::new();
        };
        let (mut directories, mut files) = (vec![top.to_owned()], Vec::new());
        while let Some(directory) = directories.pop() {
            let entries = fs::read_dir(Path::new(&self.root).join(&directory));
            for entry in entries.into_iter().flatten().flatten() {
                let path = directory.join(entry.file_name());
                // Not through links: they may lead in circles.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => directories.push(path),
                    _ if path.extension().is_some_and(|ending| ending == "rs") => {
                        files.push(slashes(&path.to_string_lossy()));
                    }
                    _ => {}
                }
            }
        }
        files.sort();
        files
    }

    fn has_manifest(&self, directory: &Path) -> bool {
        Path::new(&self.root).join(directory).join("Cargo.toml").is_file()
    }

    fn in_registry(&self, file: &str) -> Option<PathBuf> {
        let indexes = fs::read_dir(self.cargo_home.as_ref()?.join("registry/src")).ok()?;
        indexes.flatten().map(|index| index.path().join(file)).find(|path| path.is_file())
    }
}

/// The names that one process has recorded, perhaps on another machine, where the workspace was elsewhere.
#[derive(Debug)]
pub struct Recorded<'a> {
    sources: &'a Sources,
    /// Where it was.
    root: Option<String>,
}

impl<'a> Recorded<'a> {
    /// Of a workspace that was at `root`, where that is known.
    pub fn new(sources: &'a Sources, root: Option<&str>) -> Recorded<'a> {
        let root = root.map(|root| slashes(root).trim_end_matches('/').to_owned());
        Recorded { sources, root }
    }

    /// The same sources, of a workspace that was at `root`.
    pub fn below(&self, root: Option<&str>) -> Recorded<'a> {
        Recorded::new(self.sources, root)
    }

    /// See [`Sources::shorten`].
    pub fn shorten(&self, file: &str) -> String {
        self.sources.shorten_from(self.root.as_deref().unwrap_or(&self.sources.root), file)
    }
}

/// `../path` for a file near the workspace at `root`, such as one of a `path` dependency.
fn beside(root: &str, file: &str) -> Option<String> {
    let (root, file): (Vec<&str>, Vec<&str>) =
        (root.split('/').collect(), file.split('/').collect());
    let common = root.iter().zip(&file).take_while(|(ours, theirs)| ours == theirs).count();
    // Two files of one machine have more in common than `/home`.
    (common > 2).then(|| {
        let up = root[common..].iter().map(|_| "..");
        up.chain(file[common..].iter().copied()).collect::<Vec<&str>>().join("/")
    })
}

fn slashes(path: &str) -> String {
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Recorded, Sources};

    #[test]
    fn short_names_hold_no_machine() {
        let sources = Sources::new(Path::new("/home/me/bank"), None);
        for (recorded, short) in [
            ("src/lib.rs", "src/lib.rs"),
            ("./src/lib.rs", "src/lib.rs"),
            (r"src\lib.rs", "src/lib.rs"),
            ("/home/me/bank/core/src/lib.rs", "core/src/lib.rs"),
            (
                "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.40.0/src/a.rs",
                "tokio-1.40.0/src/a.rs",
            ),
            (
                r"C:\Users\me\.cargo\registry\src\index.crates.io-1\tokio-1.40.0\src\a.rs",
                "tokio-1.40.0/src/a.rs",
            ),
            ("/home/me/.cargo/git/checkouts/my-db-0011aabb/9fe1234/src/a.rs", "my-db/src/a.rs"),
            ("/rustc/59807616e/library/std/src/sync/once.rs", "library/std/src/sync/once.rs"),
            ("/tmp/rustdoctestuvWX12/doctest_bundle_2024.rs", "doctest_bundle_2024.rs"),
            ("/home/me/bankrupt/src/lib.rs", "../bankrupt/src/lib.rs"),
            ("/home/other/src/lib.rs", "/home/other/src/lib.rs"),
        ] {
            assert_eq!(sources.shorten(recorded), short, "{recorded}");
        }
    }

    #[test]
    fn what_another_machine_has_recorded_has_the_same_names() {
        let sources = Sources::new(Path::new("/home/me/bank"), None);
        for root in ["/builds/4711/bank", r"D:\a\bank\bank\"] {
            let recorded = Recorded::new(&sources, Some(root));
            let root = root.trim_end_matches('\\');
            for (file, short) in [
                ("src/lib.rs".to_owned(), "src/lib.rs"),
                (format!("{root}/core/src/lib.rs"), "core/src/lib.rs"),
                (
                    format!("{}shared/src/lib.rs", root.trim_end_matches("bank")),
                    "../shared/src/lib.rs",
                ),
                ("/home/me/bank/src/main.rs".to_owned(), "src/main.rs"),
                (
                    "/rustc/59807616e/library/std/src/sync/once.rs".to_owned(),
                    "library/std/src/sync/once.rs",
                ),
            ] {
                assert_eq!(recorded.shorten(&file), short, "{root} {file}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_workspace_behind_a_link_has_the_names_that_it_has_without() {
        let directory = tempfile::tempdir().expect("it can be made");
        let real = directory.path().canonicalize().expect("it is there").join("bank");
        std::fs::create_dir_all(&real).expect("it can be made");
        let link = real.with_file_name("link");
        std::os::unix::fs::symlink(&real, &link).expect("it can be made");
        let sources = Sources::new(&link, None);
        for root in [&link, &real] {
            let file = root.join("core/src/lib.rs");
            assert_eq!(sources.shorten(&file.to_string_lossy()), "core/src/lib.rs");
        }
    }

    #[test]
    fn a_missing_file_has_no_text() {
        let sources = Sources::new(Path::new(env!("CARGO_MANIFEST_DIR")), None);
        assert_eq!(sources.text("src/no_such_file.rs"), None);
        assert!(
            sources.text("src/report/sources.rs").is_some_and(|text| text.contains("fn shorten"))
        );
        assert!(sources.is_own("src/report/sources.rs"));
        assert!(!sources.is_own("library/std/src/sync/once.rs"));
    }
}
