//! Build-ids: what tells one program from all others.

use object::elf;
use twox_hash::xxhash3_128::Hasher;

use super::elf::{Elf, ElfSection, Encoding, NewContents};

/// How much of a build-id is made anew, in bytes, where not all of it is: what a longer one has more stays. That is some of what the
/// linker made of the program with the paths of the build.
const RENEWED: usize = 16;

/// How much of a build-id is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// As much as debugedit(1) makes anew, of the same.
    Beginning,
    /// All of it.
    Whole,
}

/// A new build-id for a file whose debug information may have changed, as long as the old one: `seed` decides it, and what the file
/// holds, wherever in the file that lies. It is that which debugedit(1) makes of the same: XXH3 over the seed, the segments, and
/// sections with their content, each as a 64-bit file of the same byte order has it.
pub(super) fn new_build_id(
    file: &Elf<'_>,
    contents: &NewContents,
    seed: &[u8],
    renewal: Renewal,
) -> Option<Vec<u8>> {
    let place = file.build_id()?;
    let mut id = file.data.get(place.clone())?.to_vec();
    let renewed = match renewal {
        Renewal::Beginning => id.len().min(RENEWED),
        Renewal::Whole => id.len(),
    };
    let mut hasher = Hasher::new();
    hasher.write(seed);
    for number in 0..file.segments.len() {
        hasher.write(&large_segment(file, number)?);
    }
    for (number, section) in file.sections.iter().enumerate() {
        let content = contents.get(&number).map_or_else(|| file.content(section), Vec::as_slice);
        let size = match renewal {
            // It is the size from before, which tells how long the paths of the build were.
            Renewal::Beginning => section.size,
            Renewal::Whole if section.has_content() => content.len() as u64,
            Renewal::Whole => section.size,
        };
        hasher.write(&large_section(file.encoding, section, size)?);
        if section.kind == elf::SHT_NOBITS.0 {
            continue;
        }
        let start = usize::try_from(section.offset).ok().and_then(|start| place.start.checked_sub(start));
        match start.filter(|start| *start < content.len() && section.is_allocated()) {
            Some(start) => {
                let (before, rest) = content.split_at_checked(start)?;
                let (_, after) = rest.split_at_checked(renewed)?;
                hasher.write(before);
                hasher.write(&vec![0; renewed]);
                hasher.write(after);
            }
            None => hasher.write(content),
        }
    }
    let mut new = hasher.finish_128().to_be_bytes();
    for part in id.get_mut(..renewed)?.chunks_mut(RENEWED) {
        part.copy_from_slice(new.get(..part.len())?);
        new = Hasher::oneshot(&new).to_be_bytes();
    }
    Some(id)
}

/// Puts numbers together, each with its size.
fn join(encoding: Encoding, fields: &[(usize, u64)]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; fields.iter().map(|(size, _)| size).sum()];
    let mut at = 0;
    for (size, value) in fields {
        encoding.put(&mut bytes, at, *size, *value)?;
        at += size;
    }
    Some(bytes)
}

/// A row of the table of segments, as 64-bit files have it.
fn large_segment(file: &Elf<'_>, number: usize) -> Option<Vec<u8>> {
    let start =
        usize::try_from(file.segments_offset).ok()?.checked_add(number.checked_mul(file.segment_size)?)?;
    let row = file.data.get(start..start.checked_add(file.segment_size)?)?;
    if file.encoding.is_64 {
        return Some(row.to_vec());
    }
    let field = |index: usize| file.encoding.get(row, 4 * index, 4);
    let [kind, offset, address, physical, size, memory, flags, alignment] =
        [field(0)?, field(1)?, field(2)?, field(3)?, field(4)?, field(5)?, field(6)?, field(7)?];
    let fields = [
        (4, kind),
        (4, flags),
        (8, offset),
        (8, address),
        (8, physical),
        (8, size),
        (8, memory),
        (8, alignment),
    ];
    join(file.encoding, &fields)
}

/// A row of the table of sections, as 64-bit files have it, wherever the section is.
fn large_section(encoding: Encoding, section: &ElfSection, size: u64) -> Option<Vec<u8>> {
    let fields = [
        (4, section.name_offset.into()),
        (4, section.kind.into()),
        (8, section.flags),
        (8, section.address),
        (8, 0),
        (8, size),
        (4, section.link.into()),
        (4, section.info.into()),
        (8, section.alignment),
        (8, section.entry_size),
    ];
    join(encoding, &fields)
}
