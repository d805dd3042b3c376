//! The lead, the first 96 bytes of a package: whether it is as forge or rpm writes it.
//!
//! Magic (4), major and minor version (1 each), kind (2: 0 binary, 1 source), number of the architecture (2), name (66, filled with
//! NULs), number of the operating system (2), kind of signature (2: 5, a header), 16 reserved bytes (rpm's docs/manual/format_lead.md).
//! Nothing reads most of it any more. forge writes no numbers of architecture and system; rpm writes those of the machine that it
//! runs on.

use super::decode::Headers;
use super::tag::Tag;

const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// How long a name may be, before the NUL at its end.
const NAME_SIZE: usize = 65;

/// rpm's numbers of architectures (`arch_canon` of its rpmrc.in).
const ARCHITECTURES: &[(&str, u16)] = &[
    ("x86_64", 1),
    ("i386", 1),
    ("i486", 1),
    ("i586", 1),
    ("i686", 1),
    ("ppc", 5),
    ("armv7hl", 12),
    ("s390", 14),
    ("s390x", 15),
    ("ppc64", 16),
    ("ppc64le", 16),
    ("aarch64", 19),
    ("riscv64", 22),
];

/// Whether these 96 bytes are the lead of a package with these headers.
pub(super) fn is_lead_of(lead: &[u8], headers: &Headers) -> bool {
    let header = &headers.header;
    let mut name = header.text(Tag::NAME).unwrap_or_default().to_vec();
    name.push(b'-');
    name.extend_from_slice(&header.evr());
    name.truncate(NAME_SIZE);
    name.resize(NAME_SIZE + 1, 0);
    let arch = header.text(Tag::ARCH).unwrap_or_default().to_string();
    let is_source = !header.has(Tag::SOURCE_RPM);
    // A package for all, and a source package, may come from any machine.
    let is_from = |known: &str| known == arch || arch == "noarch" || is_source;
    let is_known = ARCHITECTURES.iter().any(|(known, _)| *known == arch);
    let numbers =
        ARCHITECTURES.iter().filter(|(known, _)| is_from(known) || !is_known).map(|(_, number)| *number);
    let machines = [(0, 0)].into_iter().chain(numbers.map(|number| (number, 1)));
    machines.into_iter().any(|(architecture, system)| {
        let parts: [&[u8]; 7] = [
            &MAGIC,
            &[headers.lead_major, 0, 0, u8::from(is_source)],
            &u16::to_be_bytes(architecture),
            &name,
            &u16::to_be_bytes(system),
            &[0, 5],
            &[0; 16],
        ];
        matches!(headers.lead_major, 3 | 4) && parts.concat() == lead
    })
}
