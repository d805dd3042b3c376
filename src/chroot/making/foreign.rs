//! Roots of other architectures than the machine's.
//!
//! The kernel hands programs that the machine can't run to an emulator, where one is registered for them in `binfmt_misc`
//! (Documentation/admin-guide/binfmt-misc.rst of Linux). In a root of other packages the emulator is not there: it works only if the
//! kernel has opened it when it was registered, which the flag `F` says.

use super::RootError;
use crate::chroot::solve::Architecture;
use crate::files::{Folder, HostPath};

/// Where emulators are registered.
const REGISTERED: &str = "/proc/sys/fs/binfmt_misc";

/// Architectures of packages, and what qemu and the headers of their programs call them: `e_machine`, and whether it is written with
/// its lower byte first.
const EMULATED: &[(&str, &str, u16, bool)] = &[
    ("x86_64", "x86_64", 62, true),
    ("i686", "i386", 3, true),
    ("i586", "i386", 3, true),
    ("i486", "i386", 3, true),
    ("i386", "i386", 3, true),
    ("aarch64", "aarch64", 183, true),
    ("armv7hl", "arm", 40, true),
    ("armv7hnl", "arm", 40, true),
    ("ppc64le", "ppc64le", 21, true),
    ("ppc64", "ppc64", 21, false),
    ("s390x", "s390x", 22, false),
    ("riscv64", "riscv64", 243, true),
    ("loongarch64", "loongarch64", 258, true),
];

/// Checks that programs of an architecture run on this machine.
///
/// # Errors
/// They don't.
pub fn check_runs(chroot: &str, arch: &str) -> Result<(), RootError> {
    let own = std::env::consts::ARCH;
    let is_own = Architecture::new(own).is_some_and(|own| own.takes(arch));
    // A machine may be a newer one of its kind; whether it is shows when programs run.
    if is_own || arch.starts_with(own) {
        return Ok(());
    }
    let registered = HostPath::new(REGISTERED).and_then(|path| Folder::open_ambient(&path).ok());
    let entries = registered.as_ref().map(read_entries).unwrap_or_default();
    let reason = match find_emulator(arch, &entries) {
        Emulator::Works => return Ok(()),
        Emulator::NotOpened(name) => {
            format!("`{name}` is registered without the flag F, so it would have to be in the root itself")
        }
        Emulator::None => "no emulator is registered for them".to_owned(),
    };
    let qemu = EMULATED.iter().find(|known| known.0 == arch).map_or(arch, |known| known.1);
    let help = format!(
        "install qemu-user's static qemu-{qemu} with its binfmt_misc entry (`qemu-user-static` on Debian), and look \
         for `flags: F` in {REGISTERED}/qemu-{qemu}; or build on a machine of that architecture"
    );
    Err(RootError::Foreign { chroot: chroot.to_owned(), arch: arch.to_owned(), own, reason, help })
}

/// What there is for an architecture.
#[derive(Debug, PartialEq, Eq)]
enum Emulator {
    Works,
    /// It is registered under this name, and not opened.
    NotOpened(String),
    None,
}

fn find_emulator(arch: &str, entries: &[(String, String)]) -> Emulator {
    let Some((_, _, machine, is_little)) = EMULATED.iter().find(|known| known.0 == arch) else {
        return Emulator::None;
    };
    let bytes = if *is_little { machine.to_le_bytes() } else { machine.to_be_bytes() };
    let mut found = Emulator::None;
    for (name, text) in entries {
        let lines: Vec<&str> = text.lines().collect();
        let magic = lines.iter().find_map(|line| line.strip_prefix("magic ")).unwrap_or_default();
        // 18 bytes of an ELF header come before `e_machine`; the sixth says how its numbers are written.
        let is_for_it = magic.starts_with("7f454c46")
            && magic.get(10..12) == Some(if *is_little { "01" } else { "02" })
            && magic.get(36..40) == Some(&format!("{:02x}{:02x}", bytes[0], bytes[1]));
        if !is_for_it || !lines.contains(&"enabled") {
            continue;
        }
        let flags = lines.iter().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default();
        if flags.contains('F') {
            return Emulator::Works;
        }
        found = Emulator::NotOpened(name.clone());
    }
    found
}

/// The entries, by their names.
fn read_entries(folder: &Folder) -> Vec<(String, String)> {
    let names = folder.entries().unwrap_or_default().into_iter().map(|entry| entry.name);
    let names = names.filter(|name| name != "register" && name != "status");
    names.filter_map(|name| Some((name.clone(), folder.read_text(&name).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernel shows an entry for programs of aarch64.
    fn entry(state: &str, flags: &str) -> Vec<(String, String)> {
        let text = format!(
            "{state}\ninterpreter /usr/bin/qemu-aarch64-static\nflags: {flags}\noffset 0\n\
             magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
        );
        vec![("qemu-aarch64".to_owned(), text)]
    }

    #[test]
    fn an_emulator_works_if_the_kernel_has_opened_it() {
        assert_eq!(find_emulator("aarch64", &entry("enabled", "POCF")), Emulator::Works);
        let not_opened = Emulator::NotOpened("qemu-aarch64".to_owned());
        assert_eq!(find_emulator("aarch64", &entry("enabled", "OC")), not_opened);
        assert_eq!(find_emulator("aarch64", &entry("disabled", "F")), Emulator::None);
        assert_eq!(find_emulator("s390x", &entry("enabled", "F")), Emulator::None);
        assert_eq!(find_emulator("aarch64", &[]), Emulator::None);
    }

    #[test]
    fn an_architecture_of_the_machine_needs_none() {
        check_runs("c", std::env::consts::ARCH).unwrap();
        if std::env::consts::ARCH == "x86_64" {
            check_runs("c", "i686").unwrap();
        }
    }
}
