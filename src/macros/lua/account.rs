//! Users and groups: their part of `posix.*`. They are read from passwd(5) and group(5).

use bstr::ByteSlice;
use mlua::Value;

use super::native::{Answer, Call, Native, error_bytes, io_error};

/// The functions of the `posix` library that are here.
pub(super) const FUNCTIONS: &[Native] = &[
    ("getgroup", getgroup),
    ("getlogin", getlogin),
    ("getpasswd", getpasswd),
    ("setgid", change_identity),
    ("setuid", change_identity),
];

/// The fields of the line whose name or number is `wanted`.
fn find_line(call: &Call<'_>, file: &str, wanted: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = call.language.host.read_file(file.as_bytes()).ok()?;
    let is_number = wanted.iter().all(u8::is_ascii_digit);
    let fields = |line: &[u8]| line.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let place = if is_number { 2 } else { 0 };
    text.lines().map(fields).find(|fields| fields.get(place).is_some_and(|field| field == wanted))
}

fn read_id(call: &Call<'_>, place: usize, file: &str) -> Result<Option<u32>, Vec<u8>> {
    let Some(wanted) = call.optional_string(place)? else {
        return Ok(None);
    };
    if let Some(number) = wanted.to_str().ok().and_then(|text| text.parse::<f64>().ok()) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number that Lua gave"
        )]
        return Ok(Some(number as u32));
    }
    let found = find_line(call, file, &wanted);
    let number = found.and_then(|fields| fields.get(2)?.to_str().ok()?.parse().ok());
    number.map(Some).ok_or_else(|| call.argument_error(place, "unknown user or group"))
}

/// The number of a user that is given by name or number.
pub(super) fn read_user_id(call: &Call<'_>, place: usize) -> Result<Option<u32>, Vec<u8>> {
    read_id(call, place, "/etc/passwd")
}

/// The number of a group that is given by name or number.
pub(super) fn read_group_id(call: &Call<'_>, place: usize) -> Result<Option<u32>, Vec<u8>> {
    read_id(call, place, "/etc/group")
}

fn number_value(field: &[u8]) -> Value {
    Value::Number(field.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(-1.0))
}

fn wanted_account(call: &Call<'_>, own: u32) -> Result<Vec<u8>, Vec<u8>> {
    let given = call.optional_string(1)?.unwrap_or_else(|| own.to_string().into_bytes());
    Ok(as_whole_number(given))
}

/// Lua writes a float as `0.0`.
fn as_whole_number(written: Vec<u8>) -> Vec<u8> {
    written.strip_suffix(b".0").map(<[u8]>::to_vec).unwrap_or(written)
}

/// One field of a line; what is not there is empty.
fn field(fields: &[Vec<u8>], place: usize) -> &[u8] {
    fields.get(place).map(Vec::as_slice).unwrap_or_default()
}

fn getpasswd(call: &Call<'_>) -> Answer {
    let wanted = wanted_account(call, rustix::process::getuid().as_raw())?;
    if let Err(refused) = call.may_look_at(b"/etc/passwd") {
        return refused;
    }
    let Some(found) = find_line(call, "/etc/passwd", &wanted) else {
        return Ok(vec![Value::Nil]);
    };
    let fields = vec![
        ("name", call.new_string(field(&found, 0))?),
        ("uid", number_value(field(&found, 2))),
        ("gid", number_value(field(&found, 3))),
        ("dir", call.new_string(field(&found, 5))?),
        ("shell", call.new_string(field(&found, 6))?),
        ("gecos", call.new_string(field(&found, 4))?),
        ("passwd", call.new_string(field(&found, 1))?),
    ];
    call.answer_selected(fields, 2)
}

fn getgroup(call: &Call<'_>) -> Answer {
    let wanted = call.string(1).map_err(|_| call.type_error(1, "string or number"))?;
    let wanted = as_whole_number(wanted);
    if let Err(refused) = call.may_look_at(b"/etc/group") {
        return refused;
    }
    let Some(found) = find_line(call, "/etc/group", &wanted) else {
        return Ok(vec![Value::Nil]);
    };
    let table = call.lua.create_table().map_err(error_bytes)?;
    table.set("name", call.new_string(field(&found, 0))?).map_err(error_bytes)?;
    table.set("gid", number_value(field(&found, 2))).map_err(error_bytes)?;
    for member in field(&found, 3).split(|byte| *byte == b',').filter(|member| !member.is_empty()) {
        table.push(call.new_string(member)?).map_err(error_bytes)?;
    }
    Ok(vec![Value::Table(table)])
}

fn getlogin(call: &Call<'_>) -> Answer {
    match call.language.host.variable(b"LOGNAME") {
        Some(name) => call.answer(&name),
        None => Ok(vec![Value::Nil]),
    }
}

/// A macro has no business with who runs it; rpm lets root only.
fn change_identity(call: &Call<'_>) -> Answer {
    call.fail(&[], &io_error(rustix::io::Errno::PERM))
}
