//! Scripts: of the build, and of packages.

use bstr::{BStr, BString, ByteSlice};

use super::super::dependency::Dependency;
use super::super::dialect::{OldForm, accepts};
use super::super::line_reader::Line;
use super::super::package::{BuildScript, Declared, DependencyKind, Scriptlet};
use super::super::package_problem::PackageProblem;
use super::super::place::Place;
use super::super::section::SectionKind;
use super::super::section_header::{SectionHeader, split_shell_words};
use super::dependencies::{read_conditions, rpmlib_dependency};
use super::pieces::PiecePlace;
use super::prep::{define_prep_macros, remove_prep_macros};
use super::state::{EarlyEnd, Parser};
use crate::package::Capability;

/// The program that runs scripts which name none.
const SHELL: &str = "/bin/sh";

/// A section that holds a script of a package.
pub(super) struct ScriptSection<'s> {
    pub kind: SectionKind,
    pub header: &'s SectionHeader,
    pub package: usize,
    /// Where it begins.
    pub place: Place,
}

impl Parser<'_> {
    pub(super) fn open_build_script(
        &mut self,
        kind: SectionKind,
        arguments: &[u8],
        line: &Line,
    ) -> Result<(), EarlyEnd> {
        let mut position = PiecePlace::Main;
        let words = split_shell_words(arguments);
        // Alone, `-a` and `-p` are what newer versions know: specs that append have been written for them.
        let first = words.first();
        let is_newer = first.is_some_and(|word| matches!(word.as_slice(), b"-a" | b"-p"))
            && words.iter().all(|word| Some(word) == first);
        let takes_options = is_newer || !accepts(self.macros, OldForm::ScriptOptions);
        for word in words.into_iter().filter(|_| takes_options) {
            let next = match word.as_slice() {
                b"-a" => PiecePlace::After,
                b"-p" => PiecePlace::Before,
                option if option.starts_with(b"-") && option.len() > 1 => {
                    let section = kind.word();
                    return Err(self.fail(PackageProblem::ScriptOption { section, option: word }));
                }
                _ => continue,
            };
            if position != PiecePlace::Main && position != next {
                let line = line.text.trim_ascii_end().into();
                return Err(self.fail(PackageProblem::AppendAndPrepend { line }));
            }
            position = next;
        }
        if kind == SectionKind::Prep {
            define_prep_macros(self.macros, &self.sources);
        }
        let pieces = self.scripts.entry(kind).or_default();
        if position == PiecePlace::Main && pieces.main.is_some() {
            return Err(self.fail(PackageProblem::SecondSection { section: kind.word() }));
        }
        pieces.current = position;
        pieces.place.get_or_insert_with(|| line.place());
        Ok(())
    }

    pub(super) fn close_build_script(&mut self, kind: SectionKind, text: &[u8]) {
        if kind == SectionKind::Prep {
            remove_prep_macros(self.macros);
        }
        let pieces = self.scripts.entry(kind).or_default();
        match pieces.current {
            PiecePlace::Main => pieces.main = Some(text.to_vec()),
            PiecePlace::Before => pieces.before.insert(0, text.to_vec()),
            PiecePlace::After => pieces.after.push(text.to_vec()),
        }
    }

    /// Puts the pieces together.
    pub(super) fn join_scripts(&mut self) {
        const ORDER: [SectionKind; 7] = [
            SectionKind::Prep,
            SectionKind::GenerateBuildRequires,
            SectionKind::Conf,
            SectionKind::Build,
            SectionKind::Install,
            SectionKind::Check,
            SectionKind::Clean,
        ];
        for kind in ORDER {
            let Some(pieces) = self.scripts.remove(&kind) else {
                continue;
            };
            let Some(place) = pieces.place else {
                continue;
            };
            let all = pieces.before.into_iter().chain(pieces.main).chain(pieces.after);
            let body = all.collect::<Vec<_>>().concat().into();
            self.spec.scripts.push(BuildScript { kind, body, place });
        }
    }

    /// Whether there is a script of the build of that kind, its additions aside.
    pub(super) fn has_main_script(&self, kind: SectionKind) -> bool {
        self.scripts.get(&kind).is_some_and(|pieces| pieces.main.is_some())
    }

    /// The options of a trigger, which end with `--`.
    pub(super) fn read_trigger_header(
        &mut self,
        kind: SectionKind,
        arguments: &[u8],
        text: &BStr,
    ) -> Result<SectionHeader, EarlyEnd> {
        let Some((options, conditions)) = arguments.split_once_str("--") else {
            return Err(self.fail(PackageProblem::NoCondition { line: text.into() }));
        };
        if conditions.trim_ascii().is_empty() {
            return Err(self.fail(PackageProblem::NoCondition { line: text.into() }));
        }
        let whole = BString::from(text.split_str("--").next().unwrap_or(text)).trim_ascii_end().to_vec();
        let shown: BString = [whole.as_slice(), b" --"].concat().into();
        let mut header = SectionHeader::read(kind, options, &shown).map_err(|problem| self.fail(problem))?;
        header.conditions = conditions.trim_ascii().into();
        Ok(header)
    }

    /// What can be said of a script by its first line.
    pub(super) fn check_script(
        &mut self,
        kind: SectionKind,
        header: &SectionHeader,
        package: usize,
    ) -> Result<(), EarlyEnd> {
        let program = header.program.first().cloned().unwrap_or_else(|| SHELL.into());
        if header.priority.is_some() && !kind.is_file_trigger() && !kind.is_trigger() {
            return Err(self.fail(PackageProblem::Priority { program }));
        }
        let known = self.spec.packages.get(package).map(|package| package.scriptlets.as_slice());
        let is_second = known.unwrap_or_default().iter().any(|script| script.kind == kind);
        if is_second && !kind.is_trigger() {
            return Err(self.fail(PackageProblem::SecondScript { section: kind.word() }));
        }
        Ok(())
    }

    /// Adds a script to its package.
    pub(super) fn add_scriptlet(&mut self, section: &ScriptSection<'_>, text: &[u8]) -> Result<(), EarlyEnd> {
        let ScriptSection { kind, header, package, place } = section;
        let (kind, package) = (*kind, *package);
        let program = match header.program.as_slice() {
            [] => vec![BString::from(SHELL)],
            program => program.to_vec(),
        };
        let body = text.trim_ascii_end();
        if kind.is_trigger() && program.len() > 1 {
            let program = bstr::join(" ", &program).into();
            return Err(self.fail(PackageProblem::TriggerArguments { program }));
        }
        self.check_program(kind, &program, body)?;
        let conditions = self.read_trigger_conditions(section, text.is_empty())?;
        self.add_script_requires(section, &program);
        let scriptlet = Scriptlet {
            kind,
            program,
            body: body.into(),
            file: header.files.first().cloned(),
            expands: header.expands,
            formats: header.formats,
            conditions,
            priority: header.priority.unwrap_or(1_000_000),
            place: place.clone(),
        };
        if let Some(package) = self.package(package) {
            package.scriptlets.push(scriptlet);
        }
        Ok(())
    }

    fn check_program(&mut self, kind: SectionKind, program: &[BString], body: &[u8]) -> Result<(), EarlyEnd> {
        let Some(first) = program.first().filter(|first| first.starts_with(b"<")) else {
            return Ok(());
        };
        if first != "<lua>" {
            return Err(self.fail(PackageProblem::InternalScript { program: first.clone() }));
        }
        let name = format!("%{}", kind.word());
        if let Err(message) = self.macros.check_lua(body, &name) {
            return Err(self.fail(PackageProblem::LuaScript { message: message.into() }));
        }
        Ok(())
    }

    /// What a script makes its package require.
    fn add_script_requires(&mut self, section: &ScriptSection<'_>, program: &[BString]) {
        let ScriptSection { kind, header, package, place } = section;
        let (kind, package) = (*kind, *package);
        let mut add = |declared| self.add_dependency(package, declared);
        if header.expands || header.formats {
            add(rpmlib_dependency("ScriptletExpansion", "4.9.0-1", place.clone()));
        }
        match program {
            [lua, ..] if lua == "<lua>" => {
                add(rpmlib_dependency("BuiltinLuaScripts", "4.2.2-1", place.clone()))
            }
            [first, rest @ ..] => {
                if !rest.is_empty() {
                    add(rpmlib_dependency("ScriptletInterpreterArgs", "4.0.3-1", place.clone()));
                }
                add(Declared {
                    kind: DependencyKind::Requires,
                    dependency: Dependency::Plain(Capability { name: first.clone(), version: None }),
                    events: (1 << 8) | event_bit(kind),
                    place: place.clone(),
                });
            }
            [] => {}
        }
    }

    /// What fires a trigger.
    fn read_trigger_conditions(
        &mut self,
        section: &ScriptSection<'_>,
        is_last_line: bool,
    ) -> Result<Vec<Dependency>, EarlyEnd> {
        let ScriptSection { kind, header, package, .. } = section;
        let (kind, package) = (*kind, *package);
        if !kind.is_trigger() {
            return Ok(Vec::new());
        }
        let text = header.conditions.clone();
        // rpm's messages show the end of the line, if another one has been read after it.
        let shown = |text: &BString, has_end: bool| {
            let end: &[u8] = if has_end { b"\n" } else { b"" };
            BString::from([text.as_slice(), end].concat())
        };
        let is_at_end = self.is_at_end;
        if kind.is_file_trigger() {
            let paths: Vec<BString> = split_shell_words(&text);
            if let Some(condition) = paths.iter().find(|path| !path.starts_with(b"/")) {
                return Err(self.fail(PackageProblem::FileCondition { condition: condition.clone() }));
            }
        }
        let found = read_conditions(&text).map_err(|problem| {
            self.fail(PackageProblem::TriggerDependency { problem, condition: shown(&text, !is_at_end) })
        })?;
        let known = self.spec.packages.get(package).map(|package| package.scriptlets.as_slice());
        let mut fired = known.unwrap_or_default().iter().filter(|script| script.kind == kind);
        let name = |dependency: &Dependency| match dependency {
            Dependency::Plain(capability) => capability.name.clone(),
            Dependency::Rich(rich) => rich.to_string().into(),
        };
        let names: Vec<BString> = found.iter().map(name).collect();
        let twice = fired.find_map(|script| {
            let mut conditions = script.conditions.iter().map(name);
            conditions.find(|condition| names.contains(condition))
        });
        match twice.filter(|_| !kind.is_file_trigger()) {
            Some(condition) => {
                Err(self.fail(PackageProblem::TriggerTwice { condition: shown(&condition, !is_last_line) }))
            }
            None => Ok(found),
        }
    }
}

/// When a script's program is needed, in rpm's bits.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other sections need no program for themselves")]
fn event_bit(kind: SectionKind) -> u32 {
    match kind {
        SectionKind::Pre => 1 << 9,
        SectionKind::Post => 1 << 10,
        SectionKind::PreUn => 1 << 11,
        SectionKind::PostUn => 1 << 12,
        SectionKind::VerifyScript => 1 << 13,
        SectionKind::PreTrans => 1 << 7,
        SectionKind::PostTrans => 1 << 5,
        SectionKind::PreUnTrans => 1 << 20,
        SectionKind::PostUnTrans => 1 << 21,
        _ => 0,
    }
}
