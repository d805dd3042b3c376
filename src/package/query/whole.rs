//! `%{*}`: a whole header, tag by tag.

use super::super::header::Value;
use super::super::tag::Tag;
use super::formatter::Formatter;
use super::show::View;
use super::{Field, Part, QueryProblem};

/// What a whole header stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Xml,
    Json,
}

impl View<'_> {
    /// Shows all tags; with each of its items where `iterates`.
    pub fn whole(&self, parts: &[Part], iterates: bool, out: &mut Vec<u8>) -> Result<(), QueryProblem> {
        let form = match parts.first() {
            Some(Part::Field(Field { formatter: Formatter::Xml, .. })) => Form::Xml,
            Some(Part::Field(Field { formatter: Formatter::Json, .. })) => Form::Json,
            _ => Form::Plain,
        };
        out.extend_from_slice(match form {
            Form::Plain => b"",
            Form::Xml => b"<rpmHeader>\n",
            Form::Json => b"{\n",
        });
        let begin = out.len();
        for (tag, value) in self.header.iter() {
            if iterates {
                self.tag(parts, form, tag, value, out)?;
            } else {
                self.items(parts, tag, 0, out, &|_, _| {})?;
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

    fn tag(
        &self,
        parts: &[Part],
        form: Form,
        tag: Tag,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), QueryProblem> {
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
            self.items(parts, tag, index, out, &|out, is_before| match (form, is_before) {
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
    fn items(
        &self,
        parts: &[Part],
        tag: Tag,
        index: usize,
        out: &mut Vec<u8>,
        around: &dyn Fn(&mut Vec<u8>, bool),
    ) -> Result<(), QueryProblem> {
        for part in parts {
            around(out, true);
            match part {
                Part::Field(field) if field.tag.is_none() => {
                    let item = self.header.get(tag).and_then(|value| value.item(index));
                    out.extend(
                        item.map(|item| field.formatter.show(item, tag, self.around)).unwrap_or_default(),
                    );
                }
                part => self.part(part, index, out)?,
            }
            around(out, false);
        }
        Ok(())
    }
}
