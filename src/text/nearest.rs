//! "Did you mean": the name that a reader most likely wanted to write.

use strsim::{damerau_levenshtein, jaro_winkler};

/// Names that differ more than this are no help.
const ALIKE: f64 = 0.80;

/// The name among `known` that is most like `written`, if one is like it at all.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (likeness(&lower, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

fn likeness(lower: &str, name: &str) -> f64 {
    let typed_over = name.len() > 2 && damerau_levenshtein(lower, &name.to_lowercase()) <= 1;
    let alike = jaro_winkler(lower, &name.to_lowercase());
    if typed_over { alike.max(0.99) } else { alike }
}

/// The help line of an unknown name: the nearest one where there is one, and what is known of `kind`.
pub fn suggestion<'a>(written: &str, kind: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let meant = nearest(written, known.iter().copied()).map(|name| format!("did you mean `{name}`? "));
    let list = match known.len() {
        0 => format!("{kind}: none"),
        1..=12 => format!("{kind}: {}", known.join(", ")),
        more => format!("{kind}: {}, … ({more} in all)", known[..12].join(", ")),
    };
    format!("{}{list}", meant.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_pair_of_letters_is_seen_through() {
        assert_eq!(nearest("fedroa-42", ["debian-12", "fedora-42"]), Some("fedora-42"));
    }

    #[test]
    fn a_word_unlike_all_others_suggests_nothing() {
        assert_eq!(nearest("zebra", ["timeout", "network"]), None);
    }

    #[test]
    fn where_nothing_is_known_that_is_said() {
        assert_eq!(suggestion("q", "batches", []), "batches: none");
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let names: Vec<String> = (0..20).map(|i| format!("p{i:02}")).collect();
        let help = suggestion("q", "packages", names.iter().map(String::as_str));
        assert!(help.ends_with("(20 in all)"), "{help}");
    }
}
