//! Other places for files: `mirror "https://old/" to="https://new/"`.

use crate::fetch::Address;
use crate::manifest::declaration::MirrorDecl;

/// Where files lie that are named by other addresses.
#[derive(Clone, Debug, Default)]
pub struct Mirrors(Vec<(String, String)>);

impl Mirrors {
    /// Those of a manifest.
    pub fn new(declared: &[MirrorDecl]) -> Self {
        let pair = |mirror: &MirrorDecl| (mirror.from.value.clone(), mirror.to.value.clone());
        Self(declared.iter().map(pair).collect())
    }

    /// Where a file is looked for, the first place first: at mirrors of the beginning of its address, and at the address itself.
    pub(super) fn places(&self, address: &Address) -> Vec<Address> {
        // What a login stands in begins otherwise, and is nobody else's to have.
        let text = address.to_string();
        let mirrored = self.0.iter().filter_map(|(from, to)| Some(to.clone() + text.strip_prefix(from)?));
        let parsed = mirrored.filter_map(|text| Address::parse(&text).ok());
        let mut places: Vec<Address> = parsed.filter(|place| place != address).collect();
        places.push(address.clone());
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_for_at_mirrors_first() {
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let mirrors = Mirrors(vec![
            pair("https://old.example/", "https://new.example/old/"),
            pair("https://old.example/a/", "https://a.example/"),
        ]);
        let places = |address: &str| {
            let places = mirrors.places(&Address::parse(address).unwrap());
            places.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            places("https://old.example/a/x.tar?y=1"),
            [
                "https://new.example/old/a/x.tar?y=1",
                "https://a.example/x.tar?y=1",
                "https://old.example/a/x.tar?y=1"
            ]
        );
        assert_eq!(places("https://other.example/x"), ["https://other.example/x"]);
    }
}
