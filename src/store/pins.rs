//! The builds of a project that are pinned: they go neither from repositories nor from the store, whatever else goes.
//!
//! They are named by numbers, which the project's state gives, so that this list lies there too, in a file of its own: a history that was
//! damaged and begun anew unpins nothing. What is pinned is a result, though: where numbers begin anew, they are those of other builds.

use std::io;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::digest::{Digest, Key};
use crate::event::{BuildName, Timestamp};
use crate::files::Folder;

/// The file, in the project's state folder.
const FILE: &str = "pins.json";

/// The form of the file.
const VERSION: u64 = 1;

/// A pinned build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The number that it had in the project.
    pub number: u64,
    /// What was built.
    #[serde(flatten)]
    pub build: BuildName,
    /// The key of its result.
    pub key: Key,
    /// The digest of its result: a build that is forced has the same key. Earlier pins don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Digest>,
    /// When it was pinned.
    pub since: Timestamp,
}

/// The pinned builds of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// By their numbers.
    pins: Vec<Pin>,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct PinsFile {
    version: u64,
    pins: Vec<Pin>,
}

impl Pins {
    /// Those in a project's state folder.
    ///
    /// # Errors
    /// [`StoreError::DamagedPins`] where they can't be known: nobody must take that for none.
    pub fn read(state: &Folder) -> Result<Self, StoreError> {
        let content = match state.read(FILE) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(StoreError::DamagedPins { reason: error.to_string() }),
        };
        let damaged = |error: serde_json::Error| StoreError::DamagedPins { reason: error.to_string() };
        let PinsFile { version, pins } = serde_json::from_slice(&content).map_err(damaged)?;
        match version {
            VERSION => Ok(Self { pins }),
            other => {
                let reason = format!("it is of form {other}, and this forge knows form {VERSION}");
                Err(StoreError::DamagedPins { reason })
            }
        }
    }

    /// Writes them there.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, state: &Folder) -> Result<(), StoreError> {
        let file = PinsFile { version: VERSION, pins: self.pins.clone() };
        let mut content = serde_json::to_vec_pretty(&file).map_err(io::Error::other)?;
        content.push(b'\n');
        Ok(state.write_atomic(FILE, &content)?)
    }

    /// Pins a build; gives whether it was not pinned before.
    pub fn add(&mut self, pin: Pin) -> bool {
        let is_new = !self.pins.iter().any(|known| known.is_of_result(&pin.build, pin.key, pin.result));
        if is_new {
            self.pins.push(pin);
            self.pins.sort_by_key(|pin| pin.number);
        }
        is_new
    }

    /// Unpins the first build that is meant; gives what it was, where one was pinned.
    pub fn remove(&mut self, is_meant: impl Fn(&Pin) -> bool) -> Option<Pin> {
        let place = self.pins.iter().position(is_meant)?;
        Some(self.pins.remove(place))
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Pin> {
        self.pins.iter()
    }

    /// Those of builds in a chroot.
    pub fn in_chroot(&self, chroot: &str) -> Self {
        Self { pins: self.pins.iter().filter(|pin| pin.build.chroot == chroot).cloned().collect() }
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
    }
}

impl Pin {
    /// Whether it is of the build with this result. What digest the result has counts where both sides say it.
    pub fn is_of_result(&self, build: &BuildName, key: Key, result: Option<Digest>) -> bool {
        self.build == *build && self.key == key && self.may_be(result)
    }

    /// Whether what is pinned may be the result with this digest.
    pub fn may_be(&self, result: Option<Digest>) -> bool {
        self.result.is_none() || result.is_none() || self.result == result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Encoder;
    use crate::files::HostPath;

    fn pin(number: u64) -> Pin {
        let build = BuildName { package: "a".to_owned(), chroot: "host".to_owned() };
        let key = Encoder::new(&format!("test v{number}")).key();
        Pin { number, build, key, result: None, since: Timestamp(5) }
    }

    #[test]
    fn what_is_pinned_is_read_as_it_was_written_until_it_is_unpinned() {
        let temp = tempfile::tempdir().unwrap();
        let state = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let mut pins = Pins::read(&state).unwrap();
        assert!(pins.add(pin(3)) && pins.add(pin(1)) && !pins.add(pin(3)));
        pins.write(&state).unwrap();
        let mut read = Pins::read(&state).unwrap();
        assert_eq!(read, pins);
        assert_eq!(read.iter().map(|pin| pin.number).collect::<Vec<_>>(), [1, 3]);
        assert!(read.in_chroot("host") == read && read.in_chroot("other").is_empty());
        let third = |pin: &Pin| pin.number == 3;
        assert!(read.remove(third).is_some() && read.remove(third).is_none() && !read.is_empty());
    }

    #[test]
    fn builds_of_one_number_or_of_one_key_are_pinned_apart() {
        let mut pins = Pins::default();
        let again = |result: &[u8]| Pin { result: Some(Digest::compute(result)), ..pin(1) };
        let renumbered = Pin { number: 1, ..pin(2) };
        assert!(pins.add(again(b"first")) && pins.add(again(b"forced")) && pins.add(renumbered));
        assert!(!pins.add(again(b"forced")) && !pins.add(Pin { number: 7, ..pin(2) }));
        assert_eq!(pins.iter().count(), 3);
    }

    #[test]
    fn pins_that_can_not_be_read_are_not_taken_for_none() {
        let temp = tempfile::tempdir().unwrap();
        let state = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        for content in ["", "{}", "{\"version\":1,\"pins\":[{}]}", "{\"version\":2,\"pins\":[]}"] {
            state.write_atomic(FILE, content.as_bytes()).unwrap();
            assert!(matches!(Pins::read(&state), Err(StoreError::DamagedPins { .. })), "{content}");
        }
    }
}
