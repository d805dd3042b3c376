//! Whether a text can be given to clients as metadata.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Checks that a text is one XML element called `root`, and all of it is well-formed.
///
/// # Errors
/// What is wrong, and in which line.
pub(super) fn check_metadata(text: &str, root: &str) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut checked = MetadataCheck { root, depth: 0, has_root: false };
    loop {
        let event = reader.read_event();
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let found = match event {
            Ok(Event::Eof) => return checked.end(),
            Ok(event) => checked.take(&event),
            Err(error) => Err(format!("is not well-formed: {error}")),
        };
        found.map_err(|problem| {
            let line = text.get(..before).unwrap_or(text).lines().count().max(1);
            format!("{problem} (line {line})")
        })?;
    }
}

/// What was found so far.
struct MetadataCheck<'a> {
    root: &'a str,
    /// How many elements are open.
    depth: usize,
    has_root: bool,
}

impl MetadataCheck<'_> {
    fn take(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(tag) => {
                self.begin(tag)?;
                self.depth = self.depth.saturating_add(1);
            }
            Event::Empty(tag) => self.begin(tag)?,
            // That it has the name of the element that it ends is the reader's to see.
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(part) if self.depth == 0 && !part.trim().is_empty() => {
                return Err(format!("has text outside of `<{}>`", self.root));
            }
            // What one declares could be a text without end when clients read it.
            Event::DocType(declared) if declared.contains('[') => {
                return Err("declares entities, which not every client reads".to_owned());
            }
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_)
            | Event::Eof => {}
        }
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        if let Some(wrong) = tag.attributes().find_map(Result::err) {
            return Err(format!("is not well-formed: {wrong}"));
        }
        let name = tag.name();
        if self.depth == 0 && (self.has_root || name.as_ref() != self.root) {
            return Err(format!("has `<{}>` where one `<{}>` has to be", name.as_ref(), self.root));
        }
        self.has_root = true;
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        match (self.has_root, self.depth) {
            (false, _) => Err(format!("has no `<{}>`", self.root)),
            (true, 0) => Ok(()),
            (true, _) => Err("ends before all of its elements do".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_of_the_right_name_that_is_well_formed_is_taken() {
        let document = "<?xml version=\"1.0\"?>\n<!DOCTYPE comps PUBLIC \"-//x//\" \"comps.dtd\">\n<!-- a -->\n\
                        <comps><group><id>a &amp; b</id></group></comps>\n";
        assert_eq!(check_metadata(document, "comps"), Ok(()));
        assert_eq!(check_metadata("<comps/>", "comps"), Ok(()));
    }

    #[test]
    fn all_else_is_refused_with_its_line() {
        for (document, reason) in [
            ("", "has no `<comps>`"),
            ("<updates/>", "has `<updates>` where one `<comps>` has to be (line 1)"),
            ("<comps/>\n<comps/>", "has `<comps>` where one `<comps>` has to be (line 2)"),
            ("<comps>\n<group>\n</comps>", "is not well-formed: "),
            ("<comps>", "ends before all of its elements do"),
            ("<comps/>\ntext", "has text outside of `<comps>` (line 2)"),
            ("<comps a=1/>", "is not well-formed: "),
            (
                "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<comps/>",
                "declares entities, which not every client reads (line 1)",
            ),
        ] {
            let found = check_metadata(document, "comps").unwrap_err();
            assert!(found.starts_with(reason), "{document}: {found}");
        }
    }
}
