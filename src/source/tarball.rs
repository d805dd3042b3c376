//! A tarball with a spec in it, as `rpmbuild -ta` takes one: the spec is read out of it, and the tarball is a source of that by
//! its own name.

use std::path::Path;

use super::SourceError;
use super::made_spec::read_archive;
use super::source_folders::SourceFolders;
use super::source_package::{only_spec, safe_name, unsafe_file};
use crate::digest::{Digest, Encoder};
use crate::files::Folder;

/// A tarball, and what it is called.
#[derive(Clone, Copy)]
pub(super) struct Tarball<'a> {
    /// The folder from which it can be reached.
    pub root: &'a Folder,
    /// Its path from there.
    pub path: &'a Path,
    /// The name that its spec knows it by.
    pub name: &'a str,
    /// What it is called in messages.
    pub shown: &'a str,
}

impl Tarball<'_> {
    /// The digest of all that decides what its folder holds.
    ///
    /// # Errors
    /// It can't be read.
    pub fn digest(&self) -> std::io::Result<(Digest, u64)> {
        let (content, size) = Digest::read_file(self.root, self.path)?;
        Ok((folder_digest(self.name, &content), size))
    }

    /// A folder with its spec and itself, and the name of the spec.
    ///
    /// # Errors
    /// It has no spec or several, or something that is not unpacked.
    pub fn lay_out(&self, folders: &SourceFolders) -> Result<(Folder, String), SourceError> {
        let (digest, size) = self.digest()?;
        folders.make_once(digest, |files| {
            let (name, text) = self.read_spec(size)?;
            files.write_atomic(&name, &text)?;
            let mut content = self.root.open(self.path)?;
            files.write_atomic_with(self.name, |file| std::io::copy(&mut content, file).map(drop))?;
            let (copied, _) = Digest::read_file(files, self.name)?;
            match folder_digest(self.name, &copied) == digest {
                true => Ok(name),
                false => Err(SourceError::Changed { file: self.shown.to_owned() }),
            }
        })
    }

    /// The one spec in it.
    fn read_spec(&self, size: u64) -> Result<(String, Vec<u8>), SourceError> {
        let is_spec = |path: &str| path.ends_with(".spec");
        let mut content = read_archive(self.shown, size, self.root.open(self.path)?, &is_spec)?;
        if let Some(link) = content.links.iter().find(|path| is_spec(path)) {
            return Err(unsafe_file(self.shown, link.clone(), "a spec is a file of its own, and no link"));
        }
        let specs = content.files.into_iter().filter(|path| is_spec(path)).collect();
        let path = only_spec(self.shown, specs)?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        let name = safe_name(self.shown, name.as_bytes())?;
        let text = content.texts.remove(&path).unwrap_or_default();
        Ok((name, text))
    }
}

fn folder_digest(name: &str, content: &Digest) -> Digest {
    Encoder::new("rpmforge tarball with a spec v1")
        .text("name", name)
        .digest_field("content", content)
        .digest()
}
