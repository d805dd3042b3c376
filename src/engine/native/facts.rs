//! The facts of a spec that was read.

use bstr::ByteSlice;

use super::observations::remove_variables;
use super::spec_reading::SpecReading;
use crate::engine::listed::implied_provide;
use crate::engine::{ArchLimits, Facts, Read, Reading, SourceReference, SubpackageFacts};
use crate::macros::{Observation, Placeholders};
use crate::package::{Dependency, Header, Tag};
use crate::spec::{
    DependencyKind, Finding, Package, SectionKind, SimpleDirective, Spec, Weight, read_file_line,
};

/// What a reading comes to.
pub(super) fn from_reading(read: SpecReading, placeholders: &Placeholders) -> Read {
    let SpecReading { spec, findings, observations, target } = read;
    let observations = remove_variables(observations);
    // Nobody can look at such a thing again: the text that came of it stands for it.
    let is_unknowable = observations.contains(&Observation::Run);
    let expanded = spec.as_ref().filter(|_| is_unknowable);
    let expanded = expanded.map(|spec| placeholders.digest(&placeholders.hide(&spec.text)));
    if findings.iter().any(Finding::is_withheld) {
        return Read { reading: Reading::Withheld(keep_refusals(findings)), observations, expanded };
    }
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(Finding::is_error);
    let reading = match spec {
        Some(spec) if errors.is_empty() => {
            let facts = collect_facts(&spec, warnings);
            match facts.arch.ruled_out(&target) {
                Some(words) => Reading::RuledOut(words),
                None => Reading::Facts(Box::new(facts)),
            }
        }
        _ => Reading::Broken(errors),
    };
    Read { reading, observations, expanded }
}

/// Keeps the findings that say that a file may not be looked at. They are warnings: what named the file may have been a
/// program that did not run.
fn keep_refusals(findings: Vec<Finding>) -> Vec<Finding> {
    let refused = findings.into_iter().filter(Finding::is_confined);
    refused.map(|finding| Finding { weight: Weight::Warning, ..finding }).collect()
}

fn collect_facts(spec: &Spec, warnings: Vec<Finding>) -> Facts {
    let source = spec.source_header();
    let sources = spec.sources.iter().map(|source| SourceReference {
        file_name: to_text(&source.file_name),
        reference: to_text(&source.reference),
    });
    let mut arch = ArchLimits {
        exclusive: spec.limits.exclusive_arch.iter().map(|arch| to_text(arch)).collect(),
        excluded: spec.limits.exclude_arch.iter().map(|arch| to_text(arch)).collect(),
        build: spec.build_archs.iter().map(|arch| to_text(arch)).collect(),
    };
    let ArchLimits { exclusive, excluded, build } = &mut arch;
    [exclusive, excluded, build].into_iter().for_each(|list| list.sort());
    Facts {
        name: source.text(Tag::NAME).map(|name| to_text(name)).unwrap_or_default(),
        evr: to_text(&source.evr()),
        subpackages: spec.packages.iter().map(|package| collect_subpackage(spec, package)).collect(),
        build_requires: list_dependencies(&source, DependencyKind::BuildRequires),
        build_conflicts: list_dependencies(&source, DependencyKind::BuildConflicts),
        generates_requires: spec.script(SectionKind::GenerateBuildRequires).is_some(),
        sources: sources.collect(),
        arch,
        changelog_time: spec.changes.first().and_then(|change| u64::try_from(change.time).ok()),
        warnings,
    }
}

fn collect_subpackage(spec: &Spec, package: &Package) -> SubpackageFacts {
    let header = spec.binary_header(package);
    let lines = package.files.iter().flat_map(|files| &files.lines);
    let items = lines.filter_map(|line| read_file_line(&line.text).ok());
    let items = items.filter(|item| !item.is(SimpleDirective::Exclude) && !item.is(SimpleDirective::DocDir));
    let (folders, files): (Vec<_>, Vec<_>) = items.partition(|item| item.is(SimpleDirective::Dir));
    let [folders, files] = [folders, files].map(|items| {
        let names = items.into_iter().flat_map(|item| item.names).filter(|name| name.starts_with(b"/"));
        names.map(|name| to_text(&name)).collect::<Vec<String>>()
    });
    let mut provides = list_dependencies(&header, DependencyKind::Provides);
    provides.extend(files.iter().filter_map(|file| implied_provide(file)));
    SubpackageFacts {
        name: to_text(&package.name),
        arch: header.text(Tag::ARCH).map(|arch| to_text(arch)).unwrap_or_default(),
        provides,
        requires: list_dependencies(&header, DependencyKind::Requires),
        files,
        folders,
    }
}

fn list_dependencies(header: &Header, kind: DependencyKind) -> Vec<Dependency> {
    let (names, versions, flags) = kind.header_tags();
    let rows = header.texts(names).iter().zip(header.texts(versions)).zip(header.numbers(flags));
    let all = rows.map(|((name, version), flags)| {
        Dependency::from_fields(&to_text(name), u32::try_from(*flags).unwrap_or(0), &to_text(version))
    });
    all.filter(|dependency| !dependency.is_rpmlib()).collect()
}

/// Bytes as text.
fn to_text(bytes: &[u8]) -> String {
    bytes.to_str_lossy().into_owned()
}
