//! Scripts as headers have them.

use super::packages::ScriptedPackage;
use crate::engine::{PlannedScript, ScriptletKind, ScriptletRun, ScriptletWeight, ScriptletWork};
use crate::package::Tag;

/// The tags of a kind of scripts.
pub(super) struct ScriptTags {
    pub kind: ScriptletKind,
    pub body: Tag,
    pub program: Tag,
    pub flags: Tag,
    /// What follows where one fails that says nothing of it.
    pub weight: ScriptletWeight,
}

pub(super) const PRETRANS: ScriptTags = ScriptTags {
    kind: ScriptletKind::Pretrans,
    body: Tag::PRETRANS,
    program: Tag::PRETRANSPROG,
    flags: Tag::PRETRANSFLAGS,
    weight: ScriptletWeight::Error,
};

pub(super) const PRE: ScriptTags = ScriptTags {
    kind: ScriptletKind::Pre,
    body: Tag::PREIN,
    program: Tag::PREINPROG,
    flags: Tag::PREINFLAGS,
    weight: ScriptletWeight::Error,
};

pub(super) const POST: ScriptTags = ScriptTags {
    kind: ScriptletKind::Post,
    body: Tag::POSTIN,
    program: Tag::POSTINPROG,
    flags: Tag::POSTINFLAGS,
    weight: ScriptletWeight::Warning,
};

pub(super) const POSTTRANS: ScriptTags = ScriptTags {
    kind: ScriptletKind::Posttrans,
    body: Tag::POSTTRANS,
    program: Tag::POSTTRANSPROG,
    flags: Tag::POSTTRANSFLAGS,
    weight: ScriptletWeight::Warning,
};

pub(super) const TRIGGERPREIN: ScriptTags = ScriptTags {
    kind: ScriptletKind::TriggerPrein,
    body: Tag::TRIGGERSCRIPTS,
    program: Tag::TRIGGERSCRIPTPROG,
    flags: Tag::TRIGGERSCRIPTFLAGS,
    weight: ScriptletWeight::Error,
};

pub(super) const TRIGGERIN: ScriptTags = ScriptTags {
    kind: ScriptletKind::Triggerin,
    body: Tag::TRIGGERSCRIPTS,
    program: Tag::TRIGGERSCRIPTPROG,
    flags: Tag::TRIGGERSCRIPTFLAGS,
    weight: ScriptletWeight::Warning,
};

pub(super) const FILETRIGGERIN: ScriptTags = ScriptTags {
    kind: ScriptletKind::FileTriggerin,
    body: Tag::FILETRIGGERSCRIPTS,
    program: Tag::FILETRIGGERSCRIPTPROG,
    flags: Tag::FILETRIGGERSCRIPTFLAGS,
    weight: ScriptletWeight::Warning,
};

pub(super) const TRANSFILETRIGGERIN: ScriptTags = ScriptTags {
    kind: ScriptletKind::TransFileTriggerin,
    body: Tag::TRANSFILETRIGGERSCRIPTS,
    program: Tag::TRANSFILETRIGGERSCRIPTPROG,
    flags: Tag::TRANSFILETRIGGERSCRIPTFLAGS,
    weight: ScriptletWeight::Warning,
};

/// What a script's flags say (`RPMSCRIPT_FLAG_*`): macros are expanded, it is a query format, its failure is an error.
const EXPAND: u64 = 1;
const QUERY_FORMAT: u64 = 1 << 1;
const CRITICAL: u64 = 1 << 2;

/// The interpreter of a script that names none.
const SHELL: &str = "/bin/sh";

impl ScriptTags {
    /// The script of a package, if it has one.
    pub fn own_script(&self, package: &ScriptedPackage<'_>, count: usize) -> Option<ScriptletRun> {
        let header = &package.headers.header;
        if !header.has(self.body) && !header.has(self.program) {
            return None;
        }
        let interpreter = header.texts(self.program).iter().map(Into::into).collect();
        let body = header.text(self.body).map(Into::into);
        let flags = header.numbers(self.flags).first().copied().unwrap_or_default();
        let script =
            PlannedScript { interpreter, body, arguments: numbers(&[count]), ..PlannedScript::default() };
        Some(self.run(package, script, flags))
    }

    /// One of the scripts of a package's triggers.
    pub fn trigger_script(
        &self,
        package: &ScriptedPackage<'_>,
        number: usize,
        counts: &[usize],
        input: Vec<Vec<u8>>,
    ) -> Option<ScriptletRun> {
        let header = &package.headers.header;
        let (body, program) = (header.texts(self.body).get(number)?, header.texts(self.program).get(number)?);
        let flags = header.numbers(self.flags).get(number).copied().unwrap_or_default();
        // File triggers never keep a package away.
        let is_for_files =
            matches!(self.kind, ScriptletKind::FileTriggerin | ScriptletKind::TransFileTriggerin);
        let script = PlannedScript {
            interpreter: vec![program.into()],
            body: Some(body.into()),
            arguments: numbers(counts),
            input: input.into_iter().map(Into::into).collect(),
            ..PlannedScript::default()
        };
        Some(self.run(package, script, if is_for_files { flags & !CRITICAL } else { flags }))
    }

    fn run(&self, package: &ScriptedPackage<'_>, mut script: PlannedScript, flags: u64) -> ScriptletRun {
        if script.interpreter.is_empty() {
            script.interpreter = vec![SHELL.into()];
        }
        script.has_macros = flags & EXPAND != 0;
        let installed = || package.headers.encode_installed(&[]).map(Into::into);
        script.header = (flags & QUERY_FORMAT != 0).then(installed).flatten();
        let prefixes = package.headers.header.texts(Tag::PREFIXES);
        script.prefixes = prefixes.iter().map(Into::into).collect();
        let weight = if flags & CRITICAL != 0 { ScriptletWeight::Error } else { self.weight };
        let work = ScriptletWork::Script(script);
        ScriptletRun { package: package.nevra.clone(), kind: self.kind, weight, work }
    }
}

fn numbers(counts: &[usize]) -> Vec<u32> {
    counts.iter().map(|count| u32::try_from(*count).unwrap_or(u32::MAX)).collect()
}
