//! `%{*}`: a whole header, tag by tag.

use super::super::header::Value;
use super::super::tag::Tag;
use super::QueryProblem;
use super::format_part::{FormatField, FormatPart};
use super::formatter::Formatter;
use super::show::View;

/// What a whole header stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Xml,
    Json,
}

/// A header that is shown with all its tags.
struct WholeHeader<'w> {
    view: &'w View<'w>,
    /// What is shown of each tag.
    parts: &'w [FormatPart],
    form: Form,
}

impl View<'_> {
    /// Shows all tags; with each of its items where `iterates`.
    pub fn show_whole(
        &self,
        parts: &[FormatPart],
        iterates: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), QueryProblem> {
        let form = match parts.first() {
            Some(FormatPart::Field(FormatField { formatter: Formatter::Xml, .. })) => Form::Xml,
            Some(FormatPart::Field(FormatField { formatter: Formatter::Json, .. })) => Form::Json,
            _ => Form::Plain,
        };
        let whole = WholeHeader { view: self, parts, form };
        out.extend_from_slice(match form {
            Form::Plain => b"",
            Form::Xml => b"<rpmHeader>\n",
            Form::Json => b"{\n",
        });
        let begin = out.len();
        for (tag, value) in self.header.iter() {
            if iterates {
                whole.show_tag(tag, value, out)?;
            } else {
                whole.show_item(tag, 0, out, &|_, _| {})?;
            }
        }
        match form {
            Form::Plain => {}
            Form::Xml => out.extend_from_slice(b"</rpmHeader>\n"),
            Form::Json => {
                // rpm takes the comma after the last tag back, and takes as much where there is none.
                out.truncate(out.len().saturating_sub(2).max(begin));
                out.extend_from_slice(b"\n}\n");
            }
        }
        Ok(())
    }
}

impl WholeHeader<'_> {
    fn show_tag(&self, tag: Tag, value: &Value, out: &mut Vec<u8>) -> Result<(), QueryProblem> {
        let form = self.form;
        let is_list = value.len() > 1;
        match form {
            Form::Plain => {}
            Form::Xml => out.extend(format!("  <rpmTag name=\"{tag}\">\n").into_bytes()),
            Form::Json => {
                let list: &str = if is_list { "[\n" } else { "" };
                out.extend(format!("    \"{tag}\": {list}").into_bytes());
            }
        }
        for index in 0..value.len() {
            let comma: &[u8] = if index + 1 < value.len() { b",\n" } else { b"\n" };
            self.show_item(tag, index, out, &|out, is_before| match (form, is_before) {
                (Form::Json, true) => out.push(b'\t'),
                (Form::Json, false) if is_list => out.extend_from_slice(comma),
                _ => {}
            })?;
        }
        match form {
            Form::Plain => {}
            Form::Xml => out.extend_from_slice(b"  </rpmTag>\n"),
            Form::Json => out.extend_from_slice(if is_list { b"    ],\n" } else { b",\n" }),
        }
        Ok(())
    }

    /// Shows the parts for one item; `around` is called before and after each of them.
    fn show_item(
        &self,
        tag: Tag,
        index: usize,
        out: &mut Vec<u8>,
        around: &dyn Fn(&mut Vec<u8>, bool),
    ) -> Result<(), QueryProblem> {
        for part in self.parts {
            around(out, true);
            if let FormatPart::Field(field) = part
                && field.tag.is_none()
            {
                let item = self.view.header.get(tag).and_then(|value| value.item(index));
                let shown = item.map(|item| field.formatter.show(item, tag, self.view.around));
                out.extend(shown.unwrap_or_default());
            } else {
                self.view.show_part(part, index, out)?;
            }
            around(out, false);
        }
        Ok(())
    }
}
