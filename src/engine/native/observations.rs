//! What a reading learned of the world, as far as it is looked at again later.

use crate::engine::FactsRequest;
use crate::engine::environment::no_home;
use crate::macros::{CONFIGURATION_FOLDERS, Observation, Placeholders};

/// What stands in observations for the folder of the sources: a checkout elsewhere learns the same.
pub const SOURCES_FOLDER: &str = "%{_sourcedir}";

/// The placeholders of a request: for the folder of the sources, and for secrets.
pub(in crate::engine) fn placeholders(request: &FactsRequest) -> Placeholders {
    let sources = (request.sources.to_string().into_bytes(), SOURCES_FOLDER.into());
    let secrets = request.settings.secrets().enumerate();
    let secrets =
        secrets.map(|(number, (_, secret))| (secret.reveal().into(), format!("(secret {number})").into()));
    Placeholders::new(std::iter::once(sources).chain(secrets)).with_salt(request.settings.salt())
}

/// Removes what a root's identity holds already, the files of its configuration, from what loading macro files learned. What
/// is left are files of a folder that `RPM_CONFIGDIR` or a home of the manifest's own names, and commands that were run.
pub(super) fn remove_configuration(observations: Vec<Observation>) -> Vec<Observation> {
    let home = no_home().to_string();
    let folders = CONFIGURATION_FOLDERS.iter().copied().chain([home.as_str()]);
    let folders: Vec<&str> = folders.collect();
    let is_known = |path: &[u8]| {
        let below = |folder: &&str| path.strip_prefix(folder.as_bytes()).is_some_and(is_rest_of_path);
        !climbs(path) && folders.iter().any(below)
    };
    let mut observations = observations;
    observations.retain(|observation| match observation {
        Observation::File(path, _)
        | Observation::Start(path, _, _)
        | Observation::Exists(path, _)
        | Observation::Folder(path, _)
        | Observation::Status(path, _, _)
        | Observation::Link(path, _)
        | Observation::Glob(path, _) => !is_known(path),
        Observation::Variable(..)
        | Observation::Command(..)
        | Observation::Architecture(_)
        | Observation::Machine(_)
        | Observation::Run => true,
    });
    observations
}

/// Folders in which a root has what its packages brought, and nothing else; no part of the machine is seen there.
const FOLDERS_OF_PACKAGES: [&str; 6] = ["/usr", "/etc/rpm", "/bin", "/sbin", "/lib", "/lib64"];

/// When what was learned in a root of packages can be different the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasting {
    /// Never, as long as the packages are the same.
    AsPackages,
    /// Where it is different outside of the root as well: files beside the spec.
    AsOutside,
    /// That is only known in the root.
    Unknown,
}

/// How long something holds that was learned in a root of packages.
pub(super) fn lasting(seen: &Observation) -> Lasting {
    match seen {
        Observation::File(path, _)
        | Observation::Start(path, _, _)
        | Observation::Exists(path, _)
        | Observation::Folder(path, _)
        | Observation::Status(path, _, _)
        | Observation::Link(path, _)
        | Observation::Glob(path, _) => {
            let below = |folder: &&str| path.strip_prefix(folder.as_bytes()).is_some_and(is_rest_of_path);
            match path {
                _ if climbs(path) => Lasting::Unknown,
                _ if FOLDERS_OF_PACKAGES.iter().any(below) => Lasting::AsPackages,
                _ if below(&SOURCES_FOLDER) => Lasting::AsOutside,
                _ => Lasting::Unknown,
            }
        }
        Observation::Variable(..) | Observation::Architecture(_) | Observation::Machine(_) => {
            Lasting::AsOutside
        }
        Observation::Command(..) | Observation::Run => Lasting::Unknown,
    }
}

/// Whether a path leads up somewhere: then it leads elsewhere than it begins.
fn climbs(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|part| part == b"..")
}

fn is_rest_of_path(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with(b"/")
}

/// Removes variables: a spec is read in the environment that its settings make, which every key holds. Not to write
/// them down again keeps what is known of secrets in one place.
pub(super) fn remove_variables(mut observations: Vec<Observation>) -> Vec<Observation> {
    observations.retain(|observation| !matches!(observation, Observation::Variable(..)));
    observations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_roots_identity_is_left_out() {
        let file = |path: &str| Observation::File(path.into(), None);
        let learned = [
            "/usr/lib/rpm/macros",
            "/etc/rpmrc",
            "/nonexistent/.rpmmacros",
            "/etc/rpmother",
            "/usr/lib/rpm/../../../x",
            "/home/me/.rpmmacros",
        ];
        let left = remove_configuration(learned.map(file).to_vec());
        assert_eq!(left, ["/etc/rpmother", "/usr/lib/rpm/../../../x", "/home/me/.rpmmacros"].map(file));
    }

    #[test]
    fn only_what_packages_brought_lasts_as_they_do() {
        let of = |path: &str| lasting(&Observation::Exists(path.into(), true));
        for path in ["/usr/bin/gcc", "/etc/rpm/macros.x", "/lib64", "/bin"] {
            assert_eq!(of(path), Lasting::AsPackages, "{path}");
        }
        for path in ["/tmp/x", "/etc/resolv.conf", "/usr/../tmp/x", "/usrlocal", "x", "/proc/cpuinfo"] {
            assert_eq!(of(path), Lasting::Unknown, "{path}");
        }
        assert_eq!(of("%{_sourcedir}/x.inc"), Lasting::AsOutside);
        assert_eq!(lasting(&Observation::Run), Lasting::Unknown);
        assert_eq!(lasting(&Observation::Command("date".into(), None)), Lasting::Unknown);
    }
}
