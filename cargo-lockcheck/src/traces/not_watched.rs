//! What a run did not watch, kept beside its traces so that every report on them can say it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::merge;
use crate::report::model::Unwatched;

/// The file, in the directory of the traces.
const NAME: &str = "not-watched.json";

/// Keeps `unwatched` with the traces in `directory`.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(directory: &Path, unwatched: &[Unwatched]) -> io::Result<()> {
    fs::write(directory.join(NAME), serde_json::to_vec(unwatched)?)
}

/// What was kept with the traces at these places, directories or files, put together; nothing where any of
/// them has no such file, or one that cannot be understood.
pub fn kept(places: &[PathBuf]) -> Option<Vec<Unwatched>> {
    let mut all = BTreeSet::new();
    for place in places {
        if let Some(unwatched) = merge::unwatched(place) {
            all.extend(unwatched);
            continue;
        }
        let directory = if place.is_dir() { Some(&**place) } else { place.parent() };
        // Those of several runs may lie below one directory.
        let entries = WalkDir::new(directory?).into_iter().flatten();
        let depth = if place.is_dir() { usize::MAX } else { 1 };
        let files: Vec<PathBuf> = entries
            .filter(|entry| entry.depth() <= depth && entry.file_name() == NAME)
            .map(walkdir::DirEntry::into_path)
            .collect();
        if files.is_empty() {
            return None;
        }
        for file in files {
            let kept: Vec<Unwatched> = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
            all.extend(kept);
        }
    }
    let mut all: Vec<Unwatched> = all.into_iter().collect();
    all.sort_by_key(|unwatched| unwatched.why);
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{keep, kept};
    use crate::report::model::{Unwatched, WhyUnwatched};

    #[test]
    fn what_was_kept_of_several_runs_is_put_together_and_what_was_not_is_unknown() {
        let root = tempfile::tempdir().expect("it can be made");
        let unwatched =
            |package: &str| Unwatched { package: package.to_owned(), why: WhyUnwatched::OwnLocks };
        let runs = ["a", "b"].map(|run| root.path().join(run));
        for run in &runs {
            fs::create_dir(run).expect("it can be made");
        }
        keep(&runs[0], &[unwatched("spin"), unwatched("scc")]).expect("it can be written");
        assert_eq!(kept(&runs), None, "nothing is known of the second");
        keep(&runs[1], &[unwatched("spin")]).expect("it can be written");
        let both = Some(vec![unwatched("scc"), unwatched("spin")]);
        assert_eq!(kept(&runs), both);
        assert_eq!(kept(&[root.path().to_owned()]), both);
        let trace = runs[1].join("1.lctrace");
        fs::write(&trace, "").expect("it can be written");
        assert_eq!(kept(&[trace]), Some(vec![unwatched("spin")]));
    }
}
