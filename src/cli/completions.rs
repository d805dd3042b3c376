//! `forge completions`
//!
//! What clap writes knows commands and options. The names that a manifest declares are added by asking forge itself
//! (`forge complete-names`) while the shell completes: of a manifest that can't be read there are none.

use clap_complete::Shell;

use super::Exit;
use super::arguments::{Completions, command_line};
use super::context::{Context, Failure};
use super::project::Project;

/// The command that completion scripts ask for names. It is no command that a user gives.
pub const COMPLETE_NAMES: &str = "complete-names";

/// What names are asked for.
const KINDS: [(&str, &str); 3] = [("PACKAGE", "packages"), ("CHROOT", "chroots"), ("BATCH", "batches")];

/// Prints a completion script.
pub fn run(arguments: &Completions, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command_line(), "forge", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let script = match arguments.shell {
        Shell::Bash => format!("{script}{}", bash_names()),
        Shell::Zsh => zsh_names(&script),
        Shell::Fish => format!("{script}{}", fish_names()),
        // These complete commands and options alone.
        Shell::Elvish | Shell::PowerShell | _ => script,
    };
    context.print(&script)?;
    Ok(Exit::Success)
}

/// Prints names of the manifest, one a line. A shell that completes is told nothing of mistakes.
pub fn print_names(kind: &str, context: &Context) -> Exit {
    let manifest = Project::find(context).and_then(|project| project.manifest(&[], context));
    let Ok(manifest) = manifest else { return Exit::Success };
    let names: Vec<&str> = match kind {
        "packages" => manifest.packages.iter().map(|package| package.name.value.as_str()).collect(),
        "chroots" => manifest.chroots.iter().map(|chroot| chroot.name.value.as_str()).collect(),
        "batches" => manifest.batches.iter().map(|batch| batch.name.value.as_str()).collect(),
        _ => Vec::new(),
    };
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    match context.print(&lines) {
        Ok(()) | Err(Failure::ClosedPipe) => Exit::Success,
        Err(Failure::Manifest(_) | Failure::Circles(_) | Failure::Report(_)) => Exit::Failure,
    }
}

/// The commands that take chroots without an option. The packages that `update` takes are those of repositories.
const CHROOT_COMMANDS: [&str; 2] = ["update", "chroot"];

/// The commands that take packages.
fn package_commands() -> Vec<String> {
    let takes_packages = |command: &clap::Command| {
        command.get_positionals().any(|argument| {
            let names = argument.get_value_names().unwrap_or_default();
            names.iter().any(|name| name.contains("PACKAGE"))
        })
    };
    let commands = command_line();
    let found = commands.get_subcommands().filter(|command| takes_packages(command));
    let found = found.filter(|command| !CHROOT_COMMANDS.contains(&command.get_name()));
    found.map(|command| command.get_name().to_owned()).collect()
}

fn bash_names() -> String {
    let (commands, of_chroots) = (package_commands().join("|"), CHROOT_COMMANDS.join("|"));
    format!(
        r#"
_forge_with_names() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" kind="" given
    _forge "$@"
    case "$before" in
        --chroot) kind=chroots; COMPREPLY=() ;;
        --batch) kind=batches; COMPREPLY=() ;;
        -p|--package) kind=packages; COMPREPLY=() ;;
        *)
            if [[ $word != -* ]]; then
                for given in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
                    case "$given" in
                        {of_chroots}) kind=chroots; break ;;
                        {commands}) kind=packages ;;
                    esac
                done
            fi
            ;;
    esac
    if [[ -n $kind ]]; then
        COMPREPLY+=($(compgen -W "$("${{COMP_WORDS[0]}}" {COMPLETE_NAMES} $kind 2>/dev/null)" -- "$word"))
    fi
}}
complete -o nosort -o bashdefault -o default -F _forge_with_names forge
"#
    )
}

/// Has the specifications of arguments ask for names: they end with what completes their values.
fn zsh_names(script: &str) -> String {
    let mut text = String::new();
    for line in script.split_inclusive('\n') {
        let kind = KINDS.iter().find(|(value, _)| {
            let is_option = line.contains(&format!(":{value}:_default"));
            let positionals: &[&str] = match *value {
                "PACKAGE" => &["packages --", "package --", "specs --", "before --"],
                "CHROOT" => &["chroot --", "one --", "other --"],
                _ => &[],
            };
            is_option || is_positional(line, positionals)
        });
        match kind {
            Some((_, kind)) => {
                let names = format!(":_forge_{kind}'");
                text.push_str(&line.replace(":_default'", &names).replace(":_files'", &names));
            }
            None => text.push_str(line),
        }
    }
    let functions = KINDS.map(|(_, kind)| {
        format!(
            "_forge_{kind}() {{\n    local -a names\n    names=(${{(f)\"$(_call_program {kind} forge {COMPLETE_NAMES} {kind} 2>/dev/null)\"}})\n    \
             compadd -a names\n    [[ {kind} == packages ]] && _files\n}}\n\n"
        )
    });
    let end = text.rfind("if [ \"$funcstack[1]\"").unwrap_or(text.len());
    text.insert_str(end, &functions.concat());
    text
}

/// Whether a line of a script for zsh is of one of these arguments: `'*::packages -- …:_default'`.
fn is_positional(line: &str, names: &[&str]) -> bool {
    let Some(argument) = line.trim_start().strip_prefix('\'') else { return false };
    let name = argument.trim_start_matches(['*', ':']);
    let is_positional = name.len() < argument.len();
    is_positional && names.iter().any(|begin| name.starts_with(begin))
}

fn fish_names() -> String {
    let commands = package_commands().join(" ");
    let mut text = String::new();
    for (option, kind) in [("chroot", "chroots"), ("batch", "batches"), ("package", "packages")] {
        let names = command_line();
        let having = names
            .get_subcommands()
            .filter(|command| command.get_arguments().any(|argument| argument.get_long() == Some(option)));
        let having: Vec<&str> = having.map(clap::Command::get_name).collect();
        text.push_str(&format!(
            "complete -c forge -n \"__fish_seen_subcommand_from {}\" -l {option} -x -a \"(forge {COMPLETE_NAMES} {kind} 2>/dev/null)\"\n",
            having.join(" ")
        ));
    }
    text.push_str(&format!(
        "complete -c forge -n \"__fish_seen_subcommand_from {commands}\" -a \"(forge {COMPLETE_NAMES} packages 2>/dev/null)\"\n"
    ));
    text.push_str(&format!(
        "complete -c forge -n \"__fish_seen_subcommand_from {}\" -a \"(forge {COMPLETE_NAMES} chroots 2>/dev/null)\"\n",
        CHROOT_COMMANDS.join(" ")
    ));
    text
}
