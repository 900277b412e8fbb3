//! What a banker counts: resources, tasks, and units of resources.

/// A resource of one banker: its place in the list that the banker was made with.
///
/// It means nothing to another banker.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, Resource};
///
/// let (banker, [disks, tapes]) = Banker::new([("disks", 4), ("tapes", 2)]);
/// assert_eq!(tapes, Resource::at(1));
/// assert_eq!(&**banker.state().resource_name(tapes), "tapes");
/// # assert_eq!(disks.index(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource(pub(super) u32);

impl Resource {
    /// The resource at `index` of the list that the banker was made with.
    ///
    /// # Panics
    /// If `index` is 2³² or more.
    pub fn at(index: usize) -> Resource {
        Resource(u32::try_from(index).expect("a banker has fewer than 2^32 resources"))
    }

    /// The place in the list that the banker was made with.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A task that has a claim. The number is used again once the task has left.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [disks]) = Banker::new([("disks", 4)]);
/// let copy = banker.claim_named("copy", &[(disks, 3)])?;
/// let sort = banker.claim_named("sort", &[(disks, 4)])?;
/// let state = banker.state();
/// assert_eq!(state.task_name(sort.task()).map(|name| &**name), Some("sort"));
/// assert_eq!(state.safe_sequence(), Some(vec![copy.task(), sort.task()]));
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub(super) u32);

impl TaskId {
    /// The task's number: the lowest that was free when it came.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Units of some resources: sorted by resource, each once, none of 0 units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Units(pub(super) Vec<(u32, u64)>);

impl Units {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Resource, u64)> + Clone {
        self.0.iter().map(|(resource, units)| (Resource(*resource), *units))
    }

    /// The units of `resource`.
    pub(super) fn of(&self, resource: Resource) -> u64 {
        self.iter().find(|units| units.0 == resource).map_or(0, |units| units.1)
    }

    /// Takes `part` away, all of which must be there.
    pub(super) fn subtract(&mut self, part: &Units) {
        for (resource, units) in &mut self.0 {
            *units -= part.of(Resource(*resource));
        }
        self.0.retain(|units| units.1 > 0);
    }
}
