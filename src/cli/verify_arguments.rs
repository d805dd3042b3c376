//! Arguments of `forge verify`.

use clap::Args;

use crate::engine::Varied;

/// `forge verify`
#[derive(Args, Debug, Default)]
#[command(
    after_help = "What it makes are builds of their own, whose results `forge results '#NUMBER'` names; nothing is published, and Rpmforge.lock stays as it is. \
                  It exits with 0 where all packages are the same, bit for bit, and with 1 where one is not or a build failed."
)]
pub struct Verify {
    /// Packages of the manifest by name or pattern, whose newest good builds are made again, or builds by number ('#12'); all packages,
    /// if none is given
    #[arg(value_name = "PACKAGE|#NUMBER")]
    pub packages: Vec<String>,
    /// Verify builds in this chroot, or in those that match a pattern; if not given, in all
    #[arg(long, value_name = "CHROOT")]
    pub chroot: Vec<String>,
    /// Verify builds of this batch, or of those that match a pattern
    #[arg(long, value_name = "BATCH")]
    pub batch: Vec<String>,
    /// What is another than it was: time, hostname, folder, umask, locale, file-order, cpu-count, user; all of it, if not given, and
    /// nothing with `none`
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', value_parser = varied)]
    pub vary: Vec<Vary>,
    /// Build nothing, and compare what was built with packages that somebody ships: files or addresses. Signatures, and what tells when,
    /// where and by what a package was built, don't count
    #[arg(long, value_name = "FILE|URL", conflicts_with = "vary")]
    pub against: Vec<String>,
    /// Fetch nothing: what is not in the store is an error
    #[arg(long)]
    pub offline: bool,
    /// Apply a profile of the manifest, as far as it says something of the root
    #[arg(long, value_name = "NAME")]
    pub profile: Vec<String>,
    /// Print what was found as JSON (`forge schema --form verify` prints its schema)
    #[arg(long)]
    pub json: bool,
}

/// A word of `--vary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vary {
    /// That.
    This(Varied),
    /// All that can be.
    All,
    /// Nothing.
    Nothing,
}

fn varied(word: &str) -> Result<Vary, String> {
    match (word, Varied::named(word)) {
        ("all", _) => Ok(Vary::All),
        ("none", _) => Ok(Vary::Nothing),
        (_, Some(varied)) => Ok(Vary::This(varied)),
        (_, None) => {
            let names: Vec<&str> = Varied::ALL.iter().map(|varied| varied.name()).collect();
            Err(format!("it is one of {}, all, none", names.join(", ")))
        }
    }
}

impl Verify {
    /// What is to be varied.
    pub fn varied(&self) -> impl Iterator<Item = Varied> {
        let is_all = self.vary.is_empty() || self.vary.contains(&Vary::All);
        let is_meant = move |varied: &Varied| is_all || self.vary.contains(&Vary::This(*varied));
        Varied::ALL.into_iter().filter(is_meant)
    }
}
