//! What servers of S3's protocol answer in XML, as far as it is not asked for by an action of its own.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::PlaceError;
use crate::fetch::SignedReply;

/// How much is shown of what a server says, in characters.
const LONGEST_SHOWN: usize = 200;

/// What a refusal becomes.
pub(super) fn describe_refusal(doing: String, reply: &SignedReply) -> PlaceError {
    let said = texts(&reply.body, "Error", &["Code", "Message"]);
    let said = said.first().map(|said| said.iter().filter(|text| !text.is_empty()));
    let said: Vec<String> = said.into_iter().flatten().map(|text| shorten(text)).collect();
    let said = said.join(": ");
    let colon = if said.is_empty() { "" } else { " " };
    let help = match reply.status {
        301 | 307 | 308 => "is `region` right? The bucket may be in another one",
        401 | 403 => "are the credentials right, and may they list, read, write and remove in the bucket?",
        404 => "is the bucket there? forge makes none",
        _ => "the service's log may say more",
    };
    PlaceError::Refused { doing, answer: format!("{}{colon}{said}", reply.status), help }
}

/// Whether an answer that says 200 says in its content that it failed, as S3 does where the end takes long.
pub(super) fn has_failed(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("<Error>") || text.contains("<Error ")
}

/// The unfinished uploads of a list, by key and id, the newest last.
pub(super) fn read_uploads(body: &[u8]) -> Vec<(String, String)> {
    let found = texts(body, "Upload", &["Key", "UploadId", "Initiated"]);
    let mut uploads: Vec<(String, String, String)> = found
        .into_iter()
        .filter_map(|texts| <[String; 3]>::try_from(texts).ok())
        .map(|[key, id, begun]| (begun, key, id))
        .collect();
    uploads.sort();
    uploads.into_iter().map(|(_, key, id)| (key, id)).collect()
}

/// A part that a service has of an unfinished upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldPart {
    pub number: u16,
    /// In bytes.
    pub size: u64,
    /// Its MD5, as the service says it: in quotes.
    pub etag: String,
}

/// The parts of a list, and whether there are more. What the list itself is called is not the same everywhere.
pub(super) fn read_parts(body: &[u8]) -> (Vec<HeldPart>, bool) {
    let found = texts(body, "Part", &["PartNumber", "Size", "ETag"]);
    let parts = found.into_iter().filter_map(|texts| {
        let [number, size, etag] = <[String; 3]>::try_from(texts).ok()?;
        Some(HeldPart { number: number.parse().ok()?, size: size.parse().ok()?, etag })
    });
    let is_truncated = String::from_utf8_lossy(body).contains("<IsTruncated>true</IsTruncated>");
    (parts.collect(), is_truncated)
}

/// The texts of these elements, for each element `around` that they lie in; elements of other names are passed over. A document that
/// is none ends early.
fn texts(body: &[u8], around: &str, names: &[&str]) -> Vec<Vec<String>> {
    let mut reader = Reader::from_reader(body);
    let (mut found, mut open): (Vec<Vec<String>>, Option<usize>) = (Vec::new(), None);
    let mut current = vec![String::new(); names.len()];
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                let name: &str = name.as_ref();
                open = names.iter().position(|wanted| *wanted == name);
                if name == around {
                    current = vec![String::new(); names.len()];
                }
            }
            Ok(Event::Text(text)) => {
                if let Some(into) = open.and_then(|at| current.get_mut(at)) {
                    into.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let (Some(character), Some(into)) =
                    (resolve(&reference), open.and_then(|at| current.get_mut(at)))
                {
                    into.push(character);
                }
            }
            Ok(Event::End(end)) => {
                let name = end.local_name();
                let name: &str = name.as_ref();
                if name == around {
                    found.push(std::mem::take(&mut current));
                }
                open = None;
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if let Some(character) = reference.resolve_char_ref().ok().flatten() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_uploads_are_found_the_newest_last() {
        let body = b"<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Bucket>b</Bucket><Upload><Key>a&amp;b.rpm</Key><UploadId>new</UploadId>\
            <Initiator><ID>1</ID></Initiator><Initiated>2026-11-28T10:00:00.000Z</Initiated></Upload>\
            <Upload><Key>a&amp;b.rpm</Key><UploadId>old</UploadId><Initiated>2026-11-27T10:00:00.000Z</Initiated></Upload>\
            </ListMultipartUploadsResult>";
        let pair = |id: &str| ("a&b.rpm".to_owned(), id.to_owned());
        assert_eq!(read_uploads(body), [pair("old"), pair("new")]);
        assert!(read_uploads(b"<html><body>no</body>").is_empty());
    }

    #[test]
    fn parts_are_read_whatever_the_list_is_called() {
        for root in ["ListPartsResult", "ListPartsResponse"] {
            let body = format!(
                "<{root}><PartNumberMarker>0</PartNumberMarker><IsTruncated>true</IsTruncated>\
                 <Part><PartNumber>3</PartNumber><ETag>&quot;0f&quot;</ETag><Size>7</Size></Part>\
                 <Part><PartNumber>x</PartNumber><ETag>e</ETag><Size>7</Size></Part></{root}>"
            );
            let part = HeldPart { number: 3, size: 7, etag: "\"0f\"".to_owned() };
            assert_eq!(read_parts(body.as_bytes()), (vec![part], true));
        }
    }

    #[test]
    fn an_answer_that_fails_late_is_recognised() {
        assert!(has_failed(b"<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>"));
        assert!(!has_failed(
            b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        ));
    }
}
