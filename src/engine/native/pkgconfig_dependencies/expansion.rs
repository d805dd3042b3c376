//! Values of files of pkg-config, and variables in them.

use std::collections::HashMap;

use bstr::ByteSlice;

use super::unusual::UnusualPkgconfig;

/// Values do not become longer, in bytes: then no version of pkgconf cuts one off, or writes past its end.
const LONGEST_VALUE: usize = 4000;

/// What a variable may be in place of that is not set in the file: a path, in bytes.
const LENGTH_OF_OTHERS: usize = 1000;

/// What a value is after variables were replaced.
#[derive(Clone, Debug)]
pub(super) struct Expanded {
    /// The text.
    pub(super) text: Vec<u8>,
    /// Whether each version takes it so.
    pub(super) is_certain: bool,
    /// How long it is at most.
    length: usize,
}

/// What a dollar sign is that begins no variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoneDollar {
    /// A part of the text.
    Kept,
    /// None is expected.
    Unusual,
}

/// The variables that a file has set.
#[derive(Debug, Default)]
pub(super) struct Variables<'t> {
    values: HashMap<&'t [u8], Expanded>,
}

impl<'t> Variables<'t> {
    /// Sets one. Versions differ in what they do about one that is set already.
    pub(super) fn set(&mut self, name: &'t [u8], value: &[u8]) -> Result<(), UnusualPkgconfig> {
        // Those are pkgconf's own.
        let is_foreign = name.starts_with(b"pc") || name.starts_with(b"orig_");
        let mut expanded = self.expand(value, LoneDollar::Unusual)?;
        expanded.is_certain &= !value.starts_with(b"'") && !value.starts_with(b"\"");
        match self.values.insert(name, expanded) {
            None if !is_foreign => Ok(()),
            _ => Err(UnusualPkgconfig),
        }
    }

    /// Replaces variables in a value.
    pub(super) fn expand(&self, value: &[u8], lone: LoneDollar) -> Result<Expanded, UnusualPkgconfig> {
        let mut expanded = Expanded { text: Vec::new(), is_certain: true, length: 0 };
        let mut rest = value;
        while let Some((before, after)) = rest.split_once_str("$") {
            expanded.push(before);
            rest = after;
            match after.strip_prefix(b"{").map(|inside| inside.split_once_str("}")) {
                Some(Some((name, behind))) if is_variable(name) => {
                    expanded.push_variable(self.values.get(name));
                    rest = behind;
                }
                Some(_) => return Err(UnusualPkgconfig),
                None if lone == LoneDollar::Unusual => return Err(UnusualPkgconfig),
                None => expanded.push(b"$"),
            }
        }
        expanded.push(rest);
        if expanded.length > LONGEST_VALUE { Err(UnusualPkgconfig) } else { Ok(expanded) }
    }
}

impl Expanded {
    fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.length += text.len();
    }

    fn push_variable(&mut self, value: Option<&Expanded>) {
        match value {
            Some(value) => {
                self.text.extend_from_slice(&value.text);
                self.length += value.length;
                self.is_certain &= value.is_certain;
            }
            None => {
                self.length += LENGTH_OF_OTHERS;
                self.is_certain = false;
            }
        }
    }
}

fn is_variable(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}
