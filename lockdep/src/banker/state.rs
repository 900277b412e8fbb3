//! The banker's book as a plain value: who holds what, who may come to ask for what, and whether
//! everybody can still finish.
//!
//! Promises: an answer of "safe" comes with an order in which all tasks can finish, and
//! [`BankerState::request`] never leaves a safe state for an unsafe one. Nothing blocks here and
//! nothing is global; [`crate::banker::BankerQueue`] adds waiting, [`crate::banker::Banker`] adds
//! threads.
//!
//! After Dijkstra (EWD 108, 1965) and Habermann (1969) for the avoidance, and Coffman, Elphick and
//! Shoshani (1971) for the detection. Tasks that hold nothing never make a state unsafe, since no
//! claim is larger than the total: the check looks at the holders only.

use std::sync::Arc;

use crate::banker::error::BankerError;
use crate::banker::reduction::{Demand, Reduction, RoundRobin};
use crate::banker::units::{Resource, TaskId, Units};

/// A resource's book entry. Invariant: `available` and all that is held of it make `total`.
#[derive(Clone, Debug)]
struct Pool {
    name: Arc<str>,
    total: u64,
    available: u64,
}

/// What one task may hold of one resource, and holds. Invariant: `held <= claim <= total`.
#[derive(Clone, Copy, Debug)]
struct Line {
    resource: u32,
    claim: u64,
    held: u64,
}

impl Line {
    fn need(self) -> (u32, u64) {
        (self.resource, self.claim - self.held)
    }
}

/// A task's book entry: its lines, sorted by resource.
#[derive(Clone, Debug)]
struct Account {
    name: Arc<str>,
    lines: Vec<Line>,
}

impl Account {
    fn line(&self, resource: Resource) -> Option<&Line> {
        let index = self.lines.binary_search_by_key(&resource.0, |line| line.resource).ok()?;
        Some(&self.lines[index])
    }

    fn line_mut(&mut self, resource: Resource) -> &mut Line {
        let index = match self.lines.binary_search_by_key(&resource.0, |line| line.resource) {
            Ok(index) => index,
            Err(index) => {
                self.lines.insert(index, Line { resource: resource.0, claim: 0, held: 0 });
                index
            }
        };
        &mut self.lines[index]
    }

    fn is_holder(&self) -> bool {
        self.lines.iter().any(|line| line.held > 0)
    }

    fn needs(&self) -> impl Iterator<Item = (u32, u64)> {
        self.lines.iter().map(|line| line.need())
    }

    fn held(&self) -> impl Iterator<Item = (u32, u64)> {
        self.lines.iter().filter(|line| line.held > 0).map(|line| (line.resource, line.held))
    }
}

/// The banker's book: resources with totals, and tasks with what they claim and hold.
///
/// Its `Display` is a table of `held/claim` with an order in which all tasks can finish.
///
/// # Examples
/// ```
/// use lockdep::banker::{BankerError, BankerState, Resource};
///
/// let tape = Resource::at(0);
/// let mut state = BankerState::new([("tape", 10)]);
/// let copy = state.claim("copy", &[(tape, 8)])?;
/// let sort = state.claim("sort", &[(tape, 7)])?;
/// state.request(copy, &[(tape, 6)])?;
/// // Four are left; with one of them gone neither task could be sure to get all it may need.
/// assert_eq!(state.request(sort, &[(tape, 3)]), Err(BankerError::Unsafe));
/// assert_eq!(state.available(tape), 4);
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BankerState {
    pools: Vec<Pool>,
    accounts: Vec<Option<Account>>,
    vacant: Vec<u32>,
    /// The needs of the tasks that hold something, kept up to date.
    demand: Demand,
}

impl BankerState {
    /// A book of `resources`, given as name and total, with no tasks. [`Resource::at`] names them
    /// by their place.
    pub fn new<N: Into<Arc<str>>>(resources: impl IntoIterator<Item = (N, u64)>) -> BankerState {
        let pools: Vec<Pool> = resources
            .into_iter()
            .map(|(name, total)| Pool { name: name.into(), total, available: total })
            .collect();
        let demand = Demand::new(pools.len());
        BankerState { pools, accounts: Vec::new(), vacant: Vec::new(), demand }
    }

