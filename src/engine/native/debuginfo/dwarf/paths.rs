//! Paths of sources, as debug information has them.

/// What becomes of the folder that programs were built in.
#[derive(Clone, Debug)]
pub(in super::super) struct PathChange {
    base: Vec<u8>,
    destination: Vec<u8>,
}

impl PathChange {
    /// `base` becomes `destination`.
    pub(in super::super) fn new(base: &[u8], destination: &[u8]) -> Self {
        Self { base: normalized(base), destination: normalized(destination) }
    }

    /// What follows the folder in a path that lies in it.
    fn rest<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        rest(path, &self.base)
    }

    /// How long the folder's part of a path is that lies in it.
    pub(super) fn changed_length(&self, path: &[u8]) -> Option<usize> {
        self.rest(path).map(|rest| path.len() - rest.len())
    }

    /// The new path of one that lies in the folder.
    pub(super) fn change(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.rest(path).map(|rest| [self.destination.as_slice(), rest].concat())
    }

    /// As [`PathChange::change`], in exactly as many bytes: where fewer are needed, with more slashes.
    pub(super) fn change_in_place(&self, path: &[u8]) -> Option<Vec<u8>> {
        let rest = self.rest(path)?;
        let spare = (path.len() - rest.len()).checked_sub(self.destination.len())?;
        Some([self.destination.as_slice(), &vec![b'/'; spare], rest].concat())
    }

    /// The path below the folder of a source that is in it, or was said to be at the new place already.
    pub(super) fn relative(&self, path: &[u8]) -> Option<Vec<u8>> {
        let path = normalized(path);
        let rest = rest(&path, &self.base).or_else(|| rest(&path, &self.destination))?;
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        Some(rest.to_vec())
    }
}

fn rest<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    let rest = path.strip_prefix(folder)?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}

/// A path without what means nothing in it: `//`, `/./`, `/x/../`.
fn normalized(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let beginning = if path.starts_with(b"/") { b"/".as_slice() } else { b"" };
    [beginning, &parts.join(&b'/')].concat()
}

/// A path in a folder, unless it says by itself where it is.
pub(super) fn joined(folder: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") || folder.is_empty() { path.to_vec() } else { [folder, b"/", path].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_folder_is_changed() {
        let change = PathChange::new(b"/b//build/", b"/usr/src/debug/a");
        assert_eq!(change.change(b"/b/build/x.c").unwrap(), b"/usr/src/debug/a/x.c");
        assert_eq!(change.change(b"/b/build").unwrap(), b"/usr/src/debug/a");
        assert_eq!(change.change(b"/b/builder/x.c"), None);
        assert_eq!(change.change_in_place(b"/b/build/x.c"), None, "it has no room");
        let change = PathChange::new(b"/var/build/one", b"/usr/src/a");
        assert_eq!(change.change_in_place(b"/var/build/one/x").unwrap(), b"/usr/src/a/////x");
    }

    #[test]
    fn sources_are_named_from_the_folder() {
        let change = PathChange::new(b"/b", b"/usr/src/debug/a");
        assert_eq!(change.relative(b"/b/x/../y/./z.c").unwrap(), b"y/z.c");
        assert_eq!(change.relative(b"/usr/src/debug/a/z.c").unwrap(), b"z.c");
        assert_eq!(change.relative(b"/b/../etc/passwd"), None);
        assert_eq!(change.relative(b"z.c"), None);
    }
}
