//! The macros that a spec defines by being read.

use std::rc::Rc;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use super::define::{define_literal, expand_text, push};
use super::prep::remove_prep_macros;
use super::state::{Parser, Pass};
use crate::macros::{Definition, Expansion, Item, Level, Macros, Origin};

/// Lists that Lua sees.
const LISTS: [&str; 4] = ["sources", "source_nums", "patches", "patch_nums"];

/// Whether the macros are those of rpm before 4.20: all packages are built in one folder, and the macros say where the
/// buildroot is.
fn has_shared_folder(macros: &Macros) -> bool {
    let mentions = |name: &[u8], what: &str| {
        macros.with_table(|table| table.get(name).is_some_and(|known| known.body.contains_str(what)))
    };
    mentions(b"___build_pre", "_builddir}") && !mentions(b"___build_pre", "{builddir}")
}

impl Parser<'_> {
    /// What holds from the first line on.
    pub(super) fn begin_macros(&mut self) {
        let macros = self.macros;
        if self.pass == Pass::First {
            let top = expand_text(macros, "%{_builddir}");
            macros.push(Definition {
                name: b"_top_builddir".as_slice().into(),
                options: None,
                body: top.as_slice().into(),
                expansion: Expansion::Never,
                level: Level::GLOBAL,
                origin: Origin::named("<spec>"),
            });
            // Before the name of the package is known, there is no folder to build in.
            while macros.is_defined(b"_builddir") && !has_shared_folder(macros) {
                macros.pop(b"_builddir");
            }
        }
        push(macros, b"_docdir", b"%{_defaultdocdir}");
        push(macros, b"_licensedir", b"%{_defaultlicensedir}");
        let file = Arc::clone(&self.spec.file);
        self.begin_file(&file);
        LISTS.iter().for_each(|list| macros.clear_list(list));
    }

    /// What macros know of the file that is read.
    pub(super) fn begin_file(&mut self, file: &str) {
        let macros = self.macros;
        define_literal(macros, b"__file_name", file.as_bytes());
        let number = |macros: &Macros, _: &[Vec<u8>]| Ok(macros.place().line.to_string().into_bytes());
        macros.add_extension("__file_lineno", false, Rc::new(number));
    }

    /// What only holds while the spec is read goes.
    pub(super) fn end_macros(&mut self) {
        self.macros.remove_extension("__file_lineno");
        self.macros.pop(b"__file_name");
        remove_prep_macros(self.macros);
    }

    /// The folders of the build, which have the names of the package in them.
    pub(super) fn set_folders(&mut self) {
        let macros = self.macros;
        if let Some(root) = self.build_root {
            define_literal(macros, b"buildroot", root);
        }
        if has_shared_folder(macros) {
            return;
        }
        let text = |tag: &str| expand_text(macros, tag);
        let top = text("%{_top_builddir}");
        // Not every program takes these in a path.
        let version = text("%{VERSION}").replace("~", "_").replace("^", "_");
        let folder: BString =
            [top.as_slice(), b"/", &text("%{NAME}"), b"-", &version, b"-build"].concat().into();
        let within = |name: &str| BString::from([folder.as_slice(), b"/", name.as_bytes()].concat());
        define_literal(macros, b"builddir", &folder);
        define_literal(macros, b"_builddir", &folder);
        if self.build_root.is_none() {
            define_literal(macros, b"buildroot", &within("BUILDROOT"));
        }
        define_literal(macros, b"specpartsdir", &within("SPECPARTS"));
        macros.push(Definition {
            name: b"_buildrootdir".as_slice().into(),
            options: None,
            body: b"%{dirname:%{buildroot}}".as_slice().into(),
            expansion: Expansion::Always,
            level: Level::GLOBAL,
            origin: Origin::named("<spec>"),
        });
    }

    /// The macros of a tag: by its name in small letters, and for the main package in capital letters as well.
    pub(super) fn define_tag(&mut self, package: usize, name: &str, value: &[u8]) {
        push(self.macros, name.to_ascii_lowercase().as_bytes(), value);
        if package == 0 {
            push(self.macros, name.to_ascii_uppercase().as_bytes(), value);
        }
    }

    /// The macros of a source: `SOURCE0`, `SOURCEURL0`, and the lists.
    pub(super) fn define_source(&mut self, is_patch: bool, number: u32, reference: &[u8], file_name: &[u8]) {
        let macros = self.macros;
        let path = [self.expand("%{_sourcedir}").as_slice(), b"/", file_name].concat();
        let kind = if is_patch { "PATCH" } else { "SOURCE" };
        push(macros, format!("{kind}{number}").as_bytes(), &path);
        push(macros, format!("{kind}URL{number}").as_bytes(), reference);
        let (files, numbers) = if is_patch { ("patches", "patch_nums") } else { ("sources", "source_nums") };
        macros.add_to_list(files, Item::Text(path));
        macros.add_to_list(numbers, Item::Number(number));
    }

    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.macros.is_defined(name.as_bytes())
    }

    /// A macro's value as a number; 0 where it is none.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.setting(name).to_str().ok().and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// A macro's value as text, without blanks around it.
    pub(super) fn setting(&self, name: &str) -> BString {
        self.expand(&format!("%{{?{name}}}")).trim_ascii().as_bstr().into()
    }
}
