//! Programs, the environment and the process itself: `rpm.execute`, `rpm.spawn`, and their part of `posix.*`.

use mlua::Value;
use rustix::fs::Mode;
use rustix::process::{self as system, Pid, Resource, Signal};

use super::super::host::Streams;
use super::native::{Answer, Call, Native, error_bytes, io_error};
use super::permissions::Permissions;

/// The functions of the `rpm` library that are here.
pub(super) const RPM_FUNCTIONS: &[Native] =
    &[("execute", execute), ("interactive", interactive), ("redirect2null", redirect2null), ("spawn", spawn)];

/// The functions of the `posix` library that are here.
pub(super) const FUNCTIONS: &[Native] = &[
    ("chdir", chdir),
    ("ctermid", ctermid),
    ("errno", errno),
    ("exec", exec),
    ("fork", fork),
    ("getcwd", getcwd),
    ("getenv", getenv_or_all),
    ("getprocessid", getprocessid),
    ("kill", kill),
    ("putenv", putenv),
    ("redirect2null", redirect2null),
    ("setenv", setenv),
    ("sleep", sleep),
    ("sysconf", sysconf),
    ("times", times),
    ("ttyname", ttyname),
    ("umask", umask),
    ("uname", uname),
    ("unsetenv", unsetenv),
    ("version", version),
    ("wait", wait),
];

fn execute(call: &Call<'_>) -> Answer {
    let words = (1..=call.values.len().max(1)).map(|place| call.string(place));
    run(call, &words.collect::<Result<Vec<_>, _>>()?, &Streams::default())
}

fn spawn(call: &Call<'_>) -> Answer {
    let words = call.table_words(call.table(1)?)?;
    if words.is_empty() {
        return Err(b"command not supplied".to_vec());
    }
    let mut streams = Streams::default();
    if !matches!(call.value(2), Value::Nil) {
        for pair in call.table(2)?.pairs::<Value, Value>() {
            let (key, path) = pair.map_err(error_bytes)?;
            let key = call.text(&key).unwrap_or_default();
            let stream = match key.as_slice() {
                b"stdin" => &mut streams.input,
                b"stdout" => &mut streams.output,
                b"stderr" => &mut streams.errors,
                other => return Err([b"invalid spawn directive: ", other].concat()),
            };
            *stream = call.text(&path);
        }
    }
    run(call, &words, &streams)
}

/// rpm lets people type code on a terminal, which macros of ours never have to themselves.
fn interactive(_: &Call<'_>) -> Answer {
    Err(b"not a tty".to_vec())
}

fn run(call: &Call<'_>, words: &[Vec<u8>], streams: &Streams) -> Answer {
    if let Err(refused) = call.check_change(&words.join(&b' ')) {
        return refused;
    }
    match call.language.host.run(words, streams) {
        Ok(0) => Ok(vec![Value::Number(0.0)]),
        Ok(code) => {
            let what = if code > 0 { "exit code" } else { "exit signal" };
            Ok(vec![Value::Nil, call.new_string(what.as_bytes())?, Value::Number(code.abs().into())])
        }
        Err(error) => call.fail(&[], &error),
    }
}

fn fail_removed(name: &str) -> Answer {
    let message = format!("{name}() is no longer available, use rpm.spawn() or rpm.execute() instead");
    Err(message.into_bytes())
}

fn redirect2null(_: &Call<'_>) -> Answer {
    fail_removed("rpm.redirect2null")
}

fn exec(_: &Call<'_>) -> Answer {
    fail_removed("posix.exec")
}

fn fork(_: &Call<'_>) -> Answer {
    fail_removed("posix.fork")
}

fn wait(_: &Call<'_>) -> Answer {
    fail_removed("posix.wait")
}

fn chdir(call: &Call<'_>) -> Answer {
    let path = call.string(1)?;
    match call.check_change(&path) {
        Ok(()) => call.finish(&path, system::chdir(path.as_slice()).map_err(io_error)),
        Err(refused) => refused,
    }
}

fn ctermid(call: &Call<'_>) -> Answer {
    call.answer(b"/dev/tty")
}

