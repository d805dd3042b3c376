//! Lines of a file of pkg-config: variables (`name=value`), fields (`Name: value`) and comments.

use std::collections::HashMap;

use bstr::{BString, ByteSlice};

use super::capability::{Capability, is_version};
use super::expansion::{Expanded, LoneDollar, Variables};
use super::unusual::UnusualPkgconfig;

/// The fields that count. Others are only looked at for what may be wrong with them.
const FIELDS: [&str; 6] = ["Name", "Description", "Version", "Provides", "Requires", "Requires.private"];

/// Fields without which pkgconf does not take a file.
const NEEDED: [&str; 3] = ["Name", "Description", "Version"];

/// A field of what is required too, about whose repetitions in others versions differ.
const INTERNAL: &str = "Requires.internal";

/// The fields of a file that count.
#[derive(Debug)]
pub(super) struct PkgconfigFile<'t> {
    fields: HashMap<&'t str, Expanded>,
}

impl PkgconfigFile<'_> {
    /// Reads a file whose lines are all usual.
    pub(super) fn read(text: &[u8]) -> Result<Self, UnusualPkgconfig> {
        let is_odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n');
        let goes_on = text.contains_str("\\\n") || text.contains_str("\\#") || text.ends_with(b"\\");
        // Of a comment that ends with the file something is left.
        let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if text.iter().any(is_odd) || goes_on || last.contains(&b'#') {
            return Err(UnusualPkgconfig);
        }
        let (mut variables, mut file) = (Variables::default(), Self { fields: HashMap::new() });
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            if line.trim_ascii().is_empty() {
                continue;
            }
            let (name, sign, value) = split_line(line).ok_or(UnusualPkgconfig)?;
            match sign {
                b'=' => variables.set(name, value)?,
                _ => file.add_field(name, variables.expand(value, LoneDollar::Kept)?)?,
            }
        }
        let is_there = |name: &&str| file.fields.get(*name).is_some_and(|value| !value.text.is_empty());
        if NEEDED.iter().all(is_there) { Ok(file) } else { Err(UnusualPkgconfig) }
    }

    fn add_field(&mut self, name: &[u8], value: Expanded) -> Result<(), UnusualPkgconfig> {
        let mut known = FIELDS.into_iter().chain([INTERNAL]);
        let Some(field) = known.find(|field| field.as_bytes().eq_ignore_ascii_case(name)) else {
            return Ok(());
        };
        let is_exact = field.as_bytes() == name && field != INTERNAL;
        let was_there = self.fields.insert(field, value).is_some();
        if is_exact && !was_there { Ok(()) } else { Err(UnusualPkgconfig) }
    }

    /// The version.
    pub(super) fn version(&self) -> Result<BString, UnusualPkgconfig> {
        let value = self.fields.get("Version").ok_or(UnusualPkgconfig)?;
        let is_usual = value.is_certain && is_version(&value.text);
        is_usual.then(|| value.text.clone().into()).ok_or(UnusualPkgconfig)
    }

    /// The list that a field has, if there is one.
    pub(super) fn capabilities(&self, field: &str) -> Result<Vec<Capability>, UnusualPkgconfig> {
        match self.fields.get(field) {
            Some(value) if value.is_certain => Capability::read_list(&value.text),
            Some(_) => Err(UnusualPkgconfig),
            None => Ok(Vec::new()),
        }
    }
}

/// The name, the sign after it, and the value of a line.
fn split_line(line: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let end = line.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"_.".contains(byte))?;
    let (name, rest) = line.split_at_checked(end)?;
    let (sign, value) = rest.trim_ascii_start().split_first()?;
    let is_usual = name.first().is_some_and(u8::is_ascii_alphabetic) && matches!(sign, b'=' | b':');
    is_usual.then_some((name, *sign, value.trim_ascii()))
}
