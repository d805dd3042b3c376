//! `rpm.*`: macros, words, versions, files (rpm-lua(7), "rpm extension"), and the table `macros`.

use std::rc::Rc;

use mlua::Value;
use rpm_version::Evr;

use super::super::arguments::{quote_words, split_words, strip_quotes};
use super::super::builtin::Builtin;
use super::super::define::Extent;
use super::super::expand::CallArguments;
use super::super::host::OpenMacro;
use super::super::problem::MacroProblem;
use super::super::table::{Level, Origin};
use super::base64;
use super::native::{Answer, Call, Native, bytes, error_bytes};
use super::version::Version;

/// The functions of the `rpm` library that are here.
pub(super) const FUNCTIONS: &[Native] = &[
    ("b64decode", b64decode),
    ("b64encode", b64encode),
    ("define", define),
    ("expand", expand),
    ("glob", glob),
    ("isdefined", isdefined),
    ("load", load),
    ("splitargs", splitargs),
    ("undefine", undefine),
    ("unsplitargs", unsplitargs),
    ("ver", ver),
    ("vercmp", vercmp),
];

/// Functions for the prelude: those of the table `macros`, and others that code can't call itself.
pub(super) const MACRO_TABLE: &[Native] = &[
    ("macro", macro_value),
    ("call", call_macro),
    ("getenv", super::process::getenv),
    ("set_macro", set_macro),
    ("may", may),
    ("note_effect", note_effect),
    ("local_path", local_path),
    ("hook_failed", hook_failed),
];

/// Tells that a function failed that `rpm.call` has called.
fn hook_failed(call: &Call<'_>) -> Answer {
    call.language.report(MacroProblem::LuaHookFailed { message: call.string(1)?.into() });
    Ok(Vec::new())
}

fn b64encode(call: &Call<'_>) -> Answer {
    let text = call.string(1)?;
    let length = call.optional_integer(2)?;
    call.answer(&base64::encode(&text, length))
}

fn b64decode(call: &Call<'_>) -> Answer {
    match base64::decode(&call.string(1)?) {
        Some(text) => call.answer(&text),
        None => Ok(vec![Value::Nil]),
    }
}

fn define(call: &Call<'_>) -> Answer {
    let text = call.string(1)?;
    let defined = call.language.define(&text, Extent::Line, Level::GLOBAL, Origin::named("<lua>"));
    defined.map(|()| Vec::new()).map_err(|_| b"error defining macro".to_vec())
}

fn undefine(call: &Call<'_>) -> Answer {
    let undefined = call.language.undefine(&call.string(1)?);
    undefined.map(|()| Vec::new()).map_err(|_| b"error undefining macro".to_vec())
}

fn expand(call: &Call<'_>) -> Answer {
    let expanded = call.language.expand(&call.string(1)?);
    call.answer(&expanded.map_err(|_| b"error expanding macro".to_vec())?)
}

fn glob(call: &Call<'_>) -> Answer {
    let pattern = call.string(1)?;
    let keeps_pattern = call.optional_string(2)?.is_some_and(|flags| flags.contains(&b'c'));
    if !call.language.may_look_for("rpm.glob", &pattern) {
        return call.answer_list(&[]);
    }
    let found = call.language.host.glob(&with_home(call, &pattern));
    let mut found = found.map_err(|error| error.to_string().into_bytes())?;
    if found.is_empty() && keeps_pattern {
        found.push(pattern);
    }
    call.answer_list(&found)
}

/// A pattern whose `~` stands for the home, as glob(3) has it.
fn with_home(call: &Call<'_>, pattern: &[u8]) -> Vec<u8> {
    let rest = pattern.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest.starts_with(b"/"));
    let home = rest.and_then(|_| call.language.host.variable(b"HOME"));
    match rest.zip(home) {
        Some((rest, home)) => [home.as_slice(), rest].concat(),
        None => pattern.to_vec(),
    }
}

fn isdefined(call: &Call<'_>) -> Answer {
    let name = call.string(1)?;
    let is_defined = call.language.is_defined(&name);
    let is_parametric = is_defined && takes_arguments(call, &name);
    Ok(vec![Value::Boolean(is_defined), Value::Boolean(is_parametric)])
}

fn takes_arguments(call: &Call<'_>, name: &[u8]) -> bool {
    if call.language.automatic_value(name).is_some() {
        return false;
    }
    match call.language.table.borrow().get(name) {
        Some(definition) => definition.options.is_some(),
        None => Builtin::from_name(name).is_some_and(Builtin::takes_arguments),
    }
}

fn load(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    if call.may_look_at(&path).is_err() {
        return Ok(vec![Value::Number(-1.0)]);
    }
    let text = call.language.host.read_file(&path).map_err(|_| super::super::Stop);
    let loaded = text.and_then(|text| call.language.load_text(&text, &path, Level::MACRO_FILES));
    Ok(vec![Value::Number(if loaded.is_ok() { 0.0 } else { -1.0 })])
}

fn splitargs(call: &Call<'_>) -> Answer {
    call.answer_list(&split_words(&call.string(1)?))
}

fn unsplitargs(call: &Call<'_>) -> Answer {
    let given = call.table_words(call.table(1)?)?;
    call.answer(&quote_words(&given))
}

