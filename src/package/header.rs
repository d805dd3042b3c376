//! What a package says of itself, tag by tag.

use std::collections::BTreeMap;

use bstr::{BStr, BString};

use super::tag::{Kind, Tag};

/// The value of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(BString),
    /// Texts.
    Texts(Vec<BString>),
    /// A text in the languages that the header lists, in their order.
    Localized(Vec<BString>),
    /// Numbers, of whatever size the tag has.
    Numbers(Vec<u64>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One item of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'v> {
    /// A text.
    Text(&'v BStr),
    /// A number.
    Number(u64),
    /// Bytes.
    Bytes(&'v [u8]),
}

impl Value {
    /// How many items it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(_) | Self::Bytes(_) => 1,
            Self::Texts(texts) | Self::Localized(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of its items.
    pub fn item(&self, index: usize) -> Option<Item<'_>> {
        match self {
            Self::Text(text) => (index == 0).then_some(Item::Text(text.as_ref())),
            Self::Bytes(bytes) => (index == 0).then_some(Item::Bytes(bytes)),
            Self::Texts(texts) | Self::Localized(texts) => {
                texts.get(index).map(|text| Item::Text(text.as_ref()))
            }
            Self::Numbers(numbers) => numbers.get(index).copied().map(Item::Number),
        }
    }
}

/// The header of a package: values by tag, in the order of the tags' numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    values: BTreeMap<Tag, Value>,
}

impl Header {
    /// A tag's value.
    pub fn get(&self, tag: Tag) -> Option<&Value> {
        self.values.get(&tag)
    }

    /// Whether it has a tag.
    pub fn has(&self, tag: Tag) -> bool {
        self.values.contains_key(&tag)
    }

    /// Sets a tag, whatever it was before.
    pub fn set(&mut self, tag: Tag, value: Value) {
        self.values.insert(tag, value);
    }

    /// Takes a tag away.
    pub fn remove(&mut self, tag: Tag) {
        self.values.remove(&tag);
    }

    /// Sets a tag to a text.
    pub fn set_text(&mut self, tag: Tag, text: impl Into<BString>) {
        let text = text.into();
        self.set(tag, if tag.kind() == Kind::Texts { Value::Texts(vec![text]) } else { Value::Text(text) });
    }

    /// Sets a tag to a number.
    pub fn set_number(&mut self, tag: Tag, number: u64) {
        self.set(tag, Value::Numbers(vec![number]));
    }

    /// Puts texts at the end of a tag's value; nothing becomes of none.
    pub fn add_texts(&mut self, tag: Tag, texts: impl IntoIterator<Item = BString>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            match self.values.entry(tag).or_insert_with(|| Value::Texts(Vec::new())) {
                Value::Texts(all) | Value::Localized(all) => all.extend(texts),
                other @ (Value::Text(_) | Value::Numbers(_) | Value::Bytes(_)) => {
                    *other = Value::Texts(texts.collect())
                }
            }
        }
    }

    /// Puts a number at the end of a tag's value.
    pub fn add_number(&mut self, tag: Tag, number: u64) {
        match self.values.entry(tag).or_insert_with(|| Value::Numbers(Vec::new())) {
            Value::Numbers(all) => all.push(number),
            other @ (Value::Text(_) | Value::Texts(_) | Value::Localized(_) | Value::Bytes(_)) => {
                *other = Value::Numbers(vec![number]);
            }
        }
    }

    /// The first text of a tag.
    pub fn text(&self, tag: Tag) -> Option<&BStr> {
        match self.get(tag)?.item(0)? {
            Item::Text(text) => Some(text),
            Item::Number(_) | Item::Bytes(_) => None,
        }
    }

    /// The texts of a tag.
    pub fn texts(&self, tag: Tag) -> &[BString] {
        match self.get(tag) {
            Some(Value::Texts(texts) | Value::Localized(texts)) => texts,
            Some(Value::Text(text)) => std::slice::from_ref(text),
            _ => &[],
        }
    }

    /// The numbers of a tag.
    pub fn numbers(&self, tag: Tag) -> &[u64] {
        match self.get(tag) {
            Some(Value::Numbers(numbers)) => numbers,
            _ => &[],
        }
    }

    /// All tags with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &Value)> {
        self.values.iter().map(|(tag, value)| (*tag, value))
    }

    /// `[epoch:]version-release`.
    pub fn evr(&self) -> BString {
        let mut evr = Vec::new();
        if let Some(epoch) = self.numbers(Tag::EPOCH).first() {
            evr.extend(format!("{epoch}:").into_bytes());
        }
        evr.extend_from_slice(&self.version_release());
        evr.into()
    }

    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        let text = |tag| self.text(tag).unwrap_or_default();
        format!("{}-{}.{}", text(Tag::NAME), self.evr(), text(Tag::ARCH))
    }

    /// The path of one of its files.
    pub fn file_path(&self, number: usize) -> Option<BString> {
        let folder = usize::try_from(*self.numbers(Tag::DIRINDEXES).get(number)?).ok()?;
        let folder = self.texts(Tag::DIRNAMES).get(folder)?;
        Some([folder.as_slice(), self.texts(Tag::BASENAMES).get(number)?].concat().into())
    }

    /// The paths of its files, in their order.
    pub fn file_paths(&self) -> impl Iterator<Item = BString> {
        (0..self.texts(Tag::BASENAMES).len()).filter_map(|number| self.file_path(number))
    }

    /// `version-release`.
    pub fn version_release(&self) -> BString {
        let text = |tag| self.text(tag).unwrap_or_default();
        [text(Tag::VERSION).as_ref(), b"-".as_slice(), text(Tag::RELEASE).as_ref()].concat().into()
    }
}
