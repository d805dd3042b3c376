//! What `svn info --xml` and `svn log --xml` answer.

use quick_xml::Reader;
use quick_xml::events::Event;

/// What a folder of a repository is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SvnInfo {
    /// `dir` or `file`.
    pub kind: String,
    /// The last revision that changed it, or anything in it.
    pub last_changed: u64,
}

/// A revision, as the log tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SvnChange {
    /// The revision.
    pub revision: u64,
    /// Who made it.
    pub author: String,
    /// The first line of what is said of it.
    pub subject: String,
}

/// Reads what `svn info --xml` answers of one folder.
pub(super) fn read_info(text: &str) -> Option<SvnInfo> {
    let mut info = SvnInfo::default();
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => match start.name().as_ref() {
                "entry" => info.kind = attribute(&start, "kind")?,
                "commit" => info.last_changed = attribute(&start, "revision")?.parse().ok()?,
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    (info.last_changed > 0 && !info.kind.is_empty()).then_some(info)
}

/// Reads the names of folders that `svn list --xml` answers.
pub(super) fn read_folders(text: &str) -> Option<Vec<String>> {
    let (mut folders, mut is_folder, mut is_name) = (Vec::new(), false, false);
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => match start.name().as_ref() {
                "entry" => is_folder = attribute(&start, "kind")? == "dir",
                "name" if is_folder => {
                    is_name = true;
                    folders.push(String::new());
                }
                _ => {}
            },
            Event::Text(words) if is_name => {
                if let Some(name) = folders.last_mut() {
                    name.push_str(&words);
                }
            }
            Event::End(_) => is_name = false,
            Event::Eof => return Some(folders),
            _ => {}
        }
    }
}

/// Reads what `svn log --xml` answers.
pub(super) fn read_log(text: &str) -> Option<Vec<SvnChange>> {
    let mut changes: Vec<SvnChange> = Vec::new();
    let mut inside = String::new();
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                inside = start.name().as_ref().to_owned();
                if inside == "logentry" {
                    let revision = attribute(&start, "revision")?.parse().ok()?;
                    changes.push(SvnChange { revision, ..SvnChange::default() });
                }
            }
            Event::Text(words) => {
                add_words(&mut changes, &inside, &words);
            }
            Event::GeneralRef(reference) => {
                let word = match &*reference {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => "?",
                };
                add_words(&mut changes, &inside, word);
            }
            Event::End(_) => inside.clear(),
            Event::Eof => break,
            _ => {}
        }
    }
    for change in &mut changes {
        change.subject = change.subject.trim().lines().next().unwrap_or_default().to_owned();
    }
    Some(changes)
}

fn add_words(changes: &mut [SvnChange], inside: &str, words: &str) {
    if let Some(change) = changes.last_mut() {
        match inside {
            "author" => change.author.push_str(words),
            "msg" => change.subject.push_str(words),
            _ => {}
        }
    }
}

fn attribute(start: &quick_xml::events::BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).ok()??;
    Some(found.value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_nonsense_is_not() {
        let info = "<?xml version=\"1.0\"?>\n<info>\n<entry\n   path=\"a\"\n   revision=\"7\"\n   kind=\"dir\">\n\
            <url>svn://x/a</url>\n<commit\n   revision=\"5\">\n<author>ada</author>\n</commit>\n</entry>\n</info>\n";
        assert_eq!(read_info(info), Some(SvnInfo { kind: "dir".to_owned(), last_changed: 5 }));
        let log = "<log>\n<logentry\n   revision=\"6\">\n<author>ada</author>\n<date>x</date>\n<msg>Mend &lt;it&gt; &amp; go\nmore</msg>\n\
            </logentry>\n</log>\n";
        let change =
            SvnChange { revision: 6, author: "ada".to_owned(), subject: "Mend <it> & go".to_owned() };
        assert_eq!(read_log(log), Some(vec![change]));
        let list = "<lists>\n<list\n   path=\"x\">\n<entry\n   kind=\"dir\">\n<name>v1.2</name>\n<commit\n   revision=\"5\">\n\
            <author>ada</author>\n</commit>\n</entry>\n<entry\n   kind=\"file\">\n<name>v1.3</name>\n</entry>\n</list>\n</lists>\n";
        assert_eq!(read_folders(list), Some(vec!["v1.2".to_owned()]));
        assert_eq!(read_folders("<lists><list><entry><name>"), None);
        assert_eq!(read_info("<info/>"), None);
        assert_eq!(read_info("<info><entry kind='dir'><commit revision='x'/></entry></info>"), None);
        assert_eq!(read_log("<log><logentry"), None);
    }
}