fn ver(call: &Call<'_>) -> Answer {
    let version = match call.values.len() {
        1 => Version::parse(&call.string(1).unwrap_or_default()),
        3 => {
            let epoch = call.optional_string(1)?;
            Some(Version { epoch, version: call.string(2)?, release: call.optional_string(3)? })
        }
        count => return Err(format!("invalid number of arguments: {count}").into_bytes()),
    };
    let version = version.ok_or_else(|| b"invalid version".to_vec())?;
    Ok(vec![Value::UserData(call.lua.create_userdata(version).map_err(error_bytes)?)])
}

fn vercmp(call: &Call<'_>) -> Answer {
    let (first, second) = (version_argument(call, 1)?, version_argument(call, 2)?);
    Ok(vec![Value::Integer(Evr::parse(&first).cmp(&Evr::parse(&second)) as i64)])
}

fn version_argument(call: &Call<'_>, place: usize) -> Result<String, Vec<u8>> {
    let text = String::from_utf8_lossy(&call.string(place)?).into_owned();
    if text.is_empty() {
        return Err(call.argument_error(place, "invalid version "));
    }
    Ok(text)
}

/// `macros.name`: what it expands to, or `true` where it takes arguments.
fn macro_value(call: &Call<'_>) -> Answer {
    let name = call.string(1)?;
    if !call.language.is_defined(&name) {
        return Ok(vec![Value::Nil]);
    }
    if takes_arguments(call, &name) {
        return Ok(vec![Value::Boolean(true)]);
    }
    let expanded = call.language.expand(&[b"%{", name.as_slice(), b"}"].concat());
    call.answer(&expanded.map_err(|_| b"error expanding macro".to_vec())?)
}

/// `macros.name(…)`
fn call_macro(call: &Call<'_>) -> Answer {
    let name = call.string(1)?;
    let shown = String::from_utf8_lossy(&name).into_owned();
    let bad = |place: usize, why: &str| format!("bad argument #{place} to '{shown}' ({why})").into_bytes();
    if call.values.len() > 2 {
        return Err(b"too many arguments".to_vec());
    }
    let failed = |_| b"error expanding macro".to_vec();
    let given = match call.value(2) {
        Value::Table(table) => {
            let mut given = Vec::new();
            for (number, value) in table.sequence_values::<Value>().enumerate() {
                let word = call.text(&value.map_err(error_bytes)?);
                given.push(word.ok_or_else(|| bad(number + 1, "cannot convert to string"))?);
            }
            given
        }
        value => {
            let text = call.text(value).ok_or_else(|| bad(1, "string or table expected"))?;
            let mut expanded = Vec::new();
            call.language.expand_into(&text, &mut expanded).map_err(failed)?;
            split_words(&expanded)
        }
    };
    let mut out = Vec::new();
    call_with(call, &name, given, &mut out).map_err(failed)?;
    strip_quotes(&mut out, 0);
    call.answer(&out)
}

fn call_with(
    call: &Call<'_>,
    name: &[u8],
    given: Vec<Vec<u8>>,
    out: &mut Vec<u8>,
) -> Result<(), super::super::Stop> {
    let definition = call.language.table.borrow().get(name).map(std::sync::Arc::clone);
    if let Some(definition) = definition {
        return call.language.call_parametric(&definition, CallArguments::from_words(given), out);
    }
    let Some(builtin) = Builtin::from_name(name) else {
        return Ok(());
    };
    let language = Rc::clone(call.language);
    call.language
        .with_open_macro(OpenMacro::BuiltIn(builtin.name()), || language.run_built_in(builtin, &given, out))
}

/// `macros.name = value`
fn set_macro(call: &Call<'_>) -> Answer {
    let name = call.string(1)?;
    let failed = |what: &str| [what.as_bytes(), b" macro ", name.as_slice()].concat();
    if matches!(call.value(2), Value::Nil) {
        return call.language.undefine(&name).map(|()| Vec::new()).map_err(|_| failed("error undefining"));
    }
    let Some(value) = call.text(call.value(2)) else {
        let got = call.value(2).type_name();
        return Err(format!("bad argument #3 to 'newindex' (string expected, got {got})").into_bytes());
    };
    let text = [name.as_slice(), b" ", value.as_slice()].concat();
    let defined = call.language.define(&text, Extent::Line, Level::GLOBAL, Origin::named("<lua>"));
    defined.map(|()| Vec::new()).map_err(|_| failed("error defining"))
}

/// Functions of Lua's own libraries that are refused where macros may only read.
const GUARDED: [&str; 13] = [
    "file:close",
    "file:lines",
    "file:read",
    "io.open",
    "io.output",
    "io.popen",
    "io.tmpfile",
    "os.execute",
    "os.remove",
    "os.rename",
    "os.setlocale",
    "os.tmpname",
    "setmetatable",
];

fn may(call: &Call<'_>) -> Answer {
    let wanted = call.string(1)?;
    let name = GUARDED.iter().find(|known| known.as_bytes() == wanted).unwrap_or(&"io.output");
    let may = call.language.may_change(name, &call.string(2)?);
    if may {
        call.language.host.note_effect();
    }
    Ok(vec![Value::Boolean(may)])
}

/// For what the prelude hands to Lua's own functions, which tell nobody.
fn note_effect(call: &Call<'_>) -> Answer {
    call.language.host.note_effect();
    Ok(Vec::new())
}

fn local_path(call: &Call<'_>) -> Answer {
    match call.value(1) {
        Value::String(path) => call.answer(&call.language.host.local_path(&bytes(path))),
        other => Ok(vec![other.clone()]),
    }
}
