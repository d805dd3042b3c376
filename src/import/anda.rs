//! Anda's `anda.hcl` → packages.

use hcl::{Block, Body, Expression};

use super::kdl_text::{KdlText, name_of};
use super::{ImportError, Imported};
use crate::text::quote_kdl;

/// How deep blocks and lists may be nested: the parser goes down with each.
const DEEPEST: usize = 64;

/// The architectures that Anda builds for where nothing is said.
const USUAL_ARCHES: [&str; 2] = ["aarch64", "x86_64"];

/// Imports the projects of `anda.hcl` files. Each has its path from the folder in which its manifest will lie, and its text.
///
/// # Errors
/// One of them is not in HCL.
pub fn import_anda(files: &[(String, String)]) -> Result<Imported, ImportError> {
    let mut import = AndaImport { kdl: KdlText::default(), notes: Vec::new(), names: Vec::new() };
    for (path, text) in files {
        let syntax = |reason: String| ImportError::Syntax { path: path.clone(), reason };
        if depth_of(text) > DEEPEST {
            return Err(syntax("it is nested deeper than anybody writes it".to_owned()));
        }
        let body: Body = hcl::parse(text).map_err(|error| syntax(error.to_string()))?;
        import.read(path, &body);
    }
    Ok(Imported { text: import.kdl.finish(), notes: import.notes })
}

struct AndaImport {
    kdl: KdlText,
    notes: Vec<String>,
    names: Vec<String>,
}

impl AndaImport {
    fn read(&mut self, path: &str, body: &Body) {
        for attribute in body.attributes() {
            self.note(path, &format!("no counterpart of `{}`", attribute.key()));
        }
        for block in body.blocks() {
            match block.identifier() {
                "project" => self.read_project(path, block),
                // How Anda itself finds packages and numbers updates.
                "config" => {}
                other => self.note(path, &format!("no counterpart of `{other}`")),
            }
        }
    }

    fn read_project(&mut self, path: &str, project: &Block) {
        let label = project.labels().first().map(|label| label.as_str()).unwrap_or_default();
        let mut builds = project.body().blocks().filter(|block| block.identifier() == "rpm").peekable();
        if builds.peek().is_none() {
            self.note(path, &format!("project `{label}` has no `rpm`, and is left out"));
        }
        let mut shared: Vec<String> = Vec::new();
        for attribute in project.body().attributes().filter(|attribute| attribute.key() != "arches") {
            shared.push(format!("no counterpart of `{}`", attribute.key()));
        }
        for block in project.body().blocks() {
            match block.identifier() {
                "rpm" => {}
                "labels" => {
                    let labels = block
                        .body()
                        .attributes()
                        .map(|label| format!("{}={}", label.key(), shown(label.expr())));
                    shared.push(format!("its labels: {}", labels.collect::<Vec<_>>().join(", ")));
                }
                other => shared.push(format!("no counterpart of `{other}`")),
            }
        }
        for build in builds {
            self.write(path, label, (project, build), &shared);
        }
    }

    fn write(&mut self, path: &str, label: &str, (project, build): (&Block, &Block), shared: &[String]) {
        let Some(spec) = attribute(build, "spec").and_then(text_of) else {
            self.note(path, &format!("project `{label}` names no spec, and is left out"));
            return;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let spec_path = if folder.is_empty() { spec.clone() } else { format!("{folder}/{spec}") };
        let stem = spec.rsplit('/').next().unwrap_or(&spec).trim_end_matches(".spec");
        // Terra calls all projects `pkg`.
        let meant = if ["pkg", ""].contains(&label) { stem } else { label };
        let name = self.free_name(meant, folder);
        let mut notes: Vec<String> = shared.to_vec();
        for attribute in build.body().attributes().filter(|attribute| attribute.key() != "spec") {
            notes.push(note_of(attribute.key(), attribute.expr()));
        }
        notes.extend(build.body().blocks().map(note_of_block));
        for note in &notes {
            self.notes.push(format!("{path}: {name}: {note}"));
            self.kdl.comment(note);
        }
        let arches = arches_of(project);
        let is_usual = arches.is_empty() || arches == USUAL_ARCHES;
        let source = format!("source path {}", quote_kdl(&spec_path));
        if is_usual {
            let package = super::kdl_text::word(&name);
            self.kdl.line(&format!("package {package} {{ {source} }}"));
            return;
        }
        self.kdl.open("package", &[&name]);
        self.kdl.line(&source);
        let chroots: Vec<String> = arches.iter().map(|arch| format!("*{arch}*")).collect();
        self.kdl.node("chroots", &chroots.iter().map(String::as_str).collect::<Vec<_>>());
        self.kdl.close();
    }

    /// A name that no package before has.
    fn free_name(&mut self, meant: &str, folder: &str) -> String {
        let meant = name_of(meant).unwrap_or_else(|| "package".to_owned());
        let with_folder = name_of(&format!("{}-{meant}", folder.rsplit('/').next().unwrap_or_default()));
        let numbered = (2..).map(|number| format!("{meant}-{number}"));
        let mut candidates = std::iter::once(meant.clone()).chain(with_folder).chain(numbered);
        let name = candidates.find(|name| !self.names.contains(name)).unwrap_or_else(|| meant.clone());
        self.names.push(name.clone());
        name
    }

    fn note(&mut self, path: &str, note: &str) {
        self.notes.push(format!("{path}: {note}"));
        self.kdl.comment(&format!("{path}: {note}"));
    }
}

/// What there is to do about something in an `rpm` block.
fn note_of(name: &str, value: &Expression) -> String {
    match name {
        "pre_script" | "post_script" => {
            format!(
                "no counterpart of `{name}`: forge builds the spec as it lies there; run {} before",
                shown(value)
            )
        }
        "extra_repos" => "extra_repos: write each as a `repo` of the chroot".to_owned(),
        "macros" | "opts" => format!("{name}: write `macros {{ … }}`: {}", shown(value)),
        "sources" => format!(
            "sources: forge takes sources beside the spec; others are named by `file`: {}",
            shown(value)
        ),
        other => format!("no counterpart of `{other}`"),
    }
}

fn note_of_block(block: &Block) -> String {
    let commands = attribute(block, "commands").map(shown).unwrap_or_default();
    match block.identifier() {
        name @ ("pre_script" | "post_script") => {
            format!(
                "no counterpart of `{name}`: forge builds the spec as it lies there; run {commands} before"
            )
        }
        other => format!("no counterpart of `{other}`"),
    }
}

/// The architectures of a project, sorted.
fn arches_of(project: &Block) -> Vec<String> {
    let Some(Expression::Array(list)) = attribute(project, "arches") else { return Vec::new() };
    let mut arches: Vec<String> = list.iter().filter_map(text_of).collect();
    arches.sort();
    arches
}

fn attribute<'b>(block: &'b Block, name: &str) -> Option<&'b Expression> {
    block.body().attributes().find(|attribute| attribute.key() == name).map(|attribute| attribute.expr())
}

fn text_of(value: &Expression) -> Option<String> {
    if let Expression::String(text) = value { Some(text.clone()) } else { None }
}

fn shown(value: &Expression) -> String {
    if let Some(text) = text_of(value) {
        return text;
    }
    if let Expression::Array(list) = value {
        return list.iter().map(shown).collect::<Vec<_>>().join("; ");
    }
    value.to_string()
}

/// How deep brackets are nested, at most; those in texts and comments count too.
fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
