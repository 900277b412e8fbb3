//! The standard library of a compiler: which one it is, and what it has of what only some have. The compiler
//! is asked.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use lockdep::std_items::{STD_ITEMS, StdItem};

use crate::cli::toolchain::Toolchain;

/// A text that differs where the standard library differs: the names of its files, which have a hash of all
/// that went into them. Empty where the compiler cannot be asked.
pub(super) fn name(toolchain: &Toolchain) -> String {
    let mut compiler = Command::new(&toolchain.rustc);
    compiler.args(["--print", "target-libdir", "--target", &toolchain.target]);
    let Ok(said) = compiler.output() else { return String::new() };
    let directory = String::from_utf8_lossy(&said.stdout);
    let files = fs::read_dir(directory.trim()).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("libstd-")).collect();
    names.sort_unstable();
    names.join(" ")
}

/// The `cfg`s that tell the runtime which items this compiler's `std` has, for its command line. Where the
/// compiler cannot be asked there are none, and the runtime lacks those items. `scratch` is a directory that
/// may be written.
pub(super) fn flags(toolchain: &Toolchain, scratch: &Path) -> Vec<String> {
    let has = |(number, item): (usize, &StdItem)| {
        compiles(toolchain, scratch, number, item.probe).unwrap_or(false)
    };
    let there: Vec<bool> = thread::scope(|scope| {
        let asked = STD_ITEMS.iter().enumerate().map(|item| scope.spawn(move || has(item)));
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|answer| answer.join().unwrap_or(false)).collect()
    });
    let there = STD_ITEMS.iter().zip(there).filter(|(_, there)| *there);
    there.map(|(item, _)| format!("--cfg=lockdep_std={:?}", item.name)).collect()
}

/// Whether the compiler takes this source of a library; no two at once have one number.
fn compiles(
    toolchain: &Toolchain,
    scratch: &Path,
    number: usize,
    source: &str,
) -> io::Result<bool> {
    let mut compiler = Command::new(&toolchain.rustc)
        .args(["--crate-name", &format!("probe_{number}")])
        .args(["--crate-type", "lib", "--emit", "metadata"])
        .args(["--edition", "2021", "--cap-lints", "allow", "--target", &toolchain.target])
        .arg("--out-dir")
        .arg(scratch)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let written =
        compiler.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(source.as_bytes()));
    let status = compiler.wait()?;
    written.map(|()| status.success())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{compiles, flags, name};
    use crate::cli::cargo_config::CargoConfig;
    use crate::cli::toolchain::Toolchain;

    #[test]
    fn a_compiler_says_what_its_std_has() {
        let toolchain = Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let scratch = tempfile::tempdir().expect("a directory");
        let asked = |source| compiles(&toolchain, scratch.path(), 0, source).expect("it starts");
        assert!(asked("pub fn f(m: &std::sync::Mutex<u8>) -> bool { m.is_poisoned() }"));
        assert!(!asked("pub fn f(m: &std::sync::Mutex<u8>) { m.there_is_no_such_thing() }"));
    }

    #[test]
    fn what_is_there_is_told_to_the_runtime() {
        let mut toolchain =
            Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let scratch = tempfile::tempdir().expect("a directory");
        // This workspace needs a `std` that has it.
        let once_wait = "--cfg=lockdep_std=\"once_wait\"".to_owned();
        assert!(flags(&toolchain, scratch.path()).contains(&once_wait));
        assert!(name(&toolchain).starts_with("libstd-"));
        toolchain.rustc = "there-is-no-such-compiler".into();
        assert_eq!(name(&toolchain), "");
        assert_eq!(flags(&toolchain, scratch.path()), Vec::<String>::new());
    }
}
