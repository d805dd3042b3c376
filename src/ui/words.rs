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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_the_precision_that_matters() {
        let texts = [400, 12_000, 185_000, 7_800_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(texts, ["0.4s", "12s", "3m 05s", "2h 10m"]);
    }
}
