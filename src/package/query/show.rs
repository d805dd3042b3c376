//! Showing a header in a query format.

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

use super::super::header::{Header, Item, Value};
use super::super::tag::Tag;
use super::format_part::{FormatField, FormatPart};
use super::formatter::Formatter;
use super::surroundings::Surroundings;
use super::{QueryFormat, QueryProblem, names};

impl QueryFormat {
    /// What the format says of a header.
    ///
    /// # Errors
    /// An iterator goes through lists of different lengths.
    pub fn show(&self, header: &Header, around: &Surroundings<'_>) -> Result<Vec<u8>, QueryProblem> {
        let view = View { header, around };
        let mut out = Vec::new();
        match self.parts.first() {
            Some(part @ FormatPart::Field(field)) if field.tag.is_none() => {
                view.show_whole(std::slice::from_ref(part), false, &mut out)?;
            }
            Some(FormatPart::Iterator(parts)) if is_whole(parts) => view.show_whole(parts, true, &mut out)?,
            _ => {
                for part in &self.parts {
                    view.show_part(part, 0, &mut out)?;
                }
            }
        }
        Ok(out)
    }
}

fn is_whole(parts: &[FormatPart]) -> bool {
    matches!(parts.first(), Some(FormatPart::Field(field)) if field.tag.is_none())
}

/// A header and what is around it.
pub(super) struct View<'v> {
    pub header: &'v Header,
    pub around: &'v Surroundings<'v>,
}

impl<'v> View<'v> {
    /// Shows a part with the items of one turn of the iterator around it.
    pub fn show_part(&self, part: &FormatPart, turn: usize, out: &mut Vec<u8>) -> Result<(), QueryProblem> {
        match part {
            FormatPart::Text(text) => out.extend_from_slice(text),
            FormatPart::Field(field) => self.show_field(field, turn, out),
            FormatPart::Condition { tag, present, absent } => {
                let branch = if self.value(*tag).is_some() { present } else { absent };
                for part in branch {
                    self.show_part(part, turn, out)?;
                }
            }
            FormatPart::Iterator(parts) => self.show_iterator(parts, out)?,
        }
        Ok(())
    }

    fn show_field(&self, field: &FormatField, turn: usize, out: &mut Vec<u8>) {
        let index = if field.is_first_only { 0 } else { turn };
        let shown = field.tag.and_then(|tag| {
            let value = self.value(tag)?;
            if field.formatter == Formatter::ArraySize {
                return Some(value.len().to_string().into_bytes());
            }
            let item = match &*value {
                Value::Localized(texts) if index == 0 => Item::Text(self.choose_language(texts)?.as_bstr()),
                Value::Localized(_)
                | Value::Text(_)
                | Value::Texts(_)
                | Value::Numbers(_)
                | Value::Bytes(_) => value.item(index)?,
            };
            Some(field.formatter.show(item, tag, self.around))
        });
        let shown = shown.unwrap_or_else(|| b"(none)".to_vec());
        let width = usize::try_from(field.width.unsigned_abs()).unwrap_or_default();
        let padding = vec![b' '; width.saturating_sub(shown.len())];
        if field.width > 0 {
            out.extend(padding);
            out.extend(shown);
        } else {
            out.extend(shown);
            out.extend(padding);
        }
    }

    fn show_iterator(&self, parts: &[FormatPart], out: &mut Vec<u8>) -> Result<(), QueryProblem> {
        for turn in 0..self.count_turns(parts)? {
            for part in parts {
                self.show_part(part, turn, out)?;
            }
        }
        Ok(())
    }

    /// How many items the lists of an iterator have.
    fn count_turns(&self, parts: &[FormatPart]) -> Result<usize, QueryProblem> {
        let mut turns: Option<usize> = None;
        // What stands in conditions and in inner iterators does not count.
        for part in parts {
            let FormatPart::Field(FormatField { tag: Some(tag), is_first_only: false, .. }) = part else {
                continue;
            };
            let Some(value) = self.value(*tag) else {
                continue;
            };
            // A text in several languages is one text here.
            let length = if matches!(&*value, Value::Localized(_)) { 1 } else { value.len() };
            if turns.is_some_and(|turns| turns != length) {
                let what = "array iterator used with different sized arrays";
                return Err(QueryProblem(what.into()));
            }
            turns = Some(length);
        }
        Ok(turns.unwrap_or(0))
    }

