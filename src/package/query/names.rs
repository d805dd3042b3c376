//! Names of what headers hold as numbers.

/// The types of a dependency, in the order that rpm names them in, with their bits (`RPMSENSE_*`).
const DEPENDENCY_TYPES: &[(u64, &str)] = &[
    (1 << 9, "pre"),
    (1 << 10, "post"),
    (1 << 11, "preun"),
    (1 << 12, "postun"),
    (1 << 13, "verify"),
    (1 << 8, "interp"),
    (1 << 24, "rpmlib"),
    ((1 << 14) | (1 << 15), "auto"),
    (1 << 7, "pretrans"),
    (1 << 5, "posttrans"),
    (1 << 20, "preuntrans"),
    (1 << 21, "postuntrans"),
    (1 << 28, "config"),
    (1 << 29, "meta"),
];

/// `pre,interp`; `manual` where no type is set.
pub(super) fn dependency_types(flags: u64) -> String {
    let named = DEPENDENCY_TYPES.iter().filter(|(bits, _)| flags & bits != 0).map(|(_, name)| *name);
    let named: Vec<&str> = named.collect();
    if named.is_empty() { "manual".to_owned() } else { named.join(",") }
}

/// `>=`
pub(super) fn comparison(flags: u64) -> String {
    [(2, '<'), (4, '>'), (8, '=')].iter().filter(|(bit, _)| flags & bit != 0).map(|(_, sign)| *sign).collect()
}

/// `prein`, `in`, `un`, `postun`: when a trigger acts.
pub(super) fn trigger_type(flags: u64) -> &'static str {
    match flags {
        flags if flags & (1 << 25) != 0 => "prein",
        flags if flags & (1 << 16) != 0 => "in",
        flags if flags & (1 << 17) != 0 => "un",
        flags if flags & (1 << 18) != 0 => "postun",
        _ => "",
    }
}

/// The letters of a file's flags.
pub(super) fn file_flags(flags: u64) -> String {
    let letters = [
        (1 << 1, 'd'),
        (1, 'c'),
        (1 << 9, 's'),
        (1 << 3, 'm'),
        (1 << 4, 'n'),
        (1 << 6, 'g'),
        (1 << 7, 'l'),
        (1 << 8, 'r'),
        (1 << 12, 'a'),
    ];
    letters.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter).collect()
}

/// The letters of what is verified of a file; where `pad` is given it stands for what is not.
pub(super) fn verify_flags(flags: u64, pad: Option<char>) -> String {
    let letters = [
        (1 << 1, 'S'),
        (1 << 6, 'M'),
        (1, '5'),
        (1 << 7, 'D'),
        (1 << 2, 'L'),
        (1 << 3, 'U'),
        (1 << 4, 'G'),
        (1 << 5, 'T'),
        (1 << 8, 'P'),
    ];
    let unreadable = [(1 << 28, 'L'), (1 << 29, 'D'), (1 << 30, '5')];
    letters
        .iter()
        .filter_map(|(bit, letter)| {
            let could_not = unreadable.iter().any(|(bit, of)| of == letter && flags & bit != 0);
            match (flags & bit != 0, could_not) {
                (true, _) => Some(*letter),
                (false, true) => Some('?'),
                (false, false) => pad,
            }
        })
        .collect()
}

/// The state of an installed file.
pub(super) fn file_state(state: u64) -> &'static str {
    match state {
        0 => "normal",
        1 => "replaced",
        2 => "not installed",
        3 => "net shared",
        4 => "wrong color",
        0xffff_ffff | 255 => "missing",
        _ => "(unknown)",
    }
}

/// The name of an algorithm of OpenPGP, as rpm writes it.
pub(super) fn hash_algorithm(number: u64) -> &'static str {
    match number {
        1 => "MD5",
        2 => "SHA1",
        3 => "RIPEMD160",
        8 => "SHA256",
        9 => "SHA384",
        10 => "SHA512",
        11 => "SHA224",
        12 => "SHA3-256",
        14 => "SHA3-512",
        _ => "Unknown",
    }
}

/// A file's mode as ls(1) shows it.
pub(super) fn permissions(mode: u64) -> String {
    let kind = match mode & 0o170_000 {
        0o100_000 => '-',
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o020_000 => 'c',
        0o060_000 => 'b',
        _ => '?',
    };
    let bit = |shift: u64, letter: char| if mode & (1 << shift) != 0 { letter } else { '-' };
    let execute = |shift: u64, special: u64, both: char, alone: char| match (
        mode & (1 << shift) != 0,
        mode & special != 0,
    ) {
        (true, true) => both,
        (false, true) => alone,
        (true, false) => 'x',
        (false, false) => '-',
    };
    [
        kind,
        bit(8, 'r'),
        bit(7, 'w'),
        execute(6, 0o4000, 's', 'S'),
        bit(5, 'r'),
        bit(4, 'w'),
        execute(3, 0o2000, 's', 'S'),
        bit(2, 'r'),
        bit(1, 'w'),
        execute(0, 0o1000, 't', 'T'),
    ]
    .iter()
    .collect()
}

/// `1.7G`: at most three digits, one after the point below ten.
pub(super) fn human(number: u64, step: u64) -> String {
    if number < step {
        return if (1..10).contains(&number) { format!("{number}.0") } else { number.to_string() };
    }
    let units = ["K", "M", "G", "T", "P", "E", "Z", "Y"];
    // What is shown has three digits: what a float loses is far behind them.
    #[allow(clippy::cast_precision_loss)]
    let (mut value, step) = (number as f64, step as f64);
    let mut unit = 0;
    value /= step;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    if value < 9.995 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}
