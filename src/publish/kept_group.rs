//! What is kept of a group: the pieces of the metadata files that are its packages', packed, what they give and need, and which part of
//! all that is whose.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::kept_needs::{DependencyQuery, FoundDependencies, find_dependencies};
use super::name_hashes::NameHashes;
use super::package_share::{PackageShare, TEXTS};
use super::packing::{pack, unpack, unpack_into};
use crate::digest::Digest;
use crate::manifest::declaration::MetadataPacking;
use crate::package::RepositoryKind;

/// See the [module](self).
pub(super) struct KeptGroup {
    /// When the newest of its packages was built: seconds since 1970.
    pub newest: u64,
    packing: MetadataPacking,
    /// The file that it is kept in, where the pieces are.
    content: Vec<u8>,
    /// Where its texts are.
    texts: [PiecePlace; TEXTS],
    /// Where the list is of what share each package has.
    shares: PiecePlace,
    /// What its binary packages require and what they provide.
    names: [NameHashes; 2],
}

/// Where a piece is, and how many bytes it has unpacked.
struct PiecePlace {
    packed: Range<usize>,
    open_size: usize,
}

/// A text, packed.
pub(super) struct Piece<'a> {
    pub packed: &'a [u8],
    packing: MetadataPacking,
    /// How many bytes it has unpacked.
    pub open_size: usize,
}

/// The first line of what is kept: sizes of the pieces that follow it, packed and unpacked.
#[derive(Serialize, Deserialize)]
struct PieceSizes {
    newest: u64,
    texts: [(u64, u64); TEXTS],
    shares: (u64, u64),
    /// The same of the names behind them.
    names: [u64; 2],
}

/// The shares of a group, by what they are known by.
pub(super) struct KeptShares {
    texts: Vec<Vec<u8>>,
    by_digest: HashMap<Digest, KeptShare>,
}

struct KeptShare {
    newest: u64,
    /// Where its parts are in the texts.
    places: [Range<usize>; TEXTS],
    names: [NameHashes; 2],
}

/// What there is of a package's share beside its parts of the texts.
#[derive(Serialize, Deserialize)]
struct ShareEntry {
    /// What it is known by.
    of: Digest,
    newest: u64,
    /// How many bytes of each text are its own.
    sizes: [usize; TEXTS],
    names: [NameHashes; 2],
}

/// How the parts of a text are put together.
struct TextForm {
    begin: &'static [u8],
    between: &'static [u8],
    end: &'static [u8],
}

/// XML elements one behind the other; of dependencies, the items of a JSON list.
const FORMS: [TextForm; TEXTS] = {
    const XML: TextForm = TextForm { begin: b"", between: b"", end: b"" };
    const LIST: TextForm = TextForm { begin: b"[", between: b",", end: b"]" };
    [XML, XML, XML, LIST, LIST]
};

impl TextForm {
    fn join<'a>(&self, parts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut text = self.begin.to_vec();
        for part in parts.filter(|part| !part.is_empty()) {
            if text.len() > self.begin.len() {
                text.extend(self.between);
            }
            text.extend(part);
        }
        text.extend(self.end);
        text
    }

    /// Where the parts of these sizes are; nothing where a text has no such parts.
    fn split(&self, text: &[u8], sizes: impl Iterator<Item = usize>) -> Option<Vec<Range<usize>>> {
        let end =
            text.strip_prefix(self.begin)?.strip_suffix(self.end)?.len().checked_add(self.begin.len())?;
        let (mut place, mut parts) = (self.begin.len(), Vec::new());
        for size in sizes {
            let behind = place.checked_add(size).filter(|behind| *behind <= end)?;
            parts.push(place..behind);
            let is_followed = size > 0 && behind < end;
            place = if is_followed { behind.checked_add(self.between.len())? } else { behind };
        }
        (place == end).then_some(parts)
    }
}

impl KeptShares {
    /// The one that is known by this.
    pub fn get(&self, of: &Digest) -> Option<PackageShare<'_>> {
        let KeptShare { newest, places, names } = self.by_digest.get(of)?;
        let mut texts = self.texts.iter();
        let texts = places.each_ref().map(|place| {
            let part = texts.next().and_then(|text| text.get(place.clone())).unwrap_or_default();
            Cow::Borrowed(part)
        });
        Some(PackageShare { newest: *newest, texts, names: names.clone() })
    }
}

impl Piece<'_> {
    /// The text.
    pub fn unpack(&self) -> io::Result<Vec<u8>> {
        unpack(self.packing, self.packed, self.open_size)
    }

    /// The text, in the place of what `text` held.
    pub fn unpack_into(&self, text: &mut Vec<u8>) -> io::Result<()> {
        unpack_into(self.packing, self.packed, self.open_size, text)
    }
}

