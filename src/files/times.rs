//! When files were changed, as they are told.

use rustix::fs::{Timespec, Timestamps, UTIME_OMIT};

/// The times of something that was changed so many seconds after 1970; when it was read last stays as it is.
pub fn change_times(modified: u64) -> Timestamps {
    let seconds = i64::try_from(modified).unwrap_or(i64::MAX);
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: 0 },
    }
}
