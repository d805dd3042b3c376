//! Several requests at once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::PlaceError;

/// How many requests run at once. Each may hold a part of a file in memory.
const AT_ONCE: usize = 4;

/// Does something with each, several at once; what has begun is ended where one fails.
pub(super) fn for_each_at_once<T: Sync>(
    all: &[T],
    act: impl Fn(&T) -> Result<(), PlaceError> + Sync,
) -> Result<(), PlaceError> {
    let open: Mutex<VecDeque<&T>> = Mutex::new(all.iter().collect());
    let failed: Mutex<Option<PlaceError>> = Mutex::new(None);
    let work = || {
        loop {
            let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(next) = next else { return };
            if let Err(error) = act(next) {
                open.lock().unwrap_or_else(PoisonError::into_inner).clear();
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}
