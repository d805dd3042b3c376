//! Why no spec can be made.

use std::io;

use crate::fetch::FetchError;
use crate::source::remote::RemoteError;
use crate::store::StoreError;

/// Why no spec can be made of what a registry has.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum MadeSpecError {
    /// The registry can't be reached, or has something else.
    #[error("{wanted} can't be fetched")]
    #[diagnostic(
        code(forge::source::registry),
        help(
            "is the registry reachable from here? its address comes from `registry=`, or from what pip, gem, cargo and npm are set up with"
        )
    )]
    NotFetched {
        /// What was asked for.
        wanted: String,
        /// What went wrong.
        #[source]
        #[diagnostic_source]
        source: FetchError,
    },
    /// Nothing may be fetched.
    #[error("{wanted} is not in the store, and nothing may be fetched")]
    #[diagnostic(
        code(forge::source::registry_offline),
        help("run `forge fetch` while the registry can be reached")
    )]
    NotStored {
        /// What was asked for.
        wanted: String,
    },
    /// The registry has no such project.
    #[error("{registry} has no `{project}`")]
    #[diagnostic(
        code(forge::source::no_project),
        help("is it spelled as there? names are looked up as they are written")
    )]
    NoProject {
        /// The registry.
        registry: &'static str,
        /// The name.
        project: String,
    },
    /// There is no such version, or none that can be taken.
    #[error("{registry} has no {wanted} of `{project}`")]
    #[diagnostic(code(forge::source::no_version))]
    NoVersion {
        /// The registry.
        registry: &'static str,
        /// The project.
        project: String,
        /// `version 1.2`, or what else was looked for.
        wanted: String,
        /// What there is.
        #[help]
        help: String,
    },
    /// A name or version that can't be part of a spec.
    #[error("`{name}` can't be the {part} of a package")]
    #[diagnostic(
        code(forge::source::odd_name),
        help("names and versions of packages have letters, digits and `. _ + - ~ ^`; write a spec by hand")
    )]
    OddName {
        /// What it would be.
        part: &'static str,
        /// What it is, without what can't be shown.
        name: String,
    },
    /// An archive of another package than the registry says.
    #[error("`{file}` says that it is `{found}`, and should be `{asked}`")]
    #[diagnostic(
        code(forge::source::other_package),
        help(
            "the registry has put another package's file there: nothing of it is used; ask who runs it, or name another one with `registry=`"
        )
    )]
    OtherPackage {
        /// The file.
        file: String,
        /// Name and version that the registry has it under.
        asked: String,
        /// Those that stand in it.
        found: String,
    },
    /// What came can't be read.
    #[error("`{file}` can't be read: {reason}")]
    #[diagnostic(
        code(forge::source::unreadable),
        help("is it what the registry should have? nothing of it is used")
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file in an archive that could do harm where it is unpacked.
    #[error("`{file}` holds `{name}`, which is not unpacked: {reason}")]
    #[diagnostic(
        code(forge::source::unsafe_entry),
        help("programs that pack sources make no such archives; where does this one come from?")
    )]
    UnsafeEntry {
        /// The archive.
        file: String,
        /// The entry.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An archive that is too large, or of too many files.
    #[error("`{file}` would unpack to more than {most} {unit}")]
    #[diagnostic(
        code(forge::source::too_much),
        help("sources are rarely like that, attacks are; unpack it by hand if it is sound")
    )]
    TooMuch {
        /// The archive.
        file: String,
        /// How many there may be.
        most: u64,
        /// Of what.
        unit: &'static str,
    },
    /// A crate that names no versions of what it needs.
    #[error("`{file}` has no Cargo.lock, so that nothing says which crates it is built with")]
    #[diagnostic(
        code(forge::source::no_cargo_lock),
        help(
            "make one with `cargo generate-lockfile`, keep it in the project, and name it: `lock=\"Cargo.lock\"`"
        )
    )]
    NoCargoLock {
        /// The file.
        file: String,
    },
    /// A crate that comes from elsewhere.
    #[error("Cargo.lock has `{package}` from `{source_text}`, which has no checksum")]
    #[diagnostic(
        code(forge::source::cargo_source),
        help("only crates of registries can be checked; write a spec by hand")
    )]
    CargoSource {
        /// The crate.
        package: String,
        /// Where it comes from.
        source_text: String,
    },
    /// A crate that is a library only.
    #[error("the crate `{project}` has no program")]
    #[diagnostic(
        code(forge::source::no_program),
        help("libraries in Rust are built into what uses them: take the crate whose program is wanted")
    )]
    NoProgram {
        /// The crate.
        project: String,
    },
    /// An npm package that has to be compiled.
    #[error(
        "`{project}` is compiled, or runs a script, when npm installs it: forge can't write a spec for that"
    )]
    #[diagnostic(
        code(forge::source::npm_native),
        help(
            "take a version that is JavaScript alone, or write a spec by hand: it needs nodejs-devel, and what its binding.gyp names"
        )
    )]
    NpmNative {
        /// The package.
        project: String,
    },
    /// Versions that don't go together.
    #[error("no version of `{project}` is within `{range}`, which `{needed_by}` needs")]
    #[diagnostic(
        code(forge::source::unresolved),
        help("does npm install it? take another version of the package")
    )]
    Unresolved {
        /// What is needed.
        project: String,
        /// Which versions of it.
        range: String,
        /// By whom.
        needed_by: String,
    },
    /// The lock doesn't have what is needed.
    #[error("the lock has no {missing} for `{project}`")]
    #[diagnostic(code(forge::source::lock_incomplete), help("`forge update PACKAGE` writes it anew"))]
    LockIncomplete {
        /// The project.
        project: String,
        /// What it lacks.
        missing: String,
    },
    /// Nothing may be locked anew, and this isn't locked.
    #[error("package `{package}` is not in the lock as the manifest has it, and the lock must not change")]
    #[diagnostic(
        code(forge::source::registry_not_locked),
        help("run `forge update {package}`, or leave out `--locked`")
    )]
    NotLocked {
        /// The package.
        package: String,
    },
    /// A file can't be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(Box<RemoteError>),
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A file can't be read or written.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::source::made_io), help("may forge write to its store?"))]
    Io(#[from] io::Error),
}

impl MadeSpecError {
    /// What can't be read.
    pub fn unreadable(file: &str, reason: impl ToString) -> Self {
        Self::Unreadable { file: file.to_owned(), reason: reason.to_string() }
    }
}

/// An error where an archive is not of the package, and version, that it was taken for.
pub fn check_identity(
    is_asked: bool,
    file: &str,
    asked: (&str, &str),
    found: (&str, &str),
) -> Result<(), MadeSpecError> {
    let shown = |(name, version): (&str, &str)| format!("{name} {version}").escape_debug().to_string();
    match is_asked {
        true => Ok(()),
        false => Err(MadeSpecError::OtherPackage {
            file: file.to_owned(),
            asked: shown(asked),
            found: shown(found),
        }),
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    #[test]
    fn a_file_that_can_not_be_written_is_said_with_what_to_look_at() {
        let error = MadeSpecError::from(io::Error::from(rustix::io::Errno::ROFS));
        assert_eq!(error.to_string(), "Read-only file system");
        assert_eq!(error.code().unwrap().to_string(), "forge::source::made_io");
        assert!(error.help().unwrap().to_string().contains("may forge write"));
    }
}
