//! Our own macros and tables, for a machine without rpm (written from rpm-spec-macros(7), rpmbuild-config(5),
//! rpm-spec(5) and rpm-rpmrc(5)).

use super::Macros;
use super::platform::Platform;
use super::rcfile::RpmRc;
use super::table::Level;

const MACROS: &str = include_str!("default/macros");
const PLATFORM: &str = include_str!("default/platform");
const RPMRC: &str = include_str!("default/rpmrc");

/// Defines all that rpm's own files would.
pub(super) fn load(macros: &Macros, platform: &Platform) {
    let family = Family::from_architecture(&platform.architecture);
    let facts = format!(
        "%_arch {}\n%_build_arch {}\n%_os {}\n%__isa_name {}\n%__isa_bits {}\n%_lib {}\n",
        family.name, family.name, platform.system, family.instruction_set, family.bits, family.library_folder,
    );
    for (text, name) in
        [(MACROS, "forge/macros"), (facts.as_str(), "forge/facts"), (PLATFORM, "forge/platform")]
    {
        // A test sees to it that nothing in them is wrong.
        let _ = macros.load_text(text.as_bytes(), name, Level::MACRO_FILES);
    }
}

/// The tables that rpm's own rpmrc would bring.
pub(super) fn read_rc(rc: &mut RpmRc) {
    rc.read_own(RPMRC);
}

/// What holds for all architectures that take the same programs.
struct Family {
    name: &'static str,
    instruction_set: &'static str,
    bits: u8,
    library_folder: &'static str,
}

impl Family {
    fn from_architecture(architecture: &str) -> Self {
        let (name, instruction_set, bits, library_folder) = match architecture {
            "x86_64" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" | "amd64" | "ia32e" => {
                ("x86_64", "x86", 64, "lib64")
            }
            "i386" | "i486" | "i586" | "i686" | "athlon" | "geode" | "pentium3" | "pentium4" => {
                ("i386", "x86", 32, "lib")
            }
            "aarch64" => ("aarch64", "aarch", 64, "lib64"),
            "ppc64le" => ("ppc64le", "ppc", 64, "lib64"),
            "ppc64" | "ppc64p7" => ("ppc64", "ppc", 64, "lib64"),
            "ppc" => ("ppc", "ppc", 32, "lib"),
            "s390x" => ("s390x", "s390", 64, "lib64"),
            "riscv64" => ("riscv64", "riscv", 64, "lib64"),
            "loongarch64" => ("loongarch64", "loongarch", 64, "lib64"),
            other if other.starts_with("arm") => ("arm", "arm", 32, "lib"),
            _ => ("noarch", "noarch", 64, "lib"),
        };
        Self { name, instruction_set, bits, library_folder }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::{Configuration, Limits, NoHost, Table};
    use super::*;

    fn expand(text: &str) -> (String, usize) {
        let host = Rc::new(NoHost::default());
        let macros = Macros::new(Table::new(), host.clone(), Limits::default());
        macros.configure(&Configuration::default()).unwrap();
        let expanded = macros.expand(text.as_bytes()).unwrap();
        (String::from_utf8(expanded).unwrap(), host.reports().len())
    }

    #[test]
    fn our_own_files_are_read_without_a_word() {
        assert_eq!(
            expand("%{_libdir} %{_target_platform}"),
            ("/usr/lib64 x86_64-vendor-linux".to_owned(), 0)
        );
        assert_eq!(expand("%{_isa}%{?nosuch} %nil|%optflags"), ("(x86-64) |-O2 -g".to_owned(), 0));
    }

    #[test]
    fn conditional_builds_have_their_defaults() {
        assert_eq!(expand("%bcond a 1\n%bcond b 0\n%{with a}%{with b}%{without b}").0.trim(), "101");
        assert_eq!(
            expand("%define _without_a 1\n%bcond_without a\n%bcond_with c\n%{with a}%{with c}").0.trim(),
            "00"
        );
        assert_eq!(
            expand("%define _with_c 1\n%bcond_with c\n%{with c}%{defined nosuch}%{undefined nosuch}")
                .0
                .trim(),
            "101"
        );
    }

    #[test]
    fn configure_names_every_folder() {
        let (text, reports) = expand("%configure --enable-x");
        assert_eq!(reports, 0);
        assert!(
            text.contains("--libdir=/usr/lib64 \\\n")
                && text.ends_with("--infodir=/usr/share/info --enable-x"),
            "{text}"
        );
    }

    #[test]
    fn processors_are_counted_up_to_the_limit() {
        assert_eq!(expand("%define _smp_ncpus_max 4\n%_smp_build_ncpus"), ("1".to_owned(), 0));
    }
}
