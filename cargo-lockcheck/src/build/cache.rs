//! Where compiled runtimes are kept: one directory of the user's, for all workspaces.
//!
//! Each entry is a directory whose name is a hash of all that went in. It is made under another name and
//! renamed when it is whole, by one process at a time, which holds the entry's lock; who uses an entry holds
//! the lock together with others. So any number of checks can run at once, and what is in use is not removed.
//! On a file system without locks the same entry may be made twice, and the second is thrown away.
//!
//! What has not been used for the longest goes when there is more than `AT_MOST`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use walkdir::WalkDir;

/// The size of all entries, in bytes, above which the least recently used are removed. A runtime has some
/// ten megabytes, and there is one for each compiler and each version of this command.
const AT_MOST: u64 = 512 << 20;

/// How the name of an entry's lock ends.
const LOCK: &str = ".lock";
/// How the name of an entry begins that is not whole; that of the entry and the process follow.
const UNFINISHED: &str = ".new-";
/// The file of an entry whose time of change is that of its last use.
const USED: &str = "used";

/// A directory of entries.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

/// What keeps an entry from being removed, for as long as it lives.
#[derive(Debug)]
pub struct InUse {
    _lock: Option<File>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many entries.
    pub entries: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// How many entries were left, as they are in use.
    pub in_use: usize,
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// The cache in this directory, which need not be there.
    pub fn at(directory: impl Into<PathBuf>) -> Cache {
        Cache { directory: directory.into() }
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of the entry of this name, after `make` has made it where `is_whole` did not find it so.
    ///
    /// `make` is given an empty directory, which becomes the entry; `waits` is called when another process
    /// makes the entry at this time.
    ///
    /// # Errors
    /// Those of `make`, and, by way of `From`, when the directory cannot be written.
    pub fn entry<E: From<Unwritable>>(
        &self,
        name: &str,
        is_whole: &dyn Fn(&Path) -> bool,
        waits: &dyn Fn(),
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(PathBuf, InUse), E> {
        let path = self.directory.join(name);
        if let Some(in_use) = self.used(name, &path, is_whole) {
            return Ok((path, in_use));
        }
        fs::create_dir_all(&self.directory).map_err(|e| Unwritable::new(&self.directory, e))?;
        let lock = self.lock(name).map_err(|e| Unwritable::new(&self.directory, e))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            waits();
            // Where there are no locks, nobody waits.
            _ = lock.lock();
        }
        // Whoever had the lock may have made it meanwhile.
        if !is_whole(&path) {
            let new = New::begin(&self.directory, name)?;
            make(&new.path)?;
            fs::write(new.path.join(USED), "").map_err(|e| Unwritable::new(&new.path, e))?;
            new.becomes(&path, is_whole)?;
            self.shrink(AT_MOST, name);
        }
        // From alone to together with others there is no way without a moment between; nothing is removed
        // that has just been used.
        _ = lock.unlock();
        _ = lock.lock_shared();
        Ok((path, InUse { _lock: Some(lock) }))
    }

    /// Takes an entry into use, if it is whole.
    fn used(&self, name: &str, path: &Path, is_whole: &dyn Fn(&Path) -> bool) -> Option<InUse> {
        if !path.is_dir() {
            return None;
        }
        // A cache that can only be read has no locks, and nothing is removed from it.
        let lock = self.lock(name).ok();
        if let Some(Err(TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock_shared) {
            return None;
        }
        if !is_whole(path) {
            return None;
        }
        _ = File::options()
            .write(true)
            .open(path.join(USED))
            .and_then(|file| file.set_modified(SystemTime::now()));
        Some(InUse { _lock: lock })
    }

    fn lock(&self, name: &str) -> io::Result<File> {
        let path = self.directory.join(format!("{name}{LOCK}"));
        File::options().create(true).truncate(false).write(true).open(path)
    }

    /// Removes all that is not in use.
    pub fn clean(&self) -> Removed {
        self.shrink(0, "")
    }

    /// Removes what has not been used for the longest until the rest has no more than `at_most` bytes; never
    /// the entry `newest`, nor what is in use.
    fn shrink(&self, at_most: u64, newest: &str) -> Removed {
        let mut entries = self.entries();
        entries.sort_by_key(|entry| entry.used);
        let mut left: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let mut removed = Removed::default();
        for entry in entries {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            if left <= at_most || name == newest {
                continue;
            }
            let lock = self.lock(of_entry(&name));
            let is_in_use =
                || matches!(lock.as_ref().map(File::try_lock), Ok(Err(TryLockError::WouldBlock)));
            if of_entry(&name) == newest || is_in_use() {
                removed.in_use += 1;
                continue;
            }
            if fs::remove_dir_all(&entry.path).is_ok() {
                left -= entry.bytes;
                removed.entries += 1;
                removed.bytes += entry.bytes;
                _ = fs::remove_file(self.directory.join(format!("{}{LOCK}", of_entry(&name))));
            }
        }
        removed
    }

    /// What is there, and what a process that was killed has left.
    fn entries(&self) -> Vec<Entry> {
        let listed = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        listed
            .filter(|listed| listed.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|listed| listed.path())
            .filter(|path| is_ours(&path.file_name().unwrap_or_default().to_string_lossy()))
            .map(|path| {
                let used = fs::metadata(path.join(USED)).and_then(|data| data.modified());
                Entry { bytes: size(&path), used: used.unwrap_or(SystemTime::UNIX_EPOCH), path }
            })
            .collect()
    }

    /// Removes what this process has begun to make, as it is about to end.
    pub fn remove_unfinished(&self) {
        let own = format!("-{}", process::id());
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(UNFINISHED) && name.ends_with(&own) {
                // What cannot be removed does no harm.
                _ = fs::remove_dir_all(entry.path());
                _ = fs::remove_file(self.directory.join(format!("{}{LOCK}", of_entry(&name))));
            }
        }
    }
}

/// A place that cannot be written.
#[derive(Debug)]
pub struct Unwritable {
    /// The place.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl Unwritable {
    /// This place cannot be written, for this reason.
    pub fn new(path: &Path, error: io::Error) -> Unwritable {
        Unwritable { path: path.to_owned(), error }
    }
}

/// An entry that is being made; removed with its lock, unless it becomes one.
struct New {
    path: PathBuf,
    lock: Option<PathBuf>,
}

impl New {
    fn begin(directory: &Path, name: &str) -> Result<New, Unwritable> {
        let path = directory.join(format!("{UNFINISHED}{name}-{}", process::id()));
        // One of an earlier process with this number.
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|error| Unwritable::new(&path, error))?;
        Ok(New { path, lock: Some(directory.join(format!("{name}{LOCK}"))) })
    }

