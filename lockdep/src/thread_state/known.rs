//! The situations that a thread has been in before, each as one number: a context hash, or another digest
//! of what was observed.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::Cell;

/// Slots of the first table, as a power of two.
const FIRST_TABLE: u32 = 8;

/// Known contexts that stand together, in two adjacent cache lines: rarely more of them meet there than
/// find room.
const LINE: usize = 16;

/// The table never grows beyond this power of two; older contexts then make room.
const LAST_TABLE: u32 = 18;

/// The contexts that a thread knows, none of which is zero, in a table that grows with them up to a
/// limit. Its owner alone uses it.
#[derive(Debug)]
pub(crate) struct Known {
    table: Cell<*mut u64>,
    /// What leaves the slot of a context.
    shift: Cell<u32>,
    /// Chains in the table.
    contexts: Cell<u32>,
    /// Chains that were put into it.
    inserted: Cell<u32>,
}

impl Known {
    pub(super) fn new() -> Known {
        Known {
            table: Cell::new(new_table(FIRST_TABLE)),
            shift: Cell::new(64 - FIRST_TABLE),
            contexts: Cell::new(0),
            inserted: Cell::new(0),
        }
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        let bits = 64 - self.shift.get();
        if bits == FIRST_TABLE {
            // SAFETY: the table has 2^bits slots, and its owner alone uses it.
            unsafe { self.table.get().write_bytes(0, 1 << bits) };
        } else {
            free_table(self.table.get(), bits);
            self.table.set(new_table(FIRST_TABLE));
            self.shift.set(64 - FIRST_TABLE);
        }
        self.contexts.set(0);
    }

    /// Whether this context was seen before.
    #[inline(always)]
    pub(crate) fn has(&self, context: u64) -> bool {
        let at = (context >> self.shift.get()) as usize;
        let known = self.table.get();
        // SAFETY: the table has 2^(64 - shift) slots, an even number, so both are among them.
        let (first, second) = unsafe { (*known.add(at), *known.add(at ^ 1)) };
        // One branch for both, as which of them it is cannot be foreseen.
        (first == context) | (second == context) || self.has_elsewhere(context, at)
    }

    /// A context stands in the slot that its first bits name, in the one beside it, or in another one
    /// of the same line, from which it comes to the front.
    #[inline(never)]
    fn has_elsewhere(&self, context: u64, at: usize) -> bool {
        let Some(slot) = self.line(at).iter().position(|&known| known == context) else {
            return false;
        };
        let first = at % LINE;
        // SAFETY: all three are within the line of `at`, of which no reference is alive.
        unsafe {
            let line = self.table.get().add(at - first);
            *line.add(slot) = *line.add(first ^ 1);
            *line.add(first ^ 1) = *line.add(first);
            *line.add(first) = context;
        }
        true
    }

    fn line(&self, at: usize) -> &[u64; LINE] {
        // SAFETY: the table is a whole number of lines, and the owner alone uses it.
        unsafe { &*self.table.get().add(at & !(LINE - 1)).cast() }
    }

    /// Remembers a context.
    pub(crate) fn add(&self, context: u64) {
        let bits = 64 - self.shift.get();
        // Of a table that is half full, nearly all contexts stand in one of their first two slots.
        if self.contexts.get() >= 1 << (bits - 1) && bits < LAST_TABLE {
            self.grow(bits);
        }
        self.insert(context);
    }

    /// Puts a context into the table. In a full line it takes its first slot, and what was there one
    /// slot after the other, so that contexts that never occur again do not stay for ever.
    fn insert(&self, context: u64) {
        let at = (context >> self.shift.get()) as usize;
        let line = self.line(at);
        let first = at % LINE;
        let free = (0..LINE).map(|i| first ^ i).find(|&slot| line[slot] == 0);
        let inserted = self.inserted.get();
        self.inserted.set(inserted.wrapping_add(1));
        self.contexts.set(self.contexts.get() + u32::from(free.is_some()));
        // SAFETY: all of these are within the line of `at`, which is not borrowed any more.
        unsafe {
            let line = self.table.get().add(at - first);
            if free.is_none() {
                *line.add(inserted as usize % LINE) = *line.add(first);
            }
            *line.add(free.unwrap_or(first)) = context;
        }
    }

    fn grow(&self, bits: u32) {
        let old = self.table.get();
        self.table.set(new_table(bits + 1));
        self.shift.set(64 - (bits + 1));
        self.contexts.set(0);
        for at in 0..1 << bits {
            // SAFETY: `old` has 2^bits slots.
            let context = unsafe { *old.add(at) };
            if context != 0 {
                self.insert(context);
            }
        }
        free_table(old, bits);
    }
}

fn table_layout(bits: u32) -> Layout {
    Layout::new::<[u64; LINE]>()
        .align_to(128)
        .and_then(|line| Layout::array::<u8>(line.size() << (bits - LINE.ilog2()))?.align_to(128))
        .unwrap_or(Layout::new::<[u64; LINE]>())
}

fn new_table(bits: u32) -> *mut u64 {
    let layout = table_layout(bits);
    // SAFETY: the layout is not empty.
    let table = unsafe { alloc_zeroed(layout) };
    if table.is_null() {
        handle_alloc_error(layout);
    }
    table.cast()
}

fn free_table(table: *mut u64, bits: u32) {
    // SAFETY: every table comes from `new_table` with its own `bits`, and its owner just let go of it.
    unsafe { dealloc(table.cast(), table_layout(bits)) };
}