impl KeptGroup {
    /// Its piece of a metadata file.
    pub fn piece(&self, kind: RepositoryKind) -> Piece<'_> {
        let [primary, filelists, other, ..] = &self.texts;
        self.piece_at(match kind {
            RepositoryKind::Primary => primary,
            RepositoryKind::Filelists => filelists,
            RepositoryKind::Other => other,
        })
    }

    fn piece_at(&self, PiecePlace { packed, open_size }: &PiecePlace) -> Piece<'_> {
        let packed = self.content.get(packed.clone()).unwrap_or_default();
        Piece { packed, packing: self.packing, open_size: *open_size }
    }

    /// The requirements of its binary packages that are asked for.
    pub fn requirements(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let ([.., requires, _], [required, _]) = (&self.texts, &self.names);
        match required.shares_one_with(&asked.names) {
            true => find_dependencies(&self.piece_at(requires).unpack()?, asked),
            false => Ok(Vec::new()),
        }
    }

    /// What is asked for of what its binary packages provide, their files among it.
    pub fn provided(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let ([.., provides], [_, provided]) = (&self.texts, &self.names);
        match provided.shares_one_with(&asked.names) {
            true => find_dependencies(&self.piece_at(provides).unpack()?, asked),
            false => Ok(Vec::new()),
        }
    }

    /// The bytes that it is kept as.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The group of which these are the shares, each with what it is known by.
    pub fn join(shares: &[(Digest, PackageShare<'_>)], packing: MetadataPacking) -> io::Result<Self> {
        let mut index = 0..TEXTS;
        let texts = FORMS.each_ref().map(|form| {
            let text = index.next().unwrap_or_default();
            form.join(shares.iter().filter_map(|(_, share)| share.texts.get(text)).map(AsRef::as_ref))
        });
        let entry = |(of, share): &(Digest, PackageShare<'_>)| ShareEntry {
            of: *of,
            newest: share.newest,
            sizes: share.texts.each_ref().map(|text| text.len()),
            names: share.names.clone(),
        };
        let entries: Vec<ShareEntry> = shares.iter().map(entry).collect();
        let entries = serde_json::to_vec(&entries).map_err(io::Error::other)?;
        let newest = shares.iter().map(|(_, share)| share.newest).max().unwrap_or_default();
        let names = |which: fn(&[NameHashes; 2]) -> &NameHashes| {
            NameHashes::union(shares.iter().map(|(_, share)| which(&share.names)))
        };
        let names = [names(|[required, _]| required), names(|[_, provided]| provided)];
        let content = encode(newest, &texts, &entries, &names, packing)?;
        Self::decode(content, packing).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The share of each package, by what it is known by.
    ///
    /// # Errors
    /// `InvalidData` where it is not as it was made.
    pub fn shares(&self) -> io::Result<KeptShares> {
        let entries: Vec<ShareEntry> = serde_json::from_slice(&self.piece_at(&self.shares).unpack()?)?;
        let (mut texts, mut places) = (Vec::new(), Vec::new());
        for (index, (form, place)) in FORMS.iter().zip(&self.texts).enumerate() {
            let sizes = entries.iter().map(|entry| entry.sizes.get(index).copied().unwrap_or_default());
            let text = self.piece_at(place).unpack()?;
            places.push(form.split(&text, sizes).ok_or(io::ErrorKind::InvalidData)?.into_iter());
            texts.push(text);
        }
        let share = |ShareEntry { of, newest, sizes: _, names }: ShareEntry| {
            let mut places = places.iter_mut();
            let places = [(); TEXTS].map(|()| places.next().and_then(Iterator::next).unwrap_or_default());
            (of, KeptShare { newest, places, names })
        };
        Ok(KeptShares { by_digest: entries.into_iter().map(share).collect(), texts })
    }

    /// A group of these bytes; nothing where they are none.
    pub fn decode(content: Vec<u8>, packing: MetadataPacking) -> Option<Self> {
        let mut end = content.iter().position(|byte| *byte == b'\n')?;
        let PieceSizes { newest, texts, shares, names } = serde_json::from_slice(content.get(..end)?).ok()?;
        end = end.checked_add(1)?;
        let mut next = |size: u64| {
            let begin = end;
            end = begin.checked_add(usize::try_from(size).ok()?)?;
            Some(begin..end).filter(|place| place.end <= content.len())
        };
        let mut piece = |(packed, open_size): (u64, u64)| {
            Some(PiecePlace { packed: next(packed)?, open_size: usize::try_from(open_size).ok()? })
        };
        let [primary, filelists, other, requires, provides] = texts;
        let [primary, filelists, other] = [piece(primary)?, piece(filelists)?, piece(other)?];
        let texts = [primary, filelists, other, piece(requires)?, piece(provides)?];
        let shares = piece(shares)?;
        let [required, provided] = names;
        let [required, provided] = [next(required)?, next(provided)?];
        let names = [
            NameHashes::from_bytes(content.get(required)?)?,
            NameHashes::from_bytes(content.get(provided)?)?,
        ];
        let is_whole = end == content.len();
        let kept = Self { newest, packing, content, texts, shares, names };
        is_whole.then_some(kept)
    }

    /// One of a single package that has these pieces of metadata files.
    #[cfg(test)]
    pub fn of_pieces(pieces: [&[u8]; 3]) -> Self {
        let [primary, filelists, other] = pieces;
        let texts = [primary, filelists, other, b"", b""].map(Cow::Borrowed);
        let share = PackageShare { newest: 1, texts, names: Default::default() };
        Self::join(&[(Digest::compute(b""), share)], MetadataPacking::Zstd).unwrap()
    }

    /// The same with pieces that can't be unpacked.
    #[cfg(test)]
    pub fn damaged(mut self) -> Self {
        let places = self.texts.each_ref().map(|place| place.packed.clone());
        places.into_iter().for_each(|place| self.content[place].fill(0));
        self
    }
}

/// The file that a group is kept in.
fn encode(
    newest: u64,
    texts: &[Vec<u8>; TEXTS],
    shares: &[u8],
    names: &[NameHashes; 2],
    packing: MetadataPacking,
) -> io::Result<Vec<u8>> {
    let all: Vec<&[u8]> = texts.iter().map(Vec::as_slice).chain([shares]).collect();
    let packed: Vec<Vec<u8>> = all.par_iter().map(|text| pack(packing, text)).collect::<Result<_, _>>()?;
    let names = names.each_ref().map(NameHashes::to_bytes);
    let mut sizes = packed.iter().zip(&all).map(|(packed, text)| (packed.len() as u64, text.len() as u64));
    let head = PieceSizes {
        newest,
        texts: [(); TEXTS].map(|()| sizes.next().unwrap_or_default()),
        shares: sizes.next().unwrap_or_default(),
        names: names.each_ref().map(|names| names.len() as u64),
    };
    let mut content = serde_json::to_vec(&head).map_err(io::Error::other)?;
    content.push(b'\n');
    packed.iter().for_each(|packed| content.extend(packed));
    content.extend(names.concat());
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(number: usize) -> (Digest, PackageShare<'static>) {
        let text = |word: &str| format!("<{word}>{number}</{word}>").into_bytes();
        let list = match number % 3 {
            0 => Vec::new(),
            1 => format!("{{\"number\":{number}}}").into_bytes(),
            _ => format!("{{}},{{\"number\":{number}}}").into_bytes(),
        };
        let names = [[format!("r{number}")], [format!("p{number}")]];
        let share = PackageShare {
            newest: number as u64,
            texts: [text("primary"), text("filelists"), text("other"), list.clone(), list].map(Cow::Owned),
            names: names.each_ref().map(|names| names.iter().map(String::as_str).collect()),
        };
        (Digest::compute(number.to_string().as_bytes()), share)
    }

    #[test]
    fn shares_are_had_back_as_they_were() {
        for packing in [MetadataPacking::Zstd, MetadataPacking::Gzip] {
            for count in 0..7 {
                let shares: Vec<(Digest, PackageShare<'_>)> = (0..count).map(share).collect();
                let kept = KeptGroup::join(&shares, packing).unwrap();
                assert_eq!(kept.newest, count.saturating_sub(1) as u64);
                let [.., requires, _] = &kept.texts;
                let requires = kept.piece_at(requires).unpack().unwrap();
                let items: Vec<serde_json::Value> = serde_json::from_slice(&requires).unwrap();
                assert_eq!(items.len(), [0, 0, 1, 3, 3, 4, 6][count]);
                let again = KeptGroup::decode(kept.content().to_vec(), packing).unwrap().shares().unwrap();
                assert_eq!(again.by_digest.len(), count);
                assert!(shares.iter().all(|(of, share)| again.get(of).as_ref() == Some(share)));
                assert_eq!(again.get(&share(7).0), None);
            }
        }
    }

    #[test]
    fn a_group_is_read_as_it_was_kept_and_a_damaged_one_is_none() {
        let packing = MetadataPacking::Zstd;
        let shares = [share(4), share(5)];
        let kept = KeptGroup::join(&shares, packing).unwrap();
        let content = kept.content().to_vec();
        let read = KeptGroup::decode(content.clone(), packing).unwrap();
        assert_eq!((read.newest, &read.names), (5, &kept.names));
        let text = read.piece(RepositoryKind::Filelists).unpack().unwrap();
        assert_eq!(text, b"<filelists>4</filelists><filelists>5</filelists>");
        for length in 0..content.len() {
            assert!(KeptGroup::decode(content[..length].to_vec(), packing).is_none(), "{length}");
        }
        assert!(kept.damaged().shares().is_err());
    }

    #[test]
    fn a_text_that_has_not_the_parts_that_are_said_is_none_of_a_group() {
        let [form, .., list] = &FORMS;
        assert_eq!(form.split(b"abc", [1, 2].into_iter()), Some(vec![0..1, 1..3]));
        for sizes in [[1, 1], [1, 3], [4, 0]] {
            assert_eq!(form.split(b"abc", sizes.into_iter()), None, "{sizes:?}");
        }
        assert_eq!(list.split(b"[a,b]", [1, 0, 1].into_iter()), Some(vec![1..2, 3..3, 3..4]));
        assert_eq!(list.split(b"[a,b]", [1, 1, 0].into_iter()), Some(vec![1..2, 3..4, 4..4]));
        assert_eq!(list.split(b"a,b", [1, 1].into_iter()), None);
        assert_eq!(list.split(b"[a,b]", [3, 1].into_iter()), None);
    }
}
