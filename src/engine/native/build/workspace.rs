//! The folder of a build: made before it, gone after it (rpmbuild(1), "BUILD PROCESS").

use bstr::ByteSlice;

use super::build_root::BuildRoot;
use super::problem::BuildProblem;
use super::script::Script;
use super::world::World;
use crate::files::{HostPath, reason};
use crate::macros::Stop;

/// Where a build has its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Workspace {
    /// `%builddir`, or `%_builddir` of macros before rpm 4.20.
    pub(super) folder: HostPath,
    /// `%buildroot`
    pub(super) root: BuildRoot,
    /// `SPECPARTS`, where parts of the spec are written by the build.
    pub(super) parts: Option<HostPath>,
    /// Whether each package has its own folder, as since rpm 4.20.
    has_own_folder: bool,
}

impl Workspace {
    /// The folders that the macros name: expands them.
    pub(super) fn expand(world: &World<'_>) -> Result<Self, Stop> {
        let path = |text: &str| -> Result<HostPath, Stop> {
            let value = world.expand(text)?;
            let value = value.to_os_str_lossy().into_owned();
            HostPath::new(&value).ok_or_else(|| {
                let value = value.to_string_lossy().into_owned();
                world.fail(BuildProblem::Setting { problem: "not an absolute path", value })
            })
        };
        let has_own_folder = world.is_defined("builddir");
        let folder = if has_own_folder { path("%{builddir}")? } else { path("%{_builddir}")? };
        let parts = if world.is_defined("specpartsdir") { Some(path("%{specpartsdir}")?) } else { None };
        Ok(Self { folder, root: BuildRoot::new(path("%{buildroot}")?), parts, has_own_folder })
    }

    /// Where a name lies that begins in the folder of the sources.
    pub(super) fn in_sources(&self, world: &World<'_>, name: &[u8]) -> Result<HostPath, Stop> {
        let subfolder = world.expand("%{?buildsubdir}")?;
        Ok(self.folder.join(subfolder.to_path_lossy()).join(name.to_path_lossy()))
    }

    /// Makes the folder anew.
    pub(super) fn make(&self, world: &World<'_>) -> Result<(), Stop> {
        let tool =
            |name: &str| world.expand(format!("%{{{name}}}")).map(|tool| tool.to_str_lossy().into_owned());
        let (remove, make, change) = (tool("__rm")?, tool("__mkdir_p")?, tool("__chmod")?);
        if !self.has_own_folder {
            return (world.files.create_folder(&self.folder).map(drop))
                .map_err(|error| world.fail(BuildProblem::Temporary { reason: reason(&error) }));
        }
        let folder = &self.folder;
        let mut body = format!(
            "test -d '{folder}' && {change} -Rf a+rX,u+w,g-w,o-w '{folder}'\n\
             {remove} -rf '{folder}'\n{make} '{folder}'\n"
        );
        if let Some(parts) = &self.parts {
            body.push_str(&format!("{make} '{parts}'\n"));
        }
        let script = Script { name: "mkbuilddir", template: None, body: body.as_bytes(), in_sources: false };
        world.run_script(&script).map_err(|Stop| {
            let folder = self.folder.to_string();
            world.fail(BuildProblem::BuildFolder { folder, reason: "mkbuilddir failed".to_owned() })
        })
    }

    /// Writes down the environment of the scripts, where the macros read it from a file.
    pub(super) fn write_environment(&self, world: &World<'_>) -> Result<(), Stop> {
        if !self.has_own_folder || !world.is_defined("___build_pre_env") {
            return Ok(());
        }
        let path = self.folder.join("rpmbuild.env");
        world.notice(format!("Creating(rpmbuild.env): {path}"));
        let text = world.expand("%{___build_pre_env}")?;
        let text = text.strip_prefix(b"\n").unwrap_or(&text);
        world.notice(text);
        let text = [text, b"\n"].concat();
        let written = (world.files.create_folder(&self.folder))
            .and_then(|folder| folder.write_atomic("rpmbuild.env", &text));
        written.map_err(|error| world.fail(BuildProblem::Temporary { reason: reason(&error) }))
    }

    /// Shows a build the sources that lie in the folder where it was started.
    pub(super) fn link_sources(&self, world: &World<'_>, sources: &HostPath) -> Result<(), Stop> {
        let subfolder = world.setting("buildsubdir");
        if subfolder.is_empty() {
            return Ok(());
        }
        let failed = |error: std::io::Error| world.fail(BuildProblem::Temporary { reason: reason(&error) });
        let folder = world.files.create_folder(&self.folder).map_err(failed)?;
        folder.remove_file(&subfolder).map_err(failed)?;
        folder.dir().symlink_contents(sources.as_path(), &subfolder).map_err(failed)
    }

    /// Whether its removal is nobody's business but rpm's: the script is put together as rpm does it.
    fn is_removed_unseen(world: &World<'_>) -> bool {
        const STOCK: [(&[u8], &[u8]); 3] = [
            (b"__spec_rmbuild_template", b"#!%{__spec_rmbuild_shell}\n%{__spec_rmbuild_pre}\n%{nil}"),
            (b"__spec_rmbuild_pre", b"%{___build_pre}"),
            (b"__spec_rmbuild_post", b"%{___build_post}"),
        ];
        world.macros.with_table(|table| {
            STOCK.iter().all(|(name, body)| table.get(name).is_some_and(|found| *found.body == **body))
        })
    }

    /// Removes it.
    pub(super) fn remove(&self, world: &World<'_>) -> Result<(), Stop> {
        let body = if self.has_own_folder {
            let change = world.expand("%{__chmod}")?;
            let (folder, change) = (&self.folder, change.to_str_lossy());
            if Self::is_removed_unseen(world)
                && let Ok(root) = self.root.path().as_path().strip_prefix(folder.as_path())
                && let Ok(folder) = world.files.folder(folder)
            {
                // The script removes what is left, with one thread.
                folder.try_clear(root);
            }
            // Permissions are in the way of few trees, and to set them takes as long as to remove all.
            format!(
                "rm -rf '{folder}' 2>/dev/null || {{\n\
                 test -d '{folder}' && {change} -Rf a+rX,u+w,g-w,o-w '{folder}'\nrm -rf '{folder}'\n}}\n"
            )
        } else {
            match world.setting("buildsubdir").as_str() {
                "" => String::new(),
                subfolder => format!("rm -rf '{subfolder}' '{subfolder}.gemspec'\n"),
            }
        };
        let script =
            Script { name: "rmbuild", template: Some("rmbuild"), body: body.as_bytes(), in_sources: false };
        world.run_script(&script).map_err(|Stop| {
            let folder = self.folder.to_string();
            world.fail(BuildProblem::BuildFolder { folder, reason: "mkbuilddir failed".to_owned() })
        })
    }
}
