//! XML from strangers: read as a stream, within limits, without entities.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::limits::{DEEPEST_ELEMENT, LONGEST_NAME, LONGEST_NODE};
use super::problem::MetadataProblem;

/// Reads XML element by element.
pub(super) struct XmlReader<R: BufRead> {
    reader: Reader<Guard<R>>,
    buffer: Vec<u8>,
    depth: usize,
    /// Of the element that was opened last.
    attributes: Attributes,
    name: String,
    most_bytes: u64,
    /// Whether the element that was opened last has no content, and its end is still to be told.
    is_empty: bool,
}

/// The attributes of an element. Their texts are used again for the next one: there are millions of elements.
#[derive(Default)]
struct Attributes {
    all: Vec<(String, String)>,
    /// How many of them belong to the element.
    count: usize,
}

impl Attributes {
    fn get(&self, name: &str) -> Option<&str> {
        let own = self.all.iter().take(self.count);
        own.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn push(&mut self, key: &str, value: &str) {
        match self.all.get_mut(self.count) {
            Some((old_key, old_value)) => {
                old_key.clear();
                old_key.push_str(key);
                old_value.clear();
                old_value.push_str(value);
            }
            None => self.all.push((key.to_owned(), value.to_owned())),
        }
        self.count += 1;
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum XmlNode {
    /// An element begins.
    Begin,
    /// The innermost open element ends.
    End,
    /// The file ends.
    EndOfFile,
}

/// Counts what is read, and stops what goes on without end.
struct Guard<R> {
    inner: R,
    left: u64,
    left_of_node: u64,
    read: u64,
}

/// What a limit says where it is reached.
const TOO_LARGE: &str = "it is larger, unpacked";
const NODE_TOO_LONG: &str = "a tag or a text is longer";

impl<R: BufRead> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Guard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left_of_node == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, NODE_TOO_LONG));
        }
        let buffer = self.inner.fill_buf()?;
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_LARGE));
        }
        let most = usize::try_from(self.left.min(self.left_of_node)).unwrap_or(usize::MAX);
        Ok(buffer.get(..buffer.len().min(most)).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        let count = count as u64;
        self.left = self.left.saturating_sub(count);
        self.left_of_node = self.left_of_node.saturating_sub(count);
        self.read = self.read.saturating_add(count);
    }
}

impl<R: BufRead> XmlReader<R> {
    /// Reads up to so many bytes.
    pub fn new(inner: R, most_bytes: u64) -> Self {
        let guard = Guard { inner, left: most_bytes, left_of_node: LONGEST_NODE, read: 0 };
        Self {
            reader: Reader::from_reader(guard),
            buffer: Vec::new(),
            depth: 0,
            attributes: Attributes::default(),
            name: String::new(),
            most_bytes,
            is_empty: false,
        }
    }

    /// How many bytes were read.
    pub fn position(&mut self) -> u64 {
        self.reader.get_mut().read
    }

    /// What comes next, texts aside.
    pub fn step(&mut self) -> Result<XmlNode, MetadataProblem> {
        self.next_node(None)
    }

    /// Whether the outermost element has ended.
    pub fn is_over(&self) -> bool {
        self.depth == 0
    }

