//! The running of scriptlets, by a worker in the root.

use std::io;
use std::rc::Rc;

use rustix::fs::Mode;
use rustix::process::{chdir, umask};

use super::accounts::Accounts;
use super::owners::look_after;
use super::program::{import_headers, run_program};
use super::script::expand_body;
use super::{PlannedScript, ScriptletEnd, ScriptletRun, ScriptletWeight, ScriptletWork};
use crate::engine::{Channel, FailedScript, Message, ScriptletOrder, ScriptletProgress, WorkerEnd};
use crate::files::{Folder, HostPath};
use crate::macros::{Configuration, Limits, LuaScriptlet, Macros, SystemHost, Table};

/// The files of accounts, with the mode of each where it has to be made.
const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";
const SHADOW: &str = "etc/shadow";
const GSHADOW: &str = "etc/gshadow";

/// Runs all, one after the other, and tells of each how it ended. The first that a package can't be installed without, and that
/// fails, is the last.
pub fn run_scriptlets(order: &ScriptletOrder, channel: &Channel) -> WorkerEnd {
    umask(Mode::from_bits_truncate(0o022));
    let mut root = RootAtWork { order, macros: None };
    for (number, run) in order.runs.iter().enumerate() {
        channel.send(&Message::Scriptlet(ScriptletProgress::Began { number }));
        // Whose words follow in the log.
        say(&format!("{}\n", run.title()));
        let end = root.carry_out(run);
        let told = end.describe();
        if let Some(told) = &told {
            let kind = match run.weight {
                ScriptletWeight::Error => "error",
                ScriptletWeight::Warning => "warning",
            };
            say(&format!("{kind}: {} {told}\n", run.title()));
        }
        channel.send(&Message::Scriptlet(ScriptletProgress::Ended { number, end: end.clone() }));
        if told.is_some() && run.weight == ScriptletWeight::Error {
            let code = match end {
                ScriptletEnd::Failed { code } => code,
                ScriptletEnd::Done | ScriptletEnd::Broken { .. } => 1,
            };
            return WorkerEnd::Failed { script: Some(FailedScript { name: run.title(), code }) };
        }
    }
    WorkerEnd::Answered
}

/// Writes to the log, which nobody may be reading any more.
fn say(text: &str) {
    let _ = io::Write::write_all(&mut io::stdout().lock(), text.as_bytes());
    let _ = io::Write::flush(&mut io::stdout().lock());
}

struct RootAtWork<'o> {
    order: &'o ScriptletOrder,
    /// Lua and the macros of the root, once something needs them.
    macros: Option<Macros>,
}

impl RootAtWork<'_> {
    fn carry_out(&mut self, run: &ScriptletRun) -> ScriptletEnd {
        let broken = |reason: String| ScriptletEnd::Broken { reason };
        let done = match &run.work {
            ScriptletWork::Script(script) => return self.run_script(run, script).unwrap_or_else(broken),
            ScriptletWork::Import { headers } => {
                return import_headers(&headers.0, &self.order.environment);
            }
            ScriptletWork::Accounts { lines } => {
                add_accounts(lines).map_err(|error| crate::files::reason(&error))
            }
            ScriptletWork::Files(files) => read_accounts()
                .map_err(|error| crate::files::reason(&error))
                .and_then(|accounts| look_after(files, &accounts, &mut |text| say(&text))),
        };
        done.map_or_else(broken, |()| ScriptletEnd::Done)
    }

    fn run_script(&mut self, run: &ScriptletRun, script: &PlannedScript) -> Result<ScriptletEnd, String> {
        let needs_macros = script.is_lua() || script.has_macros || script.header.is_some();
        let body = match needs_macros {
            true => expand_body(script, self.macros()?)?,
            false => script.body.as_ref().map(|body| body.0.clone()),
        };
        if !script.is_lua() {
            return Ok(run_program(script, body.as_deref(), &self.order.environment));
        }
        let ended = run_lua(run, script, &body.unwrap_or_default(), self.macros()?);
        // It may have gone elsewhere, and changed what new files may be.
        umask(Mode::from_bits_truncate(0o022));
        chdir("/").map_err(|error| crate::files::reason(&error.into()))?;
        ended.map(|()| ScriptletEnd::Done)
    }

    fn macros(&mut self) -> Result<&Macros, String> {
        if self.macros.is_none() {
            let failed = |error: io::Error| crate::files::reason(&error);
            let environment = self.order.environment.iter().map(|(name, value)| (name.into(), value.into()));
            let host = SystemHost::new(environment, |report| {
                say(&String::from_utf8_lossy(&report.as_rpm()));
            });
            let macros = Macros::new(Table::new(), Rc::new(host.map_err(failed)?), Limits::default());
            macros
                .configure(&Configuration::default())
                .map_err(|_| "the root's macros can't be read".to_owned())?;
            self.macros = Some(macros);
        }
        self.macros.as_ref().ok_or_else(String::new)
    }
}

fn run_lua(run: &ScriptletRun, script: &PlannedScript, code: &[u8], macros: &Macros) -> Result<(), String> {
    chdir("/").map_err(|error| crate::files::reason(&error.into()))?;
    let slices =
        |texts: &'_ [super::Bytes]| -> Vec<Vec<u8>> { texts.iter().map(|text| text.0.clone()).collect() };
    let (input, prefixes) = (slices(&script.input), slices(&script.prefixes));
    let input: Vec<&[u8]> = input.iter().map(Vec::as_slice).collect();
    let prefixes: Vec<&[u8]> = prefixes.iter().map(Vec::as_slice).collect();
    let name = run.title();
    let scriptlet = LuaScriptlet {
        name: name.as_bytes(),
        code,
        arguments: &script.arguments,
        input: &input,
        prefixes: &prefixes,
    };
    macros
        .run_lua_scriptlet(&scriptlet)
        .map_err(|message| format!("lua script failed: {}", String::from_utf8_lossy(&message)))
}

fn open_root() -> io::Result<Folder> {
    Folder::open_ambient(&HostPath::root())
}

fn read_accounts() -> io::Result<Accounts> {
    let root = open_root()?;
    Ok(Accounts {
        passwd: root.read_text_if_there(PASSWD)?.unwrap_or_default(),
        group: root.read_text_if_there(GROUP)?.unwrap_or_default(),
        shadow: root.read_text_if_there(SHADOW)?,
        gshadow: root.read_text_if_there(GSHADOW)?,
    })
}

/// Adds what lines say to the root's accounts; files that nothing is added to are left alone.
fn add_accounts(lines: &[String]) -> io::Result<()> {
    let before = read_accounts()?;
    let mut accounts = before.clone();
    lines.iter().for_each(|line| accounts.add(line));
    let root = open_root()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for (path, before, now) in [
        (PASSWD, before.passwd, accounts.passwd),
        (GROUP, before.group, accounts.group),
        (SHADOW, text(&before.shadow), text(&accounts.shadow)),
        (GSHADOW, text(&before.gshadow), text(&accounts.gshadow)),
    ] {
        if before == now {
            continue;
        }
        if root.exists(path) {
            root.rewrite(path, now.as_bytes())?;
        } else {
            drop(root.create("etc")?);
            root.write_atomic(path, now.as_bytes())?;
        }
    }
    Ok(())
}
