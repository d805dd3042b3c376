//! Which files are read before anything is expanded, and in which order (rpm-macrofile(5), "FILES").

use std::sync::Arc;

use bstr::ByteSlice;

use super::host::Host;
use super::platform::Platform;
use super::problem::MacroProblem;
use super::rcfile::RpmRc;
use super::table::{Definition, Expansion, Level, Origin};
use super::{Macros, Stop};

/// Macro files in the order in which they are read, later ones above earlier ones. `%{confdir}` stands for the folder of
/// rpm's own files.
pub const MACRO_PATH: &str = "%{confdir}/macros:%{confdir}/macros.d/macros.*:%{confdir}/platform/%{_target}/macros:\
    %{confdir}/fileattrs/*.attr:%{confdir}/vendor/macros:/etc/rpm/macros.*:/etc/rpm/macros:/etc/rpm/%{_target}/macros:\
    ~/.config/rpm/macros";

/// Rpmrc files in the order in which they are read.
const RC_PATH: &str = "%{confdir}/rpmrc:%{confdir}/vendor/rpmrc:/etc/rpmrc:~/.config/rpm/rpmrc";

/// Where a machine keeps rpm's configuration: all that [`MACRO_PATH`] and the path of rpmrc files name, but for a user's
/// own files.
pub const CONFIGURATION_FOLDERS: &[&str] = &["/usr/lib/rpm", "/etc/rpm", "/etc/rpmrc"];

/// What editors and package managers leave beside a file.
const BACKUPS: [&[u8]; 4] = [b"~", b".rpmnew", b".rpmorig", b".rpmsave"];

/// Which configuration files are read: `--target`, `--macros`, `--rcfile`.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// `--target`; this machine's own where there is none.
    pub target: Option<String>,
    /// `--macros`, instead of [`MACRO_PATH`].
    pub macro_path: Option<Vec<u8>>,
    /// `--rcfile`, instead of those beside the macros.
    pub rc_path: Option<Vec<u8>>,
}

impl Configuration {
    /// The folder of rpm's own files.
    pub(super) fn find_folder(host: &dyn Host) -> Vec<u8> {
        let said = host.variable(b"RPM_CONFIGDIR").filter(|folder| !folder.is_empty());
        said.unwrap_or_else(|| b"/usr/lib/rpm".to_vec())
    }
}

impl Macros {
    /// Reads rpmrc and macro files. Where the machine has none of rpm's own, ours take their place.
    ///
    /// # Errors
    /// An rpmrc file that was asked for is not there. Mistakes in files are reported, and the rest counts.
    pub fn configure(&self, configuration: &Configuration) -> Result<RpmRc, Stop> {
        let host = &*self.language.host;
        let folder = Configuration::find_folder(host);
        let has_own = host.exists(&[folder.as_slice(), b"/macros"].concat());
        let rc = self.read_rc_files(configuration, &folder)?;
        let native = rc.build_architecture(&rc.canonical(&host.architecture()));
        let platform = match &configuration.target {
            Some(target) => Platform::parse(target),
            None => Platform::linux(native.clone()),
        };
        let target = [
            ("_target", platform.name()),
            ("_target_cpu", platform.architecture.clone()),
            ("_target_os", platform.system.clone()),
        ];
        // The macro path needs them, and no file may change them (Debian's does).
        target.iter().for_each(|(name, value)| self.define_for_target(name, value));
        if !has_own {
            super::default::load(self, &platform);
        }
        self.read_macro_files(configuration, &folder);
        for (name, value) in &target {
            let is_ours = |definition: &Arc<Definition>| definition.level == Level::RPMRC;
            if !self.with_table(|table| table.get(name.as_bytes()).is_some_and(is_ours)) {
                self.define_for_target(name, value);
            }
        }
        let flags = rc.compiler_flags(&platform.architecture).or_else(|| rc.compiler_flags(&native));
        if let Some(flags) = flags {
            self.define_for_target("optflags", &String::from_utf8_lossy(flags));
        }
        self.language.table.borrow_mut().share();
        Ok(rc)
    }

    fn define_for_target(&self, name: &str, value: &str) {
        self.push(Definition {
            name: name.as_bytes().into(),
            options: None,
            body: value.as_bytes().into(),
            expansion: Expansion::Always,
            level: Level::RPMRC,
            origin: Origin::named("rpmrc"),
        });
    }

    fn read_rc_files(&self, configuration: &Configuration, folder: &[u8]) -> Result<RpmRc, Stop> {
        let language = &self.language;
        let mut rc = RpmRc::default();
        let mut report = |mistake| language.report(MacroProblem::Configuration(mistake));
        super::default::read_rc(&mut rc);
        let path = configuration.rc_path.as_deref().unwrap_or(RC_PATH.as_bytes());
        for file in self.split_path(path, folder) {
            let is_read = rc.read(&*language.host, &file, &mut report);
            if !is_read && configuration.rc_path.is_some() {
                return Err(language.fail(MacroProblem::NoRcFile { path: file.into() }));
            }
        }
        Ok(rc)
    }

    fn read_macro_files(&self, configuration: &Configuration, folder: &[u8]) {
        let path = configuration.macro_path.as_deref().unwrap_or(MACRO_PATH.as_bytes());
        let path = path.replace("%{confdir}", folder);
        let Ok(path) = self.expand(&path) else {
            return;
        };
        for pattern in self.split_path(&path, folder) {
            for file in self.find_files(&pattern) {
                if let Ok(text) = self.language.host.read_file(&file) {
                    // Each mistake has been reported; what is right counts.
                    let _ = self.language.load_text(&text, &file, Level::MACRO_FILES);
                }
            }
        }
    }

    fn find_files(&self, pattern: &[u8]) -> Vec<Vec<u8>> {
        if !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{')) {
            return vec![pattern.to_vec()];
        }
        let mut found = self.language.host.glob(pattern).unwrap_or_default();
        found.retain(|path| !BACKUPS.iter().any(|backup| path.ends_with(backup)));
        found
    }

    /// The single patterns of a path, with the folder of rpm's own files and the home put in.
    fn split_path(&self, path: &[u8], folder: &[u8]) -> Vec<Vec<u8>> {
        let host = &*self.language.host;
        let home = host.variable(b"HOME").unwrap_or_default();
        let patterns = path.split(|byte| *byte == b':').filter(|pattern| !pattern.is_empty());
        let placed = |pattern: &[u8]| {
            if let Some(rest) = pattern.strip_prefix(b"~/.config/rpm/") {
                return find_user_file(host, &home, rest);
            }
            if let Some(rest) = pattern.strip_prefix(b"~") {
                return [home.as_slice(), rest].concat();
            }
            match pattern.strip_prefix(b"%{confdir}") {
                Some(rest) => [folder, rest].concat(),
                None => pattern.to_vec(),
            }
        };
        patterns.map(placed).collect()
    }
}

/// A user's own file: below `XDG_CONFIG_HOME`, or as before rpm 6, `~/.rpmmacros`, where that is still all there is.
fn find_user_file(host: &dyn Host, home: &[u8], name: &[u8]) -> Vec<u8> {
    let said = host.variable(b"XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let folder = said.unwrap_or_else(|| [home, b"/.config"].concat());
    let folder = [folder.as_slice(), b"/rpm"].concat();
    let old = [home, b"/.rpm", name.strip_prefix(b"rpm").unwrap_or(name)].concat();
    if !host.exists(&folder) && host.exists(&old) {
        return old;
    }
    [folder.as_slice(), b"/", name].concat()
}
