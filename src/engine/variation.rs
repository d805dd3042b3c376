//! What about a build is another than usual, to find out whether its packages depend on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::RootPath;
use crate::process::{Circumstances, InsideUser};

/// Something that no package should depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Varied {
    /// When it is built, and in which time zone.
    Time,
    /// The name of the machine.
    Hostname,
    /// The folder that it is built in.
    Folder,
    /// The mode bits that new files lack.
    Umask,
    /// The language and character set.
    Locale,
    /// The order in which folders list what is in them.
    FileOrder,
    /// The number of processors.
    CpuCount,
    /// The user that builds, by name and number.
    User,
}

impl Varied {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Time,
        Self::Hostname,
        Self::Folder,
        Self::Umask,
        Self::Locale,
        Self::FileOrder,
        Self::CpuCount,
        Self::User,
    ];

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Hostname => "hostname",
            Self::Folder => "folder",
            Self::Umask => "umask",
            Self::Locale => "locale",
            Self::FileOrder => "file-order",
            Self::CpuCount => "cpu-count",
            Self::User => "user",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|varied| varied.name() == name)
    }

    /// Whether it takes a sandbox: without one a build has the machine as it is.
    fn takes_sandbox(self) -> bool {
        match self {
            Self::Time | Self::Locale => false,
            // Another file system is another folder, which is seen at the same place in a sandbox alone.
            Self::FileOrder => true,
            Self::Hostname | Self::Folder | Self::Umask | Self::CpuCount | Self::User => true,
        }
    }
}

impl fmt::Display for Varied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of the machine where that is varied.
const OTHER_HOST_NAME: &str = "elsewhere.example";

/// The folder where that is varied: its path is longer, and has no part of the usual one.
const OTHER_FOLDER: &str = "/somewhere-else-entirely";

/// The locale where that is varied: other words, other characters, other rules of case. A root without it has that of C then, whose
/// characters are other ones than those of the usual `C.UTF-8`.
const OTHER_LOCALE: &str = "tr_TR.ISO-8859-9";

/// The time zone where the time is varied: 14 hours ahead of UTC, so that the day is another one more often than not.
const OTHER_TIME_ZONE: &str = "ELSE-14";

/// How far the clock is ahead where the time is varied and the root has a library that does it.
const OTHER_TIME: &str = "+400d";

/// Where roots have the library of libfaketime.
pub const FAKE_TIME_LIBRARIES: &[&str] = &[
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/libfaketime/libfaketime.so.1",
];

/// What is varied in a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Variations(BTreeSet<Varied>);

impl Variations {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is.
    pub fn has(&self, varied: Varied) -> bool {
        self.0.contains(&varied)
    }

    /// In the order of [`Varied::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Varied> {
        self.0.iter().copied()
    }

    /// Leaves out what takes a sandbox; gives that.
    pub fn leave_sandbox(&mut self) -> Vec<Varied> {
        self.0.extract_if(.., |varied| varied.takes_sandbox()).collect()
    }

    /// Leaves one out; says whether it was there.
    pub fn remove(&mut self, varied: Varied) -> bool {
        self.0.remove(&varied)
    }

    /// What the sandbox has that it is built in.
    pub fn circumstances(&self) -> Circumstances {
        let usual = Circumstances::default();
        Circumstances {
            host_name: if self.has(Varied::Hostname) { OTHER_HOST_NAME.to_owned() } else { usual.host_name },
            // Group and others lack everything: what was made without a mode of its own is found.
            umask: if self.has(Varied::Umask) { 0o077 } else { usual.umask },
            processors: if self.has(Varied::CpuCount) { Some(1) } else { usual.processors },
        }
    }

    /// Who builds, in a sandbox.
    pub fn user(&self) -> InsideUser {
        if self.has(Varied::User) { InsideUser::AnotherBuilder } else { InsideUser::Builder }
    }

    /// The folder that it is built in, in a sandbox, where that is not the usual one.
    pub fn folder(&self) -> Option<&'static str> {
        self.has(Varied::Folder).then_some(OTHER_FOLDER)
    }

    /// The variables that it is built with beside the usual ones. `fake_time` is a library of the root that changes the clock.
    pub fn environment(&self, fake_time: Option<&RootPath>) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            variables.insert(name.to_owned(), value.to_owned());
        };
        if self.has(Varied::Time) {
            set("TZ", OTHER_TIME_ZONE);
            if let Some(library) = fake_time {
                set("LD_PRELOAD", &library.to_string());
                set("FAKETIME", OTHER_TIME);
                // Files have their own times: make(1) would take sources for newer than what is made of them.
                set("NO_FAKE_STAT", "1");
            }
        }
        if self.has(Varied::Locale) {
            for name in ["LANG", "LC_ALL"] {
                set(name, OTHER_LOCALE);
            }
            set("LANGUAGE", "tr:de");
        }
        variables
    }
}

impl FromIterator<Varied> for Variations {
    fn from_iter<T: IntoIterator<Item = Varied>>(varied: T) -> Self {
        Self(varied.into_iter().collect())
    }
}

impl fmt::Display for Variations {
    /// As a person lists them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, varied) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{varied}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_that_finds_it() {
        assert!(Varied::ALL.iter().all(|varied| Varied::named(varied.name()) == Some(*varied)));
        assert_eq!(Varied::named("weather"), None);
    }

    #[test]
    fn nothing_is_varied_where_nothing_is_asked_for() {
        let none = Variations::default();
        assert_eq!(none.circumstances(), Circumstances::default());
        assert_eq!((none.user(), none.folder()), (InsideUser::Builder, None));
        assert!(none.environment(RootPath::new("/lib/a.so").as_ref()).is_empty());
    }

    #[test]
    fn without_a_sandbox_the_machine_is_as_it_is() {
        let mut all: Variations = Varied::ALL.into_iter().collect();
        let left = all.leave_sandbox();
        assert_eq!(all.to_string(), "time, locale");
        assert_eq!(left.len(), 6);
    }

    #[test]
    fn the_clock_is_varied_where_the_root_has_what_it_takes() {
        let time: Variations = [Varied::Time].into_iter().collect();
        assert_eq!(time.environment(None).into_keys().collect::<Vec<_>>(), ["TZ"]);
        let library = RootPath::new("/lib/a.so").unwrap();
        assert_eq!(time.environment(Some(&library))["LD_PRELOAD"], "/lib/a.so");
    }
}
