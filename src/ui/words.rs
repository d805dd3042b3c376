//! Durations and sizes as people read them.

use std::time::Duration;

/// A duration to the precision that matters: `0.4s`, `12s`, `3m 05s`, `2h 10m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long ago something was: `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
pub fn age(since: Duration) -> String {
    let minutes = since.as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// A size in bytes with the unit that fits, counted in 1024.
pub fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// `1 package`, `2 packages`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The first characters of a commit's name, which tell it from others; all of anything else.
pub fn short_commit(value: &str) -> &str {
    let is_commit = value.len() >= 40 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { value.get(..12).unwrap_or(value) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_as_people_tell_them() {
        let texts = [30, 300, 7200, 172_800].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(texts, ["just now", "5 min ago", "2 h ago", "2 days ago"]);
    }

    #[test]
    fn durations_keep_the_precision_that_matters() {
        let texts = [400, 12_000, 185_000, 7_800_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(texts, ["0.4s", "12s", "3m 05s", "2h 10m"]);
    }
}
