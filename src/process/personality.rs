//! What the kernel tells programs of the machine (personality(2)).

use serde::{Deserialize, Serialize};

/// What `uname -m` answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Personality {
    /// The machine.
    #[default]
    Own,
    /// The machine of 32 bits that it can stand for: `i686` on x86_64, `armv8l` on aarch64 (`PER_LINUX32`). Configure scripts and rpm
    /// go by that.
    Of32Bits,
}

/// Machines, and the architectures of packages (as rpm calls them) whose programs of 32 bits they run themselves.
const RUN_32_BITS: &[(&str, &[&str])] = &[
    ("x86_64", &["i386", "i486", "i586", "i686", "athlon", "geode", "pentium3", "pentium4"]),
    ("aarch64", &["armv6hl", "armv7hl", "armv7hnl", "armv8hl"]),
];

impl Personality {
    /// That of programs of an architecture on this machine; of its own, if nothing is said.
    pub fn for_architecture(arch: Option<&str>) -> Self {
        Self::on_machine(std::env::consts::ARCH, arch)
    }

    /// What `uname -m` answers, where that is not the machine's own name.
    pub fn other_machine(self) -> Option<&'static str> {
        match (self, std::env::consts::ARCH) {
            (Self::Own, _) => None,
            (Self::Of32Bits, "aarch64") => Some("armv8l"),
            (Self::Of32Bits, _) => Some("i686"),
        }
    }

    fn on_machine(machine: &str, arch: Option<&str>) -> Self {
        // A target may say a system as well: `i686-linux`.
        let arch = arch.and_then(|arch| arch.split('-').next()).unwrap_or(machine);
        let is_of_32_bits = |(known, arches): &(&str, &[&str])| *known == machine && arches.contains(&arch);
        if RUN_32_BITS.iter().any(is_of_32_bits) { Self::Of32Bits } else { Self::Own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_32_bits_are_told_of_a_machine_of_32_bits_where_they_need_no_emulator() {
        let of = Personality::on_machine;
        assert_eq!(of("x86_64", Some("i686")), Personality::Of32Bits);
        assert_eq!(of("x86_64", Some("i586-linux")), Personality::Of32Bits);
        assert_eq!(of("aarch64", Some("armv7hl")), Personality::Of32Bits);
        for (machine, arch) in [
            ("x86_64", None),
            ("x86_64", Some("x86_64_v3")),
            ("x86_64", Some("noarch")),
            ("x86_64", Some("armv7hl")),
            ("aarch64", Some("i686")),
        ] {
            assert_eq!(of(machine, arch), Personality::Own, "{machine} {arch:?}");
        }
    }
}
