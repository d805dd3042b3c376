//! `BuildSystem`: scripts that macros write (rpm-spec(5), "BuildSystem").

use bstr::{BStr, BString, ByteSlice};

use super::super::package_problem::PackageProblem;
use super::super::section::SectionKind;
use super::state::{EarlyEnd, Parser};

/// Scripts in the order that they are added in; those that every build system has are marked.
const SCRIPTS: [(SectionKind, bool); 7] = [
    (SectionKind::Prep, false),
    (SectionKind::GenerateBuildRequires, false),
    (SectionKind::Conf, true),
    (SectionKind::Build, true),
    (SectionKind::Install, true),
    (SectionKind::Check, false),
    (SectionKind::Clean, false),
];

impl Parser<'_> {
    pub(super) fn set_build_system(&mut self, name: &BString) -> Result<(), EarlyEnd> {
        let shown = name.to_str_lossy().into_owned();
        let is_there = |kind: SectionKind| {
            let name = format!("buildsystem_{shown}_{}", kind.word());
            let found = self.macros.with_table(|table| table.get(name.as_bytes()).cloned());
            found.is_some_and(|definition| definition.options.is_some())
        };
        let needed = SCRIPTS.iter().filter(|(_, is_needed)| *is_needed).map(|(kind, _)| *kind);
        let missing: Vec<SectionKind> = needed.filter(|kind| !is_there(*kind)).collect();
        let problem = match missing.as_slice() {
            [] => None,
            [_, _, _] => Some(PackageProblem::BuildSystem { name: name.clone() }),
            [kind, ..] => Some(PackageProblem::BuildSystemMacro { section: kind.word(), name: name.clone() }),
        };
        if let Some(problem) = problem {
            return Err(self.fail(problem));
        }
        self.define_tag(0, "buildsystem", name);
        self.build_system.name = Some(name.clone());
        Ok(())
    }

    /// `BuildOption(section): option`; without a section it is for `%conf`.
    pub(super) fn add_build_option(
        &mut self,
        section: Option<BString>,
        value: &BStr,
    ) -> Result<(), EarlyEnd> {
        let kind = match &section {
            None => Some(SectionKind::Conf),
            Some(section) => SCRIPTS
                .iter()
                .map(|(kind, _)| *kind)
                .find(|kind| kind.word().as_bytes() == section.as_slice()),
        };
        match kind {
            Some(kind) => {
                self.build_system.options.push((kind, value.into()));
                Ok(())
            }
            None => {
                let section = section.unwrap_or_default();
                Err(self.fail(PackageProblem::BuildOption { section }))
            }
        }
    }

    /// What a build system adds for the scripts that the spec does not have itself.
    pub(super) fn write_build_system_scripts(&mut self) -> Result<Option<Vec<u8>>, EarlyEnd> {
        let Some(name) = self.build_system.name.clone().filter(|_| !self.build_system.is_added) else {
            return Ok(None);
        };
        self.build_system.is_added = true;
        let mut text = Vec::new();
        for (kind, _) in SCRIPTS {
            if self.has_main_script(kind) {
                continue;
            }
            let word = kind.word();
            let own = format!("buildsystem_{name}_{word}");
            let default = format!("buildsystem_default_{word}");
            let Some(called) = [own, default].into_iter().find(|name| self.is_defined(name)) else {
                continue;
            };
            let options = self.build_system.options.iter().filter(|(of, _)| *of == kind);
            let options: Vec<&[u8]> = options.map(|(_, option)| option.as_slice()).collect();
            // They are arguments, and not options of the macro.
            text.extend(format!("%{word}\n%{called} -- ").into_bytes());
            text.extend(options.join(&b' '));
            text.push(b'\n');
        }
        Ok(Some(text))
    }
}