fn errno(call: &Call<'_>) -> Answer {
    let code = call.language.errno.get();
    let reason = crate::files::reason(&std::io::Error::from_raw_os_error(code));
    let reason = if code == 0 { "Success".to_owned() } else { reason };
    Ok(vec![call.new_string(reason.as_bytes())?, Value::Number(code.into())])
}

fn getcwd(call: &Call<'_>) -> Answer {
    let folder = call.language.host.working_folder();
    if let Some(folder) = folder {
        return call.answer(&folder);
    }
    match system::getcwd(Vec::new()) {
        Ok(path) => call.answer(path.as_bytes()),
        Err(error) => call.fail(b".", &io_error(error)),
    }
}

pub(super) fn getenv(call: &Call<'_>) -> Answer {
    match call.language.host.variable(&call.string(1)?) {
        Some(value) => call.answer(&value),
        None => Ok(vec![Value::Nil]),
    }
}

/// One variable, or all of them in a table.
fn getenv_or_all(call: &Call<'_>) -> Answer {
    if !call.values.is_empty() {
        return getenv(call);
    }
    let host = &call.language.host;
    let all = call.lua.create_table().map_err(error_bytes)?;
    for name in host.variable_names() {
        if let Some(value) = host.variable(&name) {
            all.set(call.new_string(&name)?, call.new_string(&value)?).map_err(error_bytes)?;
        }
    }
    Ok(vec![Value::Table(all)])
}

fn setenv(call: &Call<'_>) -> Answer {
    let (name, value) = (call.string(1)?, call.string(2)?);
    let keeps_old = matches!(call.value(3), Value::Boolean(false));
    if !(keeps_old && call.language.host.variable(&name).is_some()) {
        call.language.host.set_variable(&name, Some(&value));
    }
    Ok(vec![Value::Number(0.0)])
}

fn putenv(call: &Call<'_>) -> Answer {
    let text = call.string(1)?;
    let (name, value) = match text.iter().position(|byte| *byte == b'=') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text.as_slice(), None),
    };
    call.language.host.set_variable(name, value);
    Ok(vec![Value::Number(0.0)])
}

fn unsetenv(call: &Call<'_>) -> Answer {
    call.language.host.set_variable(&call.string(1)?, None);
    Ok(Vec::new())
}

fn getprocessid(call: &Call<'_>) -> Answer {
    let fields = vec![
        ("egid", id_value(system::getegid().as_raw())),
        ("euid", id_value(system::geteuid().as_raw())),
        ("gid", id_value(system::getgid().as_raw())),
        ("uid", id_value(system::getuid().as_raw())),
        ("pgrp", pid_value(Some(system::getpgrp()))),
        ("pid", pid_value(Some(system::getpid()))),
        ("ppid", pid_value(system::getppid())),
    ];
    call.answer_selected(fields, 1)
}

fn id_value(id: u32) -> Value {
    Value::Number(id.into())
}

fn pid_value(pid: Option<Pid>) -> Value {
    Value::Number(pid.map_or(0, Pid::as_raw_pid).into())
}

fn kill(call: &Call<'_>) -> Answer {
    let target = i32::try_from(call.integer(1)?).ok();
    let number = call.optional_integer(2)?.unwrap_or(15);
    if let Err(refused) = call.check_change(number.to_string().as_bytes()) {
        return refused;
    }
    let (pid, signal) = (target.and_then(Pid::from_raw), i32::try_from(number).ok());
    let result = match (target, pid, signal.and_then(Signal::from_named_raw)) {
        (Some(_), Some(pid), Some(signal)) => system::kill_process(pid, signal),
        // Signal 0 only asks whether there is somebody who could be sent one; process 0 stands for all of its group.
        (Some(_), Some(pid), None) if number == 0 => system::test_kill_process(pid),
        (Some(0), None, Some(signal)) => system::kill_current_process_group(signal),
        (Some(0), None, None) if number == 0 => system::test_kill_current_process_group(),
        _ => Err(rustix::io::Errno::INVAL),
    };
    call.finish(&[], result.map_err(io_error))
}

fn sleep(call: &Call<'_>) -> Answer {
    let seconds = u64::try_from(call.integer(1)?).unwrap_or(0);
    if let Err(refused) = call.check_change(seconds.to_string().as_bytes()) {
        return refused;
    }
    std::thread::sleep(std::time::Duration::from_secs(seconds));
    Ok(vec![Value::Number(0.0)])
}

