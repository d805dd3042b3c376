//! What a manifest chooses among words, and what the words are.

/// Who builds a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// forge's own engine.
    Native,
    /// The root's `rpmbuild`.
    Rpmbuild,
}

/// How a build is kept apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In namespaces of its own.
    Namespaces,
    /// Not at all: the specs are trusted.
    None,
}

/// Whether builds may reach the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// They may.
    Allowed,
    /// They may not.
    #[default]
    Denied,
}

/// What waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// As soon as it can be.
    Normal,
    /// When no normal build could run.
    Background,
}

/// What a failure does to builds that do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing.
    Continue,
    /// No further build is begun.
    Stop,
}

/// What a batch waits for of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// In each chroot for what is built there.
    Nothing,
    /// In every chroot for all of it.
    Chroots,
}

/// How the first packages get into an empty root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// As it fits the root.
    Auto,
    /// Unpacked by forge.
    Native,
}

/// What becomes of updates that would leave published packages without what they need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBroken {
    /// They wait, and what goes with them.
    #[default]
    Hold,
    /// They are published, and it is said.
    Warn,
    /// They are published.
    Allow,
}

/// Where packages lie in a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepositoryLayout {
    /// The packages of each build in a folder of their own.
    #[default]
    Builds,
    /// All in `Packages/x/`, by the first letters of their names.
    Plain,
}

/// How the metadata of repositories are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetadataPacking {
    /// With zstd (RFC 8878), which every client since dnf of EL 8 reads.
    #[default]
    Zstd,
    /// With gzip (RFC 1952), which older ones read as well.
    Gzip,
}

/// A choice among words, as `rules` lists them.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every word and what it means.
    const WORDS: &'static [(&'static str, Self)];

    /// The choice that `word` stands for.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice)
    }

    /// The word that stands for it.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }
}

impl Choice for EngineChoice {
    const WORDS: &'static [(&'static str, Self)] = &[("native", Self::Native), ("rpmbuild", Self::Rpmbuild)];
}

impl Choice for Isolation {
    const WORDS: &'static [(&'static str, Self)] = &[("namespaces", Self::Namespaces), ("none", Self::None)];
}

impl Choice for Priority {
    const WORDS: &'static [(&'static str, Self)] =
        &[("normal", Self::Normal), ("background", Self::Background)];
}

impl Choice for OnFailure {
    const WORDS: &'static [(&'static str, Self)] = &[("continue", Self::Continue), ("stop", Self::Stop)];
}

impl Choice for Bootstrap {
    const WORDS: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("native", Self::Native)];
}

impl Choice for RepositoryLayout {
    const WORDS: &'static [(&'static str, Self)] = &[("builds", Self::Builds), ("plain", Self::Plain)];
}

impl Choice for MetadataPacking {
    const WORDS: &'static [(&'static str, Self)] = &[("zstd", Self::Zstd), ("gz", Self::Gzip)];
}

impl Choice for OnBroken {
    const WORDS: &'static [(&'static str, Self)] =
        &[("hold", Self::Hold), ("warn", Self::Warn), ("allow", Self::Allow)];
}
