//! What ELF files need and give: sonames with their symbol versions, as rpm's `elfdeps` names them.

use std::collections::BTreeSet;

use object::elf::{self, FileHeader64};
use object::endian::LittleEndian;
use object::read::elf::{Dyn, FileHeader, SectionHeader, SectionTable};

/// What an ELF file needs and gives.
#[derive(Debug, Default)]
pub struct ElfRelations {
    /// `libx.so.1()(64bit)`, `libx.so.1(X_1.0)(64bit)`, `rtld(GNU_HASH)`.
    pub needs: BTreeSet<String>,
    /// The same of itself; nothing where it has no soname.
    pub gives: BTreeSet<String>,
}

type Sections<'d> = SectionTable<'d, FileHeader64<LittleEndian>>;

/// Reads a file; nothing where it is no program or library of x86-64.
pub fn read_elf(bytes: &[u8]) -> Option<ElfRelations> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).ok()?;
    let kind = header.e_type(LittleEndian);
    if header.e_machine(LittleEndian) != elf::EM_X86_64 || kind != elf::ET_EXEC && kind != elf::ET_DYN {
        return None;
    }
    let sections = header.sections(LittleEndian, bytes).ok()?;
    let mut relations = ElfRelations::default();
    let (entries, names_at) = sections.dynamic(LittleEndian, bytes).ok()??;
    let names = sections.strings(LittleEndian, bytes, names_at).ok()?;
    let mut soname = None;
    for entry in entries {
        let name = entry.val32(LittleEndian).and_then(|offset| names.get(offset).ok());
        let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
        match (entry.tag(LittleEndian), name) {
            (elf::DT_NEEDED, Some(name)) => drop(relations.needs.insert(format!("{name}()(64bit)"))),
            (elf::DT_SONAME, Some(name)) => soname = Some(name),
            _ => {}
        }
    }
    let has = |kind| sections.iter().any(|section| section.sh_type(LittleEndian) == kind);
    if has(elf::SHT_GNU_HASH) && !has(elf::SHT_HASH) && !relations.needs.is_empty() {
        relations.needs.insert("rtld(GNU_HASH)".to_owned());
    }
    relations.needs.extend(needed_versions(&sections, bytes)?);
    if let Some(soname) = soname {
        relations.gives.extend(given_versions(&sections, bytes, &soname)?);
        relations.gives.insert(format!("{soname}()(64bit)"));
    }
    Some(relations)
}

/// The versions of symbols that it needs of other libraries.
fn needed_versions(sections: &Sections<'_>, bytes: &[u8]) -> Option<Vec<String>> {
    let mut needed = Vec::new();
    let Some((mut files, names_at)) = sections.gnu_verneed(LittleEndian, bytes).ok()? else {
        return Some(needed);
    };
    let names = sections.strings(LittleEndian, bytes, names_at).ok()?;
    while let Some((file, mut versions)) = files.next().ok()? {
        let library = String::from_utf8_lossy(file.file(LittleEndian, names).ok()?);
        while let Some(version) = versions.next().ok()? {
            let version = String::from_utf8_lossy(version.name(LittleEndian, names).ok()?);
            needed.push(format!("{library}({version})(64bit)"));
        }
    }
    Some(needed)
}

/// The versions of symbols that it has.
fn given_versions(sections: &Sections<'_>, bytes: &[u8], soname: &str) -> Option<Vec<String>> {
    let mut given = Vec::new();
    let Some((mut versions, names_at)) = sections.gnu_verdef(LittleEndian, bytes).ok()? else {
        return Some(given);
    };
    let names = sections.strings(LittleEndian, bytes, names_at).ok()?;
    while let Some((version, mut words)) = versions.next().ok()? {
        // One of them is the file's own name.
        let is_base = version.vd_flags.get(LittleEndian).0 & elf::VER_FLG_BASE.0 != 0;
        if let Some(word) = words.next().ok()?.filter(|_| !is_base) {
            let word = String::from_utf8_lossy(word.name(LittleEndian, names).ok()?);
            given.push(format!("{soname}({word})(64bit)"));
        }
    }
    Some(given)
}