/// A limit of this process, -1 where there is none.
fn resource_limit(resource: Resource) -> f64 {
    system::getrlimit(resource).current.map_or(-1.0, |limit| limit as f64)
}

fn sysconf(call: &Call<'_>) -> Answer {
    let number = Value::Number;
    let fields = vec![
        ("arg_max", number(resource_limit(Resource::Stack) / 4.0)),
        ("child_max", number(resource_limit(Resource::Nproc))),
        ("clk_tck", number(rustix::param::clock_ticks_per_second() as f64)),
        ("ngroups_max", number(65536.0)),
        ("stream_max", number(16.0)),
        ("tzname_max", number(6.0)),
        ("open_max", number(resource_limit(Resource::Nofile))),
        ("job_control", number(1.0)),
        ("saved_ids", number(1.0)),
        ("version", number(200_809.0)),
    ];
    call.answer_selected(fields, 1)
}

/// Seconds, from the fields of proc(5), `/proc/self/stat`.
fn times(call: &Call<'_>) -> Answer {
    let stat = call.language.host.read_file(b"/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(|byte| *byte == b')').next().unwrap_or_default();
    let text = String::from_utf8_lossy(after_name).into_owned();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let field = |number: usize| {
        let value = text.split_whitespace().nth(number).and_then(|value| value.parse::<f64>().ok());
        Value::Number(value.unwrap_or_default() / ticks)
    };
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let fields = vec![
        ("utime", field(11)),
        ("stime", field(12)),
        ("cutime", field(13)),
        ("cstime", field(14)),
        ("elapsed", Value::Number(now.tv_sec as f64 + now.tv_nsec as f64 / 1e9)),
    ];
    call.answer_selected(fields, 1)
}

fn ttyname(call: &Call<'_>) -> Answer {
    if call.is_closed() {
        return Ok(vec![Value::Nil]);
    }
    let name = match call.optional_integer(1)?.unwrap_or(0) {
        0 => rustix::termios::ttyname(std::io::stdin(), Vec::new()),
        1 => rustix::termios::ttyname(std::io::stdout(), Vec::new()),
        2 => rustix::termios::ttyname(std::io::stderr(), Vec::new()),
        _ => return Ok(vec![Value::Nil]),
    };
    match name {
        Ok(name) => call.answer(name.as_bytes()),
        Err(_) => Ok(vec![Value::Nil]),
    }
}

fn umask(call: &Call<'_>) -> Answer {
    let before = system::umask(Mode::empty());
    system::umask(before);
    let permissions = Permissions(!before.bits() & 0o777);
    let Some(wanted) = call.optional_string(1)? else {
        return call.answer(permissions.to_string().as_bytes());
    };
    let Some(changed) = permissions.change(&wanted) else {
        return Ok(vec![Value::Nil]);
    };
    if let Err(refused) = call.check_change(&wanted) {
        return refused;
    }
    let changed = Permissions(changed.0 & 0o777);
    system::umask(Mode::from_bits_truncate(!changed.0 & 0o777));
    call.answer(changed.to_string().as_bytes())
}

fn uname(call: &Call<'_>) -> Answer {
    let machine = rustix::system::uname();
    let format = call.optional_string(1)?.unwrap_or_else(|| b"%s %n %r %v %m".to_vec());
    let mut text = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => text.push(b'%'),
            Some(b'm') => text.extend_from_slice(machine.machine().to_bytes()),
            Some(b'n') if call.is_closed() => text.extend_from_slice(b"localhost"),
            Some(b'n') => text.extend_from_slice(machine.nodename().to_bytes()),
            Some(b'r') => text.extend_from_slice(machine.release().to_bytes()),
            Some(b's') => text.extend_from_slice(machine.sysname().to_bytes()),
            Some(b'v') => text.extend_from_slice(machine.version().to_bytes()),
            other => {
                let shown = other.map_or("<\\0>".into(), |byte| char::from(byte).to_string());
                return Err(call.argument_error(2, &format!("unknown format option `{shown}'")));
            }
        }
    }
    call.answer(&text)
}

fn version(call: &Call<'_>) -> Answer {
    call.answer(b"posix library for Lua 5.4")
}
