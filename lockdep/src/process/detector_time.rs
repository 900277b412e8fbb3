//! How long a thread was in the observer's steps: its own time, which is none that the program holds a lock
//! or waits. Taken only while times are.

use crate::platform::clock;
use crate::thread_state::demand;
use crate::thread_state::record::OwnRecord;

/// The thread of this record is in such a step until this is dropped.
pub(super) struct InDetector(Option<(OwnRecord, u64)>);

impl InDetector {
    pub(super) fn begin(record: Option<OwnRecord>) -> InDetector {
        InDetector(record.filter(|_| demand::is_asked()).map(|record| (record, clock::now())))
    }
}

impl Drop for InDetector {
    fn drop(&mut self) {
        if let Some((record, begin)) = self.0 {
            record.was_in_detector(clock::now().saturating_sub(begin));
        }
    }
}
