//! Repositories of the narrower architectures that a machine runs beside its own (multilib): clients of the one are told of the
//! other, as Copr does for its projects.

/// How much less clients like the other repository than the one of their own architecture (`cost` in dnf.conf(5), 1000 where nothing
/// is said): what is in both, `noarch`, comes from their own.
const COST: u32 = 1100;

/// The repository beside.
pub(super) struct MultilibRepository {
    /// Its architecture.
    pub arch: &'static str,
    /// Where clients find it.
    pub url: String,
}

impl MultilibRepository {
    /// Its section in a `.repo` file, without what is checked of it. Clients can do without it: as long as nothing was built for its
    /// chroot there is none, and they would refuse to do anything for it.
    pub fn repo_section(&self, id: &str, title: &str) -> String {
        let Self { arch, url } = self;
        format!(
            "[{id}-{arch}]\nname={title}: {arch}\nbaseurl={url}\nenabled=1\ncost={COST}\nskip_if_unavailable=1\n"
        )
    }
}