    /// One resource more, in the place of one that no task claims and that is not among `taken`, if there
    /// is one.
    ///
    /// # Cost
    /// One step for each resource, and each that a task has claimed.
    pub(super) fn add_resource(
        &mut self,
        name: Arc<str>,
        total: u64,
        taken: &[Resource],
    ) -> Resource {
        let mut used = vec![false; self.pools.len()];
        let claimed = self.present().flat_map(|(_, account)| &account.lines);
        for index in
            claimed.map(|line| line.resource as usize).chain(taken.iter().map(|r| r.index()))
        {
            used[index] = true;
        }
        let pool = Pool { name, total, available: total };
        match used.iter().position(|used| !used) {
            Some(index) => {
                self.pools[index] = pool;
                Resource::at(index)
            }
            None => {
                self.pools.push(pool);
                self.demand.add_resource();
                Resource::at(self.pools.len() - 1)
            }
        }
    }

    /// Gives `task` so many units if they are free, whether or not it has claimed them and the
    /// state is then safe; the claim grows as far as it must. Whether they are free.
    pub(super) fn force(&mut self, task: TaskId, resource: Resource, units: u64) -> bool {
        if self.available(resource) < units {
            return false;
        }
        let most = self.held(task, resource) + units;
        if most > self.claimed(task, resource) {
            self.put_claim(task, resource, most);
        }
        self.take(task, &Units(vec![(resource.0, units)]));
        true
    }

    /// Whether the state is unsafe, and was safe before `task` took these units.
    ///
    /// # Cost
    /// That of [`BankerState::check`] where the task can finish.
    pub(super) fn became_unsafe(&mut self, task: TaskId, resource: Resource, units: u64) -> bool {
        let can_finish = |account| self.reaches(task, &self.need(account), self.free());
        if self.account(task).is_ok_and(can_finish) {
            return false;
        }
        let units = Units(vec![(resource.0, units)]);
        self.give_back(task, &units);
        let before = self.is_safe();
        self.take(task, &units);
        before
    }

    /// The resources, in the order they were given.
    pub fn resources(&self) -> impl Iterator<Item = Resource> + use<> {
        (0..self.pools.len()).map(Resource::at)
    }

