//! Scripts: of the build, and of packages.

use bstr::{BStr, BString, ByteSlice};

use super::super::dependency::Dependency;
use super::super::dialect::{OldForm, accepts};
use super::super::header::{Header, words};
use super::super::package::{BuildScript, Declared, DependencyKind, Place, Scriptlet};
use super::super::package_problem::PackageProblem;
use super::super::reader::Line;
use super::super::section::SectionKind;
use super::dependencies::{conditions, rpmlib};
use super::{Ended, Parser, place};
use crate::package::Capability;

/// The program that runs scripts which name none.
const SHELL: &str = "/bin/sh";

/// Where a piece of a script of the build goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Goes {
    #[default]
    Here,
    Before,
    After,
}

/// A script of the build in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    main: Option<Vec<u8>>,
    before: Vec<Vec<u8>>,
    after: Vec<Vec<u8>>,
    place: Option<Place>,
    /// Where the piece that is read goes.
    goes: Goes,
}

impl Parser<'_> {
    pub(super) fn open_build_script(
        &mut self,
        kind: SectionKind,
        arguments: &[u8],
        line: &Line,
    ) -> Result<(), Ended> {
        let mut goes = Goes::Here;
        let words = words(arguments);
        // Alone, `-a` and `-p` are what newer versions know: specs that append have been written for them.
        let first = words.first();
        let is_newer = first.is_some_and(|word| matches!(word.as_slice(), b"-a" | b"-p"))
            && words.iter().all(|word| Some(word) == first);
        let takes_options = is_newer || !accepts(self.macros, OldForm::ScriptOptions);
        for word in words.into_iter().filter(|_| takes_options) {
            let next = match word.as_slice() {
                b"-a" => Goes::After,
                b"-p" => Goes::Before,
                option if option.starts_with(b"-") && option.len() > 1 => {
                    let section = kind.word();
                    return Err(self.wrong(PackageProblem::ScriptOption { section, option: word }));
                }
                _ => continue,
            };
            if goes != Goes::Here && goes != next {
                let line = line.text.trim_ascii_end().into();
                return Err(self.wrong(PackageProblem::AppendAndPrepend { line }));
            }
            goes = next;
        }
        if kind == SectionKind::Prep {
            super::prep::enter(self.macros, &self.sources);
        }
        let pieces = self.scripts.entry(kind).or_default();
        if goes == Goes::Here && pieces.main.is_some() {
            return Err(self.wrong(PackageProblem::SecondSection { section: kind.word() }));
        }
        pieces.goes = goes;
        pieces.place.get_or_insert_with(|| place(line));
        Ok(())
    }

    pub(super) fn close_build_script(&mut self, kind: SectionKind, text: &[u8]) {
        if kind == SectionKind::Prep {
            super::prep::leave(self.macros);
        }
        let pieces = self.scripts.entry(kind).or_default();
        match pieces.goes {
            Goes::Here => pieces.main = Some(text.to_vec()),
            Goes::Before => pieces.before.insert(0, text.to_vec()),
            Goes::After => pieces.after.push(text.to_vec()),
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
    pub(super) fn trigger_header(
        &mut self,
        kind: SectionKind,
        arguments: &[u8],
        text: &BStr,
    ) -> Result<Header, Ended> {
        let Some((options, conditions)) = arguments.split_once_str("--") else {
            return Err(self.wrong(PackageProblem::NoCondition { line: text.into() }));
        };
        if conditions.trim_ascii().is_empty() {
            return Err(self.wrong(PackageProblem::NoCondition { line: text.into() }));
        }
        let whole = BString::from(text.split_str("--").next().unwrap_or(text)).trim_ascii_end().to_vec();
        let shown: BString = [whole.as_slice(), b" --"].concat().into();
        let mut header = Header::read(kind, options, &shown).map_err(|problem| self.wrong(problem))?;
        header.conditions = conditions.trim_ascii().into();
        Ok(header)
    }

    /// What can be said of a script by its first line.
    pub(super) fn check_script(
        &mut self,
        kind: SectionKind,
        header: &Header,
        package: usize,
    ) -> Result<(), Ended> {
        let program = header.program.first().cloned().unwrap_or_else(|| SHELL.into());
        if header.priority.is_some() && !kind.is_file_trigger() && !kind.is_trigger() {
            return Err(self.wrong(PackageProblem::Priority { program }));
        }
        let known = self.spec.packages.get(package).map(|package| package.scriptlets.as_slice());
        let is_second = known.unwrap_or_default().iter().any(|script| script.kind == kind);
        if is_second && !kind.is_trigger() {
            return Err(self.wrong(PackageProblem::SecondScript { section: kind.word() }));
        }
        Ok(())
    }

    /// A script of a package.
    pub(super) fn scriptlet(
        &mut self,
        kind: SectionKind,
        header: &Header,
        package: usize,
        line: &Line,
        text: &[u8],
    ) -> Result<(), Ended> {
        let program = match header.program.as_slice() {
            [] => vec![BString::from(SHELL)],
            program => program.to_vec(),
        };
        let place = place(line);
        let body = text.trim_ascii_end();
        if kind.is_trigger() && program.len() > 1 {
            let program = bstr::join(" ", &program).into();
            return Err(self.wrong(PackageProblem::TriggerArguments { program }));
        }
        self.check_program(kind, &program, body)?;
        let conditions = self.conditions(kind, header, package, text.is_empty())?;
        self.needs(kind, header, package, &program, &place);
        let scriptlet = Scriptlet {
            kind,
            program,
            body: body.into(),
            file: header.files.first().cloned(),
            expands: header.expands,
            formats: header.formats,
            conditions,
            priority: header.priority.unwrap_or(1_000_000),
            place,
        };
        if let Some(package) = self.package(package) {
            package.scriptlets.push(scriptlet);
        }
        Ok(())
    }

    fn check_program(&mut self, kind: SectionKind, program: &[BString], body: &[u8]) -> Result<(), Ended> {
        let Some(first) = program.first().filter(|first| first.starts_with(b"<")) else {
            return Ok(());
        };
        if first != "<lua>" {
            return Err(self.wrong(PackageProblem::InternalScript { program: first.clone() }));
        }
        let name = format!("%{}", kind.word());
        if let Err(message) = self.macros.check_lua(body, &name) {
            return Err(self.wrong(PackageProblem::LuaScript { message: message.into() }));
        }
        Ok(())
    }

    /// What a script makes its package require.
    fn needs(
        &mut self,
        kind: SectionKind,
        header: &Header,
        package: usize,
        program: &[BString],
        place: &Place,
    ) {
        let mut add = |declared| self.add_dependency(package, declared);
        if header.expands || header.formats {
            add(rpmlib("ScriptletExpansion", "4.9.0-1", place.clone()));
        }
        match program {
            [lua, ..] if lua == "<lua>" => add(rpmlib("BuiltinLuaScripts", "4.2.2-1", place.clone())),
            [first, rest @ ..] => {
                if !rest.is_empty() {
                    add(rpmlib("ScriptletInterpreterArgs", "4.0.3-1", place.clone()));
                }
                add(Declared {
                    kind: DependencyKind::Requires,
                    dependency: Dependency::Plain(Capability { name: first.clone(), version: None }),
                    events: (1 << 8) | event(kind),
                    place: place.clone(),
                });
            }
            [] => {}
        }
    }

    /// What fires a trigger.
    fn conditions(
        &mut self,
        kind: SectionKind,
        header: &Header,
        package: usize,
        is_last_line: bool,
    ) -> Result<Vec<Dependency>, Ended> {
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
            let paths: Vec<BString> = words(&text);
            if let Some(condition) = paths.iter().find(|path| !path.starts_with(b"/")) {
                return Err(self.wrong(PackageProblem::FileCondition { condition: condition.clone() }));
            }
        }
        let found = conditions(&text).map_err(|problem| {
            self.wrong(PackageProblem::TriggerDependency { problem, condition: shown(&text, !is_at_end) })
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
                Err(self.wrong(PackageProblem::TriggerTwice { condition: shown(&condition, !is_last_line) }))
            }
            None => Ok(found),
        }
    }
}

/// When a script's program is needed, in rpm's bits.
fn event(kind: SectionKind) -> u32 {
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
