//! Scripts of the build, which a spec may write in pieces (`%build -a`).

use super::super::place::Place;

/// Where a piece of a script of the build goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PiecePlace {
    #[default]
    /// It is the script.
    Main,
    /// `-p`
    Before,
    /// `-a`
    After,
}

/// A script of the build in pieces.
#[derive(Debug, Default)]
pub(super) struct ScriptPieces {
    pub main: Option<Vec<u8>>,
    pub before: Vec<Vec<u8>>,
    pub after: Vec<Vec<u8>>,
    pub place: Option<Place>,
    /// Where the piece that is read goes.
    pub current: PiecePlace,
}
