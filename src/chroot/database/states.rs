//! What became of a package's files (`RPMTAG_FILESTATES`).

use std::collections::HashMap;

use crate::package::{Header, Tag};

/// What became of a file of an installed package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is as the package has it.
    Normal,
    /// Another package has put its own there.
    Replaced,
    /// It was left out.
    NotInstalled,
    /// It is on a file system that others look after.
    NetShared,
    /// Another package has the same file for the preferred word size.
    WrongColor,
}

/// The kind of ELF files that is preferred where two packages have the same file: those of 64 bits (`%_prefer_color`).
const PREFERRED_COLOR: u64 = 2;

impl FileState {
    /// rpm's number of it (`RPMFILE_STATE_*`).
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Normal => 0,
            Self::Replaced => 1,
            Self::NotInstalled => 2,
            Self::NetShared => 3,
            Self::WrongColor => 4,
        }
    }
}

/// What becomes of the files of packages that are installed in one go, in this order: where two have the same file for
/// another word size each, the preferred one is there. `colors` are the word sizes that are welcome.
pub fn file_states(packages: &[&Header], colors: u32) -> Vec<Vec<FileState>> {
    let mut states: Vec<Vec<FileState>> =
        packages.iter().map(|package| vec![FileState::Normal; package.texts(Tag::BASENAMES).len()]).collect();
    let mut earlier: HashMap<Vec<u8>, (usize, usize, u64)> = HashMap::new();
    for (number, package) in packages.iter().enumerate() {
        // Only ELF files have a colour.
        let colored = package.numbers(Tag::FILECOLORS).iter().enumerate().filter(|(_, color)| **color != 0);
        let colored: Vec<(usize, u64)> = colored
            .map(|(file, color)| (file, color & u64::from(colors)))
            .filter(|(_, color)| *color != 0)
            .collect();
        for (file, color) in colored {
            let Some(path) = package.file_path(file) else { continue };
            match earlier.get(path.as_slice()) {
                Some((_, _, other)) if color == *other => {}
                Some((_, _, other)) if other & PREFERRED_COLOR != 0 && color & PREFERRED_COLOR == 0 => {
                    set(&mut states, number, file);
                }
                Some((other_number, other_file, _)) if color & PREFERRED_COLOR != 0 => {
                    set(&mut states, *other_number, *other_file);
                    earlier.insert(path.to_vec(), (number, file, color));
                }
                Some(_) => {}
                None => {
                    earlier.insert(path.to_vec(), (number, file, color));
                }
            }
        }
    }
    states
}

fn set(states: &mut [Vec<FileState>], package: usize, file: usize) {
    if let Some(state) = states.get_mut(package).and_then(|states| states.get_mut(file)) {
        *state = FileState::WrongColor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Value;

    fn package(color: u64) -> Header {
        let mut header = Header::default();
        header.add_texts(Tag::BASENAMES, ["tool".into(), "README".into()]);
        header.add_texts(Tag::DIRNAMES, ["/usr/bin/".into()]);
        header.set(Tag::DIRINDEXES, Value::Numbers(vec![0, 0]));
        header.set(Tag::FILECOLORS, Value::Numbers(vec![color, 0]));
        header
    }

    #[test]
    fn of_two_word_sizes_the_preferred_one_is_there_whichever_comes_first() {
        let (small, large) = (package(1), package(2));
        let wrong = [FileState::WrongColor, FileState::Normal];
        assert_eq!(file_states(&[&small, &large], 3)[0], wrong);
        assert_eq!(file_states(&[&large, &small], 3)[1], wrong);
        let all = file_states(&[&small, &large], 0);
        assert!(all.iter().flatten().all(|state| *state == FileState::Normal));
    }
}
