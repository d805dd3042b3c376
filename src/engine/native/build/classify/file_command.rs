//! What files are, asked of the root's file(1).

use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};

use super::super::build_root::BuildRoot;
use super::super::files::PackagedFile;
use super::super::world::World;
use super::class::Class;
use crate::files::HostPath;
use crate::macros::FilterJob;

/// How many files one run takes together; fewer are not worth a program of their own.
const LEAST_TOGETHER: usize = 200;

/// What is asked of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Their descriptions: all that packages of format 4 hold.
    Description,
    /// Their MIME types as well.
    DescriptionAndType,
}

/// What file(1) answers.
#[derive(Default)]
pub(super) struct Answers<'f> {
    pub(super) known: Vec<(usize, Class)>,
    /// The files that it said nothing of.
    pub(super) open: Vec<(usize, &'f PackagedFile)>,
}

/// The files that file(1) is asked about with one database: its own, where none is given.
#[derive(Clone)]
pub(super) struct FileList<'f> {
    pub(super) files: Vec<(usize, &'f PackagedFile)>,
    pub(super) database: Option<&'f HostPath>,
}

impl<'f> FileList<'f> {
    /// The list in parts of so many files.
    fn split(&self, size: usize) -> Vec<Self> {
        let part = |files: &[(usize, &'f PackagedFile)]| Self { files: files.to_vec(), ..*self };
        self.files.chunks(size).map(part).collect()
    }
}

/// The root's file(1).
#[derive(Clone, Copy)]
pub(super) struct FileCommand<'q> {
    pub(super) world: World<'q>,
    /// The buildroot that the files lie in.
    pub(super) root: &'q BuildRoot,
    /// How many may run at a time.
    pub(super) threads: usize,
    pub(super) question: Question,
}

impl FileCommand<'_> {
    /// Asks about files; gives what it knows, and what it does not.
    pub(super) fn ask<'f>(&self, lists: &[FileList<'f>]) -> Answers<'f> {
        let count: usize = lists.iter().map(|list| list.files.len()).sum();
        let together = count.div_ceil(self.threads.max(1)).max(LEAST_TOGETHER);
        let chunks: Vec<FileList<'f>> = lists.iter().flat_map(|list| list.split(together)).collect();
        let jobs: Vec<_> = chunks.iter().flat_map(|chunk| self.list_jobs(chunk)).collect();
        let results = self.world.macros.filter_all(&jobs, self.threads);
        let answers_each = if self.question == Question::DescriptionAndType { 2 } else { 1 };
        let mut all = Answers::default();
        for (FileList { files, .. }, answers) in chunks.iter().zip(results.chunks(answers_each)) {
            let lines: Vec<Vec<&[u8]>> =
                answers.iter().flatten().map(|(_, output)| output.lines().collect()).collect();
            let no_mimes = vec![b"".as_slice(); files.len()];
            match (lines.as_slice(), self.question) {
                ([mimes, descriptions], Question::DescriptionAndType)
                    if descriptions.len() == files.len() && mimes.len() == files.len() =>
                {
                    all.known.extend(read_classes(files, descriptions, mimes));
                }
                ([descriptions], Question::Description) if descriptions.len() == files.len() => {
                    all.known.extend(read_classes(files, descriptions, &no_mimes));
                }
                _ => all.open.extend_from_slice(files),
            }
        }
        all
    }

    /// What is run to ask about some files, with what it reads.
    fn list_jobs(&self, FileList { files, database }: &FileList<'_>) -> Vec<FilterJob> {
        let path = |(_, file): &(usize, &PackagedFile)| {
            [self.root.program_path(&file.on_disk), b"\n".to_vec()].concat()
        };
        let list = files.iter().map(path).collect::<Vec<_>>().concat();
        let database = database.map(|file| vec![b"-m".to_vec(), file.as_os_str().as_bytes().to_vec()]);
        let database = database.unwrap_or_default();
        // file(1) looks at the files of a list as soon as it has read `-f`: what comes after is too late.
        let job = |what: &[&str]| {
            let options = as_words(&["-b", "-z", "-e", "tokens", "-f", "-"]);
            ([as_words(&["file"]), database.clone(), as_words(what), options].concat(), list.clone())
        };
        match self.question {
            Question::DescriptionAndType => vec![job(&["--mime-type"]), job(&[])],
            Question::Description => vec![job(&[])],
        }
    }
}

/// Reads the classes that file(1) tells, line by line.
fn read_classes(
    files: &[(usize, &PackagedFile)],
    descriptions: &[&[u8]],
    mimes: &[&[u8]],
) -> impl Iterator<Item = (usize, Class)> {
    files.iter().zip(descriptions).zip(mimes).map(|(((index, _), description), mime)| {
        // What it can't unpack it tells in brackets, with what the file is besides.
        let is_known = !description.starts_with(b"ERROR: ") && !description.starts_with(b"cannot ");
        let description = if is_known { (*description).into() } else { BString::default() };
        (*index, Class { description, mime: mime.trim_ascii().into(), color: 0 })
    })
}

fn as_words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_file_says_is_kept_as_it_is_but_for_what_it_could_not_look_at() {
        let entry = PackagedFile::default();
        let files = [(0, &entry), (1, &entry), (2, &entry)];
        let said: [&[u8]; 3] =
            [b"ERROR:[gzip: ] (Zip archive data)", b"ERROR: cannot read", b"an image, 1x1 "];
        let kept: Vec<BString> =
            read_classes(&files, &said, &[b"".as_slice(); 3]).map(|(_, class)| class.description).collect();
        assert_eq!(kept, [said[0], b"", said[2]]);
    }
}