    /// The tasks that have a claim, by number.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.present().map(|(task, _)| TaskId(task))
    }

    /// The resource's name.
    ///
    /// # Panics
    /// If this banker has no such resource.
    pub fn resource_name(&self, resource: Resource) -> &Arc<str> {
        &self.pools[resource.index()].name
    }

    /// The task's name, if it has a claim.
    pub fn task_name(&self, task: TaskId) -> Option<&Arc<str>> {
        Some(&self.account(task).ok()?.name)
    }

    /// All units of `resource`; 0 for one that this banker does not have.
    pub fn total(&self, resource: Resource) -> u64 {
        self.pools.get(resource.index()).map_or(0, |pool| pool.total)
    }

    /// The units of `resource` that no task holds.
    pub fn available(&self, resource: Resource) -> u64 {
        self.pools.get(resource.index()).map_or(0, |pool| pool.available)
    }

    /// The units of `resource` that `task` holds.
    pub fn held(&self, task: TaskId, resource: Resource) -> u64 {
        self.line(task, resource).map_or(0, |line| line.held)
    }

    /// The most units of `resource` that `task` may hold.
    pub fn claimed(&self, task: TaskId, resource: Resource) -> u64 {
        self.line(task, resource).map_or(0, |line| line.claim)
    }

    /// A new task that will never hold more than `maximum`. It holds nothing yet, so this never has
    /// to wait.
    ///
    /// # Errors
    /// `ExceedsTotal` for more than there is, `UnknownResource`.
    pub fn claim(
        &mut self,
        name: impl Into<Arc<str>>,
        maximum: &[(Resource, u64)],
    ) -> Result<TaskId, BankerError> {
        let maximum = self.units(maximum)?;
        let lines = maximum.iter().map(|(r, claim)| Line { resource: r.0, claim, held: 0 });
        let account = Account { name: name.into(), lines: lines.collect() };
        let task = match self.vacant.pop() {
            Some(task) => task,
            None => {
                self.accounts.push(None);
                u32::try_from(self.accounts.len() - 1).expect("fewer than 2^32 tasks at once")
            }
        };
        self.accounts[task as usize] = Some(account);
        Ok(TaskId(task))
    }

    /// Ends the task's claim; all it holds is free again.
    ///
    /// # Errors
    /// `UnknownTask`.
    pub fn leave(&mut self, task: TaskId) -> Result<(), BankerError> {
        let account = self.account(task)?;
        let held = Units(account.held().collect());
        self.give_back(task, &held);
        self.accounts[task.index()] = None;
        self.vacant.push(task.0);
        Ok(())
    }

    /// Changes the most units of `resource` that `task` may hold. Lowering is always safe; raising
    /// is treated like a request.
    ///
    /// # Errors
    /// `ExceedsTotal`; `ExceedsHeld` for less than the task holds; `Unsafe` if the tasks could not
    /// all be sure to finish; `UnknownTask`, `UnknownResource`. The state is then as it was.
    pub fn set_claim(
        &mut self,
        task: TaskId,
        resource: Resource,
        claim: u64,
    ) -> Result<(), BankerError> {
        let pool = self.pool(resource)?;
        let name = Arc::clone(&pool.name);
        if claim > pool.total {
            return Err(BankerError::ExceedsTotal {
                resource: name,
                asked: claim,
                total: pool.total,
            });
        }
        let account = self.account(task)?;
        let is_holder = account.is_holder();
        let line = account.line(resource).copied();
        let line = line.unwrap_or(Line { resource: resource.0, claim: 0, held: 0 });
        if claim < line.held {
            let asked = claim;
            return Err(BankerError::ExceedsHeld { resource: name, asked, held: line.held });
        }
        if claim > line.claim && is_holder {
            let mut need = self.need(account);
            need[resource.index()] = claim - line.held;
            if !self.reaches(task, &need, self.free()) {
                return Err(BankerError::Unsafe);
            }
        }
        self.put_claim(task, resource, claim);
        Ok(())
    }

    /// Changes the claim, which must not be less than what is held.
    fn put_claim(&mut self, task: TaskId, resource: Resource, claim: u64) {
        let account = self.entry(task);
        let is_holder = account.is_holder();
        let line = account.line_mut(resource);
        let (before, after) = (line.claim - line.held, claim - line.held);
        line.claim = claim;
        if is_holder {
            self.demand.change(task.0, resource.0, before, after);
        }
    }

    /// Whether `task` could be given `request` now; changes nothing. The state must be safe.
    ///
    /// # Errors
    /// `ExceedsClaim`, `Unavailable`, `Unsafe`, `UnknownTask`, `UnknownResource`.
    ///
    /// # Cost
    /// O(m) if the task could finish at once afterwards; otherwise one step for each resource that
    /// each holder still needs, up to the point where the task can finish.
    pub fn check(&self, task: TaskId, request: &[(Resource, u64)]) -> Result<(), BankerError> {
        self.check_units(task, &self.units(request)?)
    }

    /// Gives `task` the `request` if that leaves the state safe. The state must be safe before.
    ///
    /// # Errors
    /// As [`BankerState::check`]; the state is then as it was.
    pub fn request(
        &mut self,
        task: TaskId,
        request: &[(Resource, u64)],
    ) -> Result<(), BankerError> {
        let units = self.units(request)?;
        self.check_units(task, &units)?;
        self.take(task, &units);
        Ok(())
    }

    /// Gives `task` the `request` if it is free, whether or not the state is then safe.
    ///
    /// # Errors
    /// `ExceedsClaim`, `Unavailable`, `UnknownTask`, `UnknownResource`.
    pub fn allocate(
        &mut self,
        task: TaskId,
        request: &[(Resource, u64)],
    ) -> Result<(), BankerError> {
        let units = self.units(request)?;
        self.check_claim(task, &units, |_| 0)?;
        self.check_free(&units)?;
        self.take(task, &units);
        Ok(())
    }

    /// `task` gives `units` back.
    ///
    /// # Errors
    /// `ExceedsHeld`, `UnknownTask`, `UnknownResource`; the state is then as it was.
    pub fn release(&mut self, task: TaskId, units: &[(Resource, u64)]) -> Result<(), BankerError> {
        let units = self.units(units)?;
        self.account(task)?;
        for (resource, asked) in units.iter() {
            let held = self.held(task, resource);
            if asked > held {
                let resource = Arc::clone(self.resource_name(resource));
                return Err(BankerError::ExceedsHeld { resource, asked, held });
            }
        }
        self.give_back(task, &units);
        Ok(())
    }

    /// Whether all tasks can finish, even if each asks for its whole claim before it releases
    /// anything.
    ///
    /// # Cost
    /// O(m n): the sorting by need that O(m n log n) counts is kept up to date by every change.
    pub fn is_safe(&self) -> bool {
        let mut ready = Vec::new();
        let mut finished = 0;
        let mut reduction = Reduction::start(&self.demand, self.free(), None, &mut ready);
        while let Some(task) = ready.pop() {
            finished += 1;
            for (resource, units) in self.held_by(task) {
                reduction.put(resource, units, &mut ready);
            }
        }
        finished == self.present().filter(|(_, account)| account.is_holder()).count()
    }

    /// An order in which all tasks can finish, if there is one: the one of the textbooks, which
    /// goes round by number.
    ///
    /// # Cost
    /// O(m n log n).
    pub fn safe_sequence(&self) -> Option<Vec<TaskId>> {
        let order = self.finish_order(&self.claims());
        (order.len() == self.present().count()).then_some(order)
    }

    /// The tasks that could not finish if each asked for its whole claim; none in a safe state.
    ///
    /// # Cost
    /// O(m n log n).
    pub fn unfinished(&self) -> Vec<TaskId> {
        let order = self.finish_order(&self.claims());
        self.all_but(&order)
    }

    /// The tasks that wait for each other, given what each waits for now: detection, which needs no
    /// claims. A task that is not in `waiting`, or waits for nothing, is taken to give back what it
    /// holds in the end; several entries for one task count together.
    ///
    /// # Errors
    /// `UnknownTask`, `UnknownResource`.
    ///
    /// # Cost
    /// O(m n log n).
    pub fn deadlocked(
        &self,
        waiting: &[(TaskId, &[(Resource, u64)])],
    ) -> Result<Vec<TaskId>, BankerError> {
        let mut requests: Vec<Vec<(Resource, u64)>> = vec![Vec::new(); self.accounts.len()];
        for (task, request) in waiting {
            self.account(*task)?;
            requests[task.index()].extend_from_slice(request);
        }
        let requests: Vec<Units> =
            requests.iter().map(|request| self.summed(request)).collect::<Result<_, _>>()?;
        let wants = self.present().map(|(task, _)| {
            (task, requests[task as usize].iter().map(|(resource, units)| (resource.0, units)))
        });
        let demand = Demand::collect(self.pools.len(), wants);
        let order = self.finish_order(&demand);
        Ok(self.all_but(&order))
    }

    /// Sorts and sums `units`.
    ///
    /// # Errors
    /// `UnknownResource`; `ExceedsTotal` for more than there is.
    pub(super) fn units(&self, units: &[(Resource, u64)]) -> Result<Units, BankerError> {
        let units = self.summed(units)?;
        for (resource, asked) in units.iter() {
            let Pool { ref name, total, .. } = self.pools[resource.index()];
            if asked > total {
                let resource = Arc::clone(name);
                return Err(BankerError::ExceedsTotal { resource, asked, total });
            }
        }
        Ok(units)
    }

    /// Whether `units` are within the claim of `task`, of which `pending(resource)` is asked for
    /// already.
    pub(super) fn check_claim(
        &self,
        task: TaskId,
        units: &Units,
        pending: impl Fn(Resource) -> u64,
    ) -> Result<(), BankerError> {
        let account = self.account(task)?;
        for (resource, asked) in units.iter() {
            let need = account.line(resource).map_or(0, |line| line.claim - line.held);
            let left = need.saturating_sub(pending(resource));
            if asked > left {
                let resource = Arc::clone(self.resource_name(resource));
                return Err(BankerError::ExceedsClaim { resource, asked, left });
            }
        }
        Ok(())
    }

    /// Whether `units` are free.
    pub(super) fn check_free(&self, units: &Units) -> Result<(), BankerError> {
        let free = units.iter().all(|(r, asked)| asked <= self.available(r));
        if free { Ok(()) } else { Err(BankerError::Unavailable) }
    }

    /// Whether giving `units`, which are free and claimed, to `task` leaves a safe state safe.
    ///
    /// It does as soon as `task` itself can finish: it has then given back what it was given, and
    /// the others can finish as they could before.
    pub(super) fn check_safe(&self, task: TaskId, units: &Units) -> Result<(), BankerError> {
        let mut need = self.need(self.account(task)?);
        let mut free = self.free();
        for (resource, asked) in units.iter() {
            need[resource.index()] -= asked;
            free[resource.index()] -= asked;
        }
        if self.reaches(task, &need, free) { Ok(()) } else { Err(BankerError::Unsafe) }
    }

    /// Whether `task` holds anything.
    pub(super) fn is_holder(&self, task: TaskId) -> bool {
        self.account(task).is_ok_and(Account::is_holder)
    }

    /// The resources that what `task` does can depend on: its claim, and the claims of holders that
    /// share a resource with one of them, directly or through others.
    pub(super) fn component(&self, task: TaskId) -> Vec<bool> {
        let mut reached = vec![false; self.pools.len()];
        for line in self.account(task).iter().flat_map(|account| &account.lines) {
            reached[line.resource as usize] = true;
        }
        let mut rest: Vec<&Account> = self.present().map(|(_, account)| account).collect();
        rest.retain(|account| account.is_holder());
        loop {
            let apart = rest.len();
            rest.retain(|account| {
                let meets = account.lines.iter().any(|line| reached[line.resource as usize]);
                if meets {
                    for line in &account.lines {
                        reached[line.resource as usize] = true;
                    }
                }
                !meets
            });
            if rest.len() == apart {
                return reached;
            }
        }
    }

    /// Whether `task` has claimed any of `resources`.
    pub(super) fn claims_any(&self, task: TaskId, resources: &[bool]) -> bool {
        let account = self.account(task).ok();
        account.iter().flat_map(|a| &a.lines).any(|line| resources[line.resource as usize])
    }

    /// Takes `units`, which must be free and claimed.
    pub(super) fn take(&mut self, task: TaskId, units: &Units) {
        let account = self.accounts[task.index()].as_mut().expect("the caller has looked it up");
        if units.is_empty() {
            return;
        }
        let was_holder = account.is_holder();
        for (resource, asked) in units.iter() {
            self.pools[resource.index()].available -= asked;
            let line = account.line_mut(resource);
            let need = line.need().1;
            line.held += asked;
            if was_holder {
                self.demand.change(task.0, resource.0, need, need - asked);
            }
        }
        if !was_holder {
            self.demand.enter(task.0, account.needs());
        }
    }

    /// Gives back `units`, which `task` must hold.
    pub(super) fn give_back(&mut self, task: TaskId, units: &Units) {
        let account = self.accounts[task.index()].as_mut().expect("the caller has looked it up");
        if units.is_empty() {
            return;
        }
        let all = account.held().eq(units.iter().map(|(resource, units)| (resource.0, units)));
        if all {
            self.demand.leave(task.0, account.needs());
        }
        for (resource, units) in units.iter() {
            self.pools[resource.index()].available += units;
            let line = account.line_mut(resource);
            let need = line.need().1;
            line.held -= units;
            if !all {
                self.demand.change(task.0, resource.0, need, need + units);
            }
        }
    }

    fn check_units(&self, task: TaskId, units: &Units) -> Result<(), BankerError> {
        self.check_claim(task, units, |_| 0)?;
        self.check_free(units)?;
        self.check_safe(task, units)
    }

    /// Whether `task`, needing `need`, can finish from `free` units on after some of the others.
    fn reaches(&self, task: TaskId, need: &[u64], free: Vec<u64>) -> bool {
        let mut missing = need.iter().zip(&free).filter(|(need, free)| need > free).count();
        if missing == 0 {
            return true;
        }
        let mut ready = Vec::new();
        let mut reduction = Reduction::start(&self.demand, free, Some(task.0), &mut ready);
        while let Some(other) = ready.pop() {
            for (resource, units) in self.held_by(other) {
                let (old, new) = reduction.put(resource, units, &mut ready);
                let need = need[resource as usize];
                if old < need && need <= new {
                    missing -= 1;
                    if missing == 0 {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// The demand of all tasks, holders or not, for the rest of their claims.
    fn claims(&self) -> Demand {
        let wants = self.present().map(|(task, account)| (task, account.needs()));
        Demand::collect(self.pools.len(), wants)
    }

    /// Who can finish, in the textbook's order, if each task asks for what `demand` says.
    fn finish_order(&self, demand: &Demand) -> Vec<TaskId> {
        let mut ready = RoundRobin::default();
        let mut order = Vec::new();
        let mut reduction = Reduction::start(demand, self.free(), None, &mut ready);
        while let Some(task) = ready.pop() {
            order.push(TaskId(task));
            for (resource, units) in self.held_by(task) {
                reduction.put(resource, units, &mut ready);
            }
        }
        order
    }

    fn all_but(&self, order: &[TaskId]) -> Vec<TaskId> {
        let mut finished = vec![false; self.accounts.len()];
        for task in order {
            finished[task.index()] = true;
        }
        self.tasks().filter(|task| !finished[task.index()]).collect()
    }

    fn summed(&self, units: &[(Resource, u64)]) -> Result<Units, BankerError> {
        let mut sorted: Vec<(u32, u64)> = Vec::with_capacity(units.len());
        for &(resource, units) in units {
            self.pool(resource)?;
            match sorted.binary_search_by_key(&resource.0, |entry| entry.0) {
                Ok(index) => sorted[index].1 = sorted[index].1.saturating_add(units),
                Err(index) if units > 0 => sorted.insert(index, (resource.0, units)),
                Err(_) => {}
            }
        }
        Ok(Units(sorted))
    }

    fn free(&self) -> Vec<u64> {
        self.pools.iter().map(|pool| pool.available).collect()
    }

    fn need(&self, account: &Account) -> Vec<u64> {
        let mut need = vec![0; self.pools.len()];
        for (resource, units) in account.needs() {
            need[resource as usize] = units;
        }
        need
    }

    fn present(&self) -> impl Iterator<Item = (u32, &Account)> {
        let accounts = self.accounts.iter().enumerate();
        accounts.filter_map(|(task, account)| Some((task as u32, account.as_ref()?)))
    }

    fn held_by(&self, task: u32) -> impl Iterator<Item = (u32, u64)> {
        self.accounts[task as usize].iter().flat_map(Account::held)
    }

    fn line(&self, task: TaskId, resource: Resource) -> Option<&Line> {
        self.account(task).ok()?.line(resource)
    }

    fn pool(&self, resource: Resource) -> Result<&Pool, BankerError> {
        self.pools.get(resource.index()).ok_or(BankerError::UnknownResource(resource))
    }

    fn account(&self, task: TaskId) -> Result<&Account, BankerError> {
        let account = self.accounts.get(task.index()).and_then(Option::as_ref);
        account.ok_or(BankerError::UnknownTask(task))
    }

    fn entry(&mut self, task: TaskId) -> &mut Account {
        self.accounts[task.index()].as_mut().expect("the caller has looked it up")
    }
}