    /// Gives it its name. What has the name already stays where it is whole, and goes where it is broken.
    fn becomes(mut self, path: &Path, is_whole: &dyn Fn(&Path) -> bool) -> Result<(), Unwritable> {
        let renamed = fs::rename(&self.path, path).or_else(|_| {
            if is_whole(path) {
                return Ok(());
            }
            fs::remove_dir_all(path)?;
            fs::rename(&self.path, path)
        });
        if renamed.is_ok() {
            self.lock = None;
        }
        renamed.map_err(|error| Unwritable::new(path, error))
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // Gone already when it was renamed; and what cannot be removed does no harm.
        _ = fs::remove_dir_all(&self.path);
        if let Some(lock) = &self.lock {
            _ = fs::remove_file(lock);
        }
    }
}

/// The name of the entry that a directory of this name is, or is to become.
fn of_entry(name: &str) -> &str {
    let unfinished = name.strip_prefix(UNFINISHED).and_then(|rest| rest.split('-').next());
    unfinished.unwrap_or(name)
}

/// Whether a directory of this name was made by a cache: nothing else is removed.
fn is_ours(name: &str) -> bool {
    let entry = of_entry(name);
    entry.len() == 16 && entry.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The size of all files below, in bytes.
fn size(directory: &Path) -> u64 {
    let files = WalkDir::new(directory).into_iter().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, SystemTime};

    use super::{Cache, InUse, Removed, USED, Unwritable};

    const NAMES: [&str; 3] = ["0000000000000001", "0000000000000002", "0000000000000003"];

    fn is_whole(path: &Path) -> bool {
        fs::read(path.join("content")).is_ok_and(|content| content == [7; 100])
    }

    fn make(cache: &Cache, name: &str) -> InUse {
        let write = |path: &Path| -> Result<(), Unwritable> {
            fs::write(path.join("content"), [7; 100]).map_err(|e| Unwritable::new(path, e))
        };
        cache.entry(name, &is_whole, &|| (), write).expect("it is made").1
    }

    fn names(cache: &Cache) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(cache.directory())
            .expect("it is there")
            .map(|entry| entry.expect("it is listed").file_name().to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(super::LOCK))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_many_want_at_once_is_made_once() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path().join("cache"));
        let (made, start) = (AtomicUsize::new(0), Barrier::new(8));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let write = |path: &Path| -> Result<(), Unwritable> {
                        made.fetch_add(1, Ordering::Relaxed);
                        fs::write(path.join("content"), [7; 100]).expect("it is written");
                        Ok(())
                    };
                    let (path, _in_use) =
                        cache.entry(NAMES[0], &is_whole, &|| (), write).expect("it is there");
                    assert!(is_whole(&path));
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!(names(&cache), [NAMES[0]]);
    }

    #[test]
    fn what_is_broken_is_made_anew() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path());
        drop(make(&cache, NAMES[0]));
        fs::write(root.path().join(NAMES[0]).join("content"), "broken").expect("it is written");
        drop(make(&cache, NAMES[0]));
        assert!(is_whole(&root.path().join(NAMES[0])));
        assert_eq!(names(&cache), [NAMES[0]]);
    }

    #[test]
    fn what_was_used_last_stays_and_so_does_what_is_in_use() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path());
        let in_use = make(&cache, NAMES[0]);
        drop(make(&cache, NAMES[1]));
        drop(make(&cache, NAMES[2]));
        for (age, name) in [(30, NAMES[0]), (10, NAMES[1]), (20, NAMES[2])] {
            let used = fs::File::options().write(true).open(root.path().join(name).join(USED));
            let then = SystemTime::now() - Duration::from_secs(age);
            used.and_then(|file| file.set_modified(then)).expect("a time can be set");
        }
        let size = super::size(&root.path().join(NAMES[1]));
        let removed = cache.shrink(2 * size, "");
        assert_eq!(removed, Removed { entries: 1, bytes: size, in_use: 1 });
        assert_eq!(names(&cache), [NAMES[0], NAMES[1]]);

        drop(in_use);
        let removed = cache.clean();
        assert_eq!(removed, Removed { entries: 2, bytes: 2 * size, in_use: 0 });
        assert_eq!(fs::read_dir(root.path()).expect("it is there").count(), 0);
    }

    #[test]
    fn what_a_cache_has_not_made_is_left_alone() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path());
        drop(make(&cache, NAMES[0]));
        let unfinished = format!("{}{}-1", super::UNFINISHED, NAMES[1]);
        for other in ["something", "0123456789abcdeg", &unfinished] {
            fs::create_dir(root.path().join(other)).expect("it can be made");
        }
        // What a process that was killed has left is no more than an entry.
        assert_eq!(cache.clean().entries, 2);
        assert_eq!(names(&cache), ["0123456789abcdeg", "something"]);
    }

    #[test]
    fn what_fails_leaves_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(root.path());
        let fail = |path: &Path| Err(Unwritable::new(path, std::io::Error::other("full")));
        let error = cache.entry(NAMES[0], &is_whole, &|| (), fail).expect_err("it failed");
        assert_eq!(error.error.to_string(), "full");
        assert_eq!(names(&cache), [""; 0]);
    }
}
