//! Files of the build that become documentation: `%doc README`, `%license COPYING`.

use bstr::{BString, ByteSlice};

use super::super::script::Script;
use super::super::workspace::Workspace;
use super::super::world::World;
use super::collect::Collector;
use super::line::Attributes;
use super::pattern;
use crate::macros::Stop;
use crate::package::{Header, QueryFormat, Surroundings};
use crate::process::shell_quoted;
use crate::spec::SimpleDirective;

/// A kind of documentation, and how it is put in its place.
struct DocumentationKind {
    directive: SimpleDirective,
    name: &'static str,
    variable: &'static str,
    folder: &'static str,
}

const KINDS: [DocumentationKind; 2] = [
    DocumentationKind {
        directive: SimpleDirective::Doc,
        name: "%doc",
        variable: "DOCDIR",
        folder: "%{_docdir}",
    },
    DocumentationKind {
        directive: SimpleDirective::License,
        name: "%license",
        variable: "LICENSEDIR",
        folder: "%{_licensedir}",
    },
];

/// The folder of a package's documentation, where `%_docdir_fmt` does not say it.
const DEFAULT_FORMAT: &str = "%{NAME}-%{VERSION}";

/// Copies all documentation that the lines name to its place in the buildroot, and collects it.
pub(super) fn add_documentation(
    world: World<'_>,
    workspace: &Workspace,
    header: &Header,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let special = std::mem::take(&mut collector.special);
    for kind in &KINDS {
        let of_kind = special.iter().filter(|(directive, ..)| *directive == kind.directive);
        let names: Vec<(&BString, &Attributes)> =
            of_kind.map(|(_, name, attributes)| (name, attributes)).collect();
        let Some((_, first)) = names.first() else {
            continue;
        };
        let folder = expand_folder(world, kind, header)?;
        let sources = find_sources(world, workspace, &names)?;
        copy_sources(world, kind, &folder, &sources)?;
        collector.reopen_root();
        for (source, attributes) in &sources {
            let name = source.rsplit_once_str("/").map_or(source.as_slice(), |(_, name)| name);
            let path = [folder.as_slice(), b"/", name].concat();
            let attributes = Attributes { is_folder: false, ..(*attributes).clone() };
            collector.add_document(&path, &attributes);
        }
        let attributes = Attributes { is_folder: true, ..(*first).clone() };
        collector.add_document(&folder, &attributes);
    }
    Ok(())
}

fn expand_folder(world: World<'_>, kind: &DocumentationKind, header: &Header) -> Result<BString, Stop> {
    let format = match world.setting("_docdir_fmt") {
        format if format.is_empty() => DEFAULT_FORMAT.to_owned(),
        format => format,
    };
    let surroundings = Surroundings { expand: &|_| None, languages: &[], is_verbose: false };
    let shown = QueryFormat::read(format.as_bytes()).and_then(|format| format.show(header, &surroundings));
    let name = shown.map_err(|problem| {
        world.fail(super::super::BuildProblem::FileName {
            package: header.text(crate::package::Tag::NAME).unwrap_or_default().into(),
            reason: problem.to_string(),
        })
    })?;
    let base = world.expand(kind.folder)?;
    Ok([base.as_slice(), b"/", &name].concat().into())
}

/// Finds the files that patterns name, with their whole paths; a pattern that names nothing is tried as it is.
fn find_sources<'n>(
    world: World<'_>,
    workspace: &Workspace,
    names: &[(&'n BString, &'n Attributes)],
) -> Result<Vec<(BString, &'n Attributes)>, Stop> {
    let subfolder = world.expand("%{?buildsubdir}")?;
    let base = workspace.folder.join(subfolder.to_path_lossy());
    let opened = world.files.folder(&base).ok();
    let mut all = Vec::new();
    for (name, attributes) in names {
        let mut matched =
            opened.as_ref().map(|folder| pattern::find_paths(folder.dir(), name)).unwrap_or_default();
        if matched.is_empty() {
            matched.push(name.to_path_lossy().into_owned());
        }
        let whole = |path: &std::path::PathBuf| {
            let path = base.join(path);
            let path = BString::from(path.as_os_str().as_encoded_bytes());
            BString::from(path.trim_end_with(|c| c == '/'))
        };
        all.extend(matched.iter().map(|path| (whole(path), *attributes)));
    }
    Ok(all)
}

fn copy_sources(
    world: World<'_>,
    kind: &DocumentationKind,
    folder: &BString,
    sources: &[(BString, &Attributes)],
) -> Result<(), Stop> {
    let variable = kind.variable;
    let make = world.expand("%{__mkdir_p}")?;
    let mut body = format!("{variable}=$RPM_BUILD_ROOT").into_bytes();
    body.extend(quote_if_needed(folder));
    body.extend(format!("\nexport LC_ALL=C.UTF-8\nexport {variable}\n").into_bytes());
    body.extend([make.as_slice(), format!(" ${variable}\n").as_bytes()].concat());
    for (source, _) in sources {
        body.extend_from_slice(b"cp -pr ");
        body.extend(shell_quoted(source));
        body.extend(format!(" ${variable} ||:\n").into_bytes());
    }
    world.run_script(&Script { name: kind.name, template: Some("build"), body: &body, in_sources: true })
}

/// A path as it stands in a script: in quotes only where it has to be.
fn quote_if_needed(path: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,~^".contains(byte);
    if path.iter().all(is_plain) { path.to_vec() } else { shell_quoted(path) }
}
