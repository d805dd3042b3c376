//! `rpm.ver`: a version that Lua can compare.

use std::cmp::Ordering;

use bstr::ByteSlice;
use mlua::{Lua, LuaString, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use rpm_version::Evr;

use super::native::{error_with_place, type_name};

/// Epoch, version and release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub epoch: Option<Vec<u8>>,
    pub version: Vec<u8>,
    pub release: Option<Vec<u8>>,
}

impl Version {
    /// Takes `[epoch:]version[-release]` apart.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (epoch, rest) = match text.split_once_str(":") {
            Some((epoch, rest)) if epoch.iter().all(u8::is_ascii_digit) => (Some(epoch.to_vec()), rest),
            _ => (None, text),
        };
        let (version, release) = match rest.rsplit_once_str("-") {
            Some((version, release)) if !version.is_empty() => (version, Some(release.to_vec())),
            _ => (rest, None),
        };
        Some(Self { epoch, version: version.to_vec(), release })
    }

    fn written(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Some(epoch) = &self.epoch {
            text.extend([epoch.as_slice(), b":"].concat());
        }
        text.extend_from_slice(&self.version);
        if let Some(release) = &self.release {
            text.extend([b"-", release.as_slice()].concat());
        }
        text
    }

    fn order(&self, other: &Self) -> Ordering {
        let (first, second) = (self.written(), other.written());
        Evr::parse(&first.to_str_lossy()).cmp(&Evr::parse(&second.to_str_lossy()))
    }
}

/// Compares the two sides of an operator, of which either may be something else than a version.
fn compare(lua: &Lua, sides: &(Value, Value), operator: &str) -> mlua::Result<Ordering> {
    let first = version_operand(lua, &sides.0, 1, operator)?;
    let second = version_operand(lua, &sides.1, 2, operator)?;
    Ok(first.order(&second))
}

fn version_operand(lua: &Lua, value: &Value, place: usize, operator: &str) -> mlua::Result<Version> {
    if let Value::UserData(data) = value
        && let Ok(version) = data.borrow::<Version>()
    {
        return Ok(version.clone());
    }
    let got = type_name(value);
    let message = format!("bad argument #{place} to '{operator}' (rpm.ver expected, got {got})");
    Err(error_with_place(lua, &message))
}

impl UserData for Version {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "rpm.ver");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: LuaString| {
            let part = match key.as_bytes().as_ref() {
                b"e" => this.epoch.as_deref(),
                b"v" => Some(this.version.as_slice()),
                b"r" => this.release.as_deref(),
                key => {
                    return Err(error_with_place(lua, &format!("invalid attribute: {}", key.to_str_lossy())));
                }
            };
            part.map(|part| lua.create_string(part)).transpose()
        });
        methods.add_meta_method(MetaMethod::ToString, |lua, this, ()| lua.create_string(this.written()));
        methods.add_meta_function(MetaMethod::Eq, |lua, sides: (Value, Value)| {
            compare(lua, &sides, "eq").map(Ordering::is_eq)
        });
        methods.add_meta_function(MetaMethod::Lt, |lua, sides: (Value, Value)| {
            compare(lua, &sides, "lt").map(Ordering::is_lt)
        });
        methods.add_meta_function(MetaMethod::Le, |lua, sides: (Value, Value)| {
            compare(lua, &sides, "le").map(Ordering::is_le)
        });
    }
}
