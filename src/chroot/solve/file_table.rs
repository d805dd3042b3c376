//! Which packages have a file.

use super::texts::Texts;

/// Files by folder and name, with the package that has each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileTable {
    /// The folders, sorted, without a slash at their ends.
    pub(super) folders: Texts,
    /// Where the files of each folder end.
    pub(super) folder_ends: Vec<u32>,
    /// The names, sorted within their folder.
    pub(super) names: Texts,
    /// The package of each.
    pub(super) packages: Vec<u32>,
}

impl FileTable {
    /// A table of files: their paths, and the package that has each.
    pub fn new(files: &mut [(String, u32)]) -> Option<Self> {
        let split = |path: &str| {
            path.rsplit_once('/')
                .map_or_else(Default::default, |(folder, name)| (folder.to_owned(), name.to_owned()))
        };
        files.sort_by_cached_key(|(path, package)| (split(path), *package));
        let mut table = Self::default();
        for (path, package) in &*files {
            let Some((folder, name)) = path.rsplit_once('/') else { continue };
            let is_new = table.folders.len() == 0
                || table.folders.get(u32::try_from(table.folders.len() - 1).ok()?) != folder;
            if is_new {
                table.folders.push(folder)?;
                table.folder_ends.push(0);
            }
            table.names.push(name)?;
            table.packages.push(*package);
            if let Some(end) = table.folder_ends.last_mut() {
                *end = u32::try_from(table.packages.len()).ok()?;
            }
        }
        Some(table)
    }

    /// The packages that have a file.
    pub fn packages_with(&self, path: &str) -> &[u32] {
        self.find(path).unwrap_or_default()
    }

    fn find(&self, path: &str) -> Option<&[u32]> {
        let (folder, name) = path.rsplit_once('/')?;
        let folder = self.folders.find_sorted(folder)?;
        let end = *self.folder_ends.get(folder as usize)?;
        let begin =
            folder.checked_sub(1).map_or(Some(0), |before| self.folder_ends.get(before as usize).copied())?;
        let first = self.first_from(begin, end, |other| other < name);
        let last = self.first_from(first, end, |other| other <= name);
        self.packages.get(first as usize..last as usize)
    }

    fn first_from(&self, begin: u32, end: u32, is_before: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (begin, end);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.names.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The paths of files whose name is `name`, with their packages.
    pub fn named<'t>(&'t self, name: &'t str) -> impl Iterator<Item = (String, u32)> + 't {
        let files =
            self.names.iter().zip(&self.packages).zip(0_u32..).filter(move |((other, _), _)| *other == name);
        files.map(move |((_, package), place)| {
            let folder = self.folder_ends.partition_point(|end| *end <= place);
            (format!("{}/{name}", self.folders.get(u32::try_from(folder).unwrap_or(u32::MAX))), *package)
        })
    }

    /// All files, with the package that has each.
    pub fn iter(&self) -> impl Iterator<Item = (String, u32)> + '_ {
        let files = self.names.iter().zip(&self.packages).zip(0_u32..);
        files.map(|((name, package), place)| {
            let folder = self.folder_ends.partition_point(|end| *end <= place);
            (format!("{}/{name}", self.folders.get(u32::try_from(folder).unwrap_or(u32::MAX))), *package)
        })
    }

    /// Whether its parts belong together, and all packages are of `count`.
    pub fn is_sound(&self, count: usize) -> bool {
        self.folders.is_sound()
            && self.names.is_sound()
            && self.folder_ends.len() == self.folders.len()
            && self.names.len() == self.packages.len()
            && self.folder_ends.is_sorted()
            && self.folder_ends.last().map_or(0, |end| *end as usize) == self.packages.len()
            && self.packages.iter().all(|package| (*package as usize) < count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_leads_to_all_packages_that_have_it() {
        let mut files: Vec<(String, u32)> =
            [("/usr/bin/b", 1), ("/usr/bin/a", 2), ("/usr/bin-b/x", 0), ("/usr/bin/b", 0), ("/top", 3)]
                .map(|(path, package)| (path.to_owned(), package))
                .into();
        let table = FileTable::new(&mut files).unwrap();
        assert!(table.is_sound(4));
        assert!(!table.is_sound(3));
        assert_eq!(table.packages_with("/usr/bin/b"), [0, 1]);
        assert_eq!(table.packages_with("/top"), [3]);
        assert_eq!(table.packages_with("/usr/bin"), [] as [u32; 0]);
        assert_eq!(table.packages_with("/usr/bin/c"), [] as [u32; 0]);
        assert_eq!(table.named("x").collect::<Vec<_>>(), [("/usr/bin-b/x".to_owned(), 0)]);
        assert_eq!(table.iter().count(), 5);
    }
}
