//! How long engines wait for what only tells something, and how much of it they take.

use std::time::Duration;

/// How long rpm's programs may take to answer a question.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(60);

/// How long one worker may read specs.
pub(super) const READING_TIME: Duration = Duration::from_secs(60 * 60);

/// How much of what `rpmspec` writes is read, in bytes: no spec is worth more.
pub(super) const MOST_OUTPUT: usize = 64 << 20;

/// How long a program may run that a spec starts while it is read.
pub(super) const COMMAND_TIME: Duration = Duration::from_secs(60);

/// The largest spec that is taken out of an archive, in bytes.
pub(super) const LARGEST_SPEC: u64 = 16 << 20;

/// How many alternatives the braces of a pattern in `%files` may come to.
pub(super) const MOST_ALTERNATIVES: usize = 100_000;