    /// The name of the element that was opened last, without its prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute of the element that was opened last.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)
    }

    /// As [`Self::attribute`], for one that must be there.
    pub fn needed(&self, name: &str) -> Result<&str, MetadataProblem> {
        let problem =
            || MetadataProblem::Malformed(format!("`{}` has no `{name}`", self.name.escape_debug()));
        self.attribute(name).ok_or_else(problem)
    }

    /// A number that must be there.
    pub fn number(&self, name: &str) -> Result<u64, MetadataProblem> {
        let text = self.needed(name)?;
        text.trim().parse().map_err(|_| not_a_number(text))
    }

    /// The text of the element that was opened last, up to its end; there may be no element in it.
    pub fn text(&mut self) -> Result<String, MetadataProblem> {
        let mut text = String::new();
        match self.next_node(Some(&mut text))? {
            XmlNode::End => Ok(text),
            XmlNode::Begin => Err(MetadataProblem::Malformed(format!(
                "`{}` stands where a text should",
                self.name.escape_debug()
            ))),
            XmlNode::EndOfFile => Err(ends_early()),
        }
    }

    /// As [`Self::text`], as a number.
    pub fn text_as_number(&mut self) -> Result<u64, MetadataProblem> {
        let text = self.text()?;
        text.trim().parse().map_err(|_| not_a_number(&text))
    }

    /// Goes on behind the end of the element that was opened last.
    pub fn skip(&mut self) -> Result<(), MetadataProblem> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.step()? == XmlNode::EndOfFile {
                return Err(ends_early());
            }
        }
        Ok(())
    }

    /// Opens the outermost element, which must be this one.
    pub fn open(&mut self, name: &str) -> Result<(), MetadataProblem> {
        match self.step()? {
            XmlNode::Begin if self.name == name => Ok(()),
            XmlNode::Begin => Err(MetadataProblem::Malformed(format!(
                "it is a `{}`, no `{name}`",
                self.name.escape_debug()
            ))),
            XmlNode::End | XmlNode::EndOfFile => Err(MetadataProblem::malformed("it is empty")),
        }
    }

    /// Opens the next element within the one that was open at `depth`; nothing where that one ends.
    pub fn child(&mut self) -> Result<bool, MetadataProblem> {
        match self.step()? {
            XmlNode::Begin => Ok(true),
            XmlNode::End => Ok(false),
            XmlNode::EndOfFile => Err(ends_early()),
        }
    }

    fn next_node(&mut self, mut text: Option<&mut String>) -> Result<XmlNode, MetadataProblem> {
        if std::mem::take(&mut self.is_empty) {
            self.depth = self.depth.saturating_sub(1);
            return Ok(XmlNode::End);
        }
        loop {
            self.buffer.clear();
            self.reader.get_mut().left_of_node = LONGEST_NODE;
            let event = self.reader.read_event_into(&mut self.buffer);
            match event.map_err(|error| read_problem(error, self.most_bytes))? {
                Event::Start(start) => {
                    begin(&start, &mut self.name, &mut self.attributes)?;
                    return self.deeper();
                }
                Event::Empty(start) => {
                    begin(&start, &mut self.name, &mut self.attributes)?;
                    self.is_empty = true;
                    return self.deeper();
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(XmlNode::End);
                }
                Event::Eof if self.depth > 0 => return Err(ends_early()),
                Event::Eof => return Ok(XmlNode::EndOfFile),
                // Fedora's groups name an outer one, which is not fetched; nothing is defined without brackets.
                Event::DocType(definition) if definition.contains('[') => {
                    return Err(MetadataProblem::Entities("defines a document type of its own".to_owned()));
                }
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference)?;
                    push(text.as_deref_mut(), character.encode_utf8(&mut [0; 4]))?;
                }
                Event::Text(part) => push(text.as_deref_mut(), &part)?,
                Event::CData(part) => push(text.as_deref_mut(), &part)?,
                Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn deeper(&mut self) -> Result<XmlNode, MetadataProblem> {
        self.depth += 1;
        match self.depth > DEEPEST_ELEMENT {
            true => Err(MetadataProblem::TooLarge {
                what: "elements lie deeper within each other".to_owned(),
                most: DEEPEST_ELEMENT as u64,
            }),
            false => Ok(XmlNode::Begin),
        }
    }
}

/// Adds a part to a text that is wanted.
fn push(text: Option<&mut String>, part: &str) -> Result<(), MetadataProblem> {
    let Some(text) = text else { return Ok(()) };
    if text.len().saturating_add(part.len()) as u64 > LONGEST_NODE {
        return Err(MetadataProblem::TooLarge { what: "a text is longer".to_owned(), most: LONGEST_NODE });
    }
    text.push_str(part);
    Ok(())
}

fn begin(
    start: &BytesStart<'_>,
    name: &mut String,
    attributes: &mut Attributes,
) -> Result<(), MetadataProblem> {
    name.clear();
    name.push_str(start.local_name().as_ref());
    attributes.count = 0;
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| MetadataProblem::Malformed(error.to_string()))?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        let value = value.map_err(|error| read_problem(error, LONGEST_NODE))?;
        if value.len() > LONGEST_NAME {
            let what = "an attribute is longer".to_owned();
            return Err(MetadataProblem::TooLarge { what, most: LONGEST_NAME as u64 });
        }
        attributes.push(attribute.key.as_ref(), &value);
    }
    Ok(())
}

/// What a reference stands for: a character, or one of the five that XML knows.
fn resolve(reference: &BytesRef<'_>) -> Result<char, MetadataProblem> {
    if let Some(character) =
        reference.resolve_char_ref().map_err(|error| read_problem(error, LONGEST_NODE))?
    {
        return Ok(character);
    }
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        other => Err(MetadataProblem::Entities(format!("uses the entity `{}`", other.escape_debug()))),
    }
}

fn read_problem(error: quick_xml::Error, most_bytes: u64) -> MetadataProblem {
    match error {
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            let what = error.to_string();
            let most = if what == NODE_TOO_LONG { LONGEST_NODE } else { most_bytes };
            MetadataProblem::TooLarge { what, most }
        }
        quick_xml::Error::Io(error) => MetadataProblem::Malformed(crate::files::reason(&error)),
        quick_xml::Error::Escape(error) => {
            MetadataProblem::Entities(format!("has what is no character: {error}"))
        }
        other => MetadataProblem::Malformed(format!("it is no sound XML: {}", visible(&other.to_string()))),
    }
}

fn visible(text: &str) -> String {
    text.escape_debug().take(200).collect()
}

fn ends_early() -> MetadataProblem {
    MetadataProblem::malformed("it ends before it should")
}

fn not_a_number(text: &str) -> MetadataProblem {
    MetadataProblem::Malformed(format!("`{}` is no number", visible(text)))
}