    /// A tag's value: as the header has it, or worked out from others.
    pub fn value(&self, tag: Tag) -> Option<Cow<'v, Value>> {
        match self.header.get(tag) {
            Some(value) => Some(Cow::Borrowed(value)),
            None => self.derive_value(tag).map(Cow::Owned),
        }
    }

    /// The text for the languages that are wanted; the first one where there is none.
    fn choose_language<'t>(&self, texts: &'t [BString]) -> Option<&'t BString> {
        let table = self.header.texts(Tag::I18N_TABLE);
        let wanted = self.around.languages.iter().find_map(|language| {
            let at = table.iter().position(|known| known == language.as_str())?;
            texts.get(at).filter(|text| !text.is_empty())
        });
        wanted.or_else(|| texts.first())
    }

    fn derive_value(&self, tag: Tag) -> Option<Value> {
        const NEVRS: &[(Tag, [Tag; 3])] = &[
            (Tag::REQUIRENEVRS, [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS]),
            (Tag::PROVIDENEVRS, [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS]),
            (Tag::OBSOLETENEVRS, [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS]),
            (Tag::CONFLICTNEVRS, [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS]),
            (Tag::RECOMMENDNEVRS, [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS]),
            (Tag::SUGGESTNEVRS, [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS]),
            (Tag::SUPPLEMENTNEVRS, [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS]),
            (Tag::ENHANCENEVRS, [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS]),
        ];
        let header = self.header;
        let text = |tag| header.text(tag).unwrap_or_default().to_vec();
        let arch = || [b".".as_slice(), &text(Tag::ARCH)].concat();
        let join = |parts: &[&[u8]]| Value::Text(parts.concat().into());
        if let Some((_, tags)) = NEVRS.iter().find(|row| row.0 == tag) {
            return self.show_dependencies(*tags);
        }
        let name = text(Tag::NAME);
        Some(match tag {
            Tag::EPOCHNUM => Value::Numbers(vec![header.numbers(Tag::EPOCH).first().copied().unwrap_or(0)]),
            Tag::EVR => Value::Text(header.evr()),
            Tag::NVR => join(&[&name, b"-", &header.version_release()]),
            Tag::NEVR => join(&[&name, b"-", &header.evr()]),
            Tag::NVRA => join(&[&name, b"-", &header.version_release(), &arch()]),
            Tag::NEVRA => join(&[&name, b"-", &header.evr(), &arch()]),
            Tag::ARCHSUFFIX => match (header.has(Tag::SOURCE_PACKAGE), self.leaves_sources_out()) {
                (true, true) => Value::Text(".nosrc".into()),
                (true, false) => Value::Text(".src".into()),
                (false, _) => Value::Text(arch().into()),
            },
            Tag::HEADERCOLOR | Tag::DBINSTANCE => Value::Numbers(vec![0]),
            // What has no payload yet has the newest form.
            Tag::RPM_FORMAT => Value::Numbers(vec![3]),
            Tag::VERBOSE if self.around.is_verbose => Value::Numbers(vec![1]),
            _ => return None,
        })
    }

    fn leaves_sources_out(&self) -> bool {
        self.header.has(Tag::NO_SOURCE) || self.header.has(Tag::NO_PATCH)
    }

    /// Dependencies as text: `name >= version`.
    fn show_dependencies(&self, [name, version, flags]: [Tag; 3]) -> Option<Value> {
        let names = self.header.texts(name);
        let versions = self.header.texts(version);
        let flags = self.header.numbers(flags);
        if names.is_empty() {
            return None;
        }
        let shown = names.iter().enumerate().map(|(at, name)| {
            let flags = flags.get(at).copied().unwrap_or_default();
            let sense = names::comparison(flags);
            match versions.get(at).filter(|version| !version.is_empty() && !sense.is_empty()) {
                Some(version) => [name, b" ".as_slice(), sense.as_bytes(), b" ", version].concat().into(),
                None => name.clone(),
            }
        });
        Some(Value::Texts(shown.collect()))
    }
}
