//! What query formats need to know besides the header.

/// What formats need to know besides the header.
pub struct Surroundings<'s> {
    /// Expands macros, for `:expand`; nothing where that fails.
    pub expand: &'s dyn Fn(&[u8]) -> Option<Vec<u8>>,
    /// The languages that texts are wanted in, the best first: `de_DE`, `de`.
    pub languages: &'s [String],
    /// Whether every detail is wanted: `%|VERBOSE?{…}|`.
    pub is_verbose: bool,
}
