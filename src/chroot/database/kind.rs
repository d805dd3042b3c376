//! Which database the rpm of a root keeps, and where.

use std::rc::Rc;

use crate::macros::{Level, Limits, Macros, NoHost, Table};

/// The format of a package database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseFormat {
    /// `rpmdb.sqlite`, which [`write_database`](super::write_database) makes.
    Sqlite,
    /// Another one (`bdb`, `ndb`), which the root's rpm makes itself: [`plan_import`](super::plan_import) is the step of a
    /// plan that has it do so.
    Other(String),
}

/// The package database of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseKind {
    /// Its folder, from the root on: `/usr/lib/sysimage/rpm`.
    pub folder: String,
    /// How it is written.
    pub format: DatabaseFormat,
}

/// The files of a root that say so, in the order in which rpm reads them; patterns of glob(7).
pub const MACRO_FILES: [&str; 5] = [
    "/usr/lib/rpm/macros",
    "/usr/lib/rpm/macros.d/macros.*",
    "/usr/lib/rpm/*/macros",
    "/etc/rpm/macros.*",
    "/etc/rpm/macros",
];

/// Where rpm keeps its database if nothing says otherwise.
const DEFAULT_FOLDER: &str = "/var/lib/rpm";

/// What rpm kept before it could keep anything else, which is to say: before 4.14.
const FIRST_FORMAT: &str = "bdb";

impl DatabaseKind {
    /// Finds it in macro files of the root, [in rpm's order](MACRO_FILES). A root without rpm gets what newer rpm has.
    pub fn from_macro_files<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Self {
        let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
        let mut is_there = false;
        for (name, text) in files {
            is_there = true;
            // What is wrong in them is for the root's own rpm to tell.
            let _ = macros.load_text(text, name, Level::MACRO_FILES);
        }
        let expand = |text: &str| {
            let expanded = macros.expand(text.as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(&expanded).trim().to_owned()
        };
        let format = match expand("%{?_db_backend}").as_str() {
            "sqlite" => DatabaseFormat::Sqlite,
            "" if !is_there => DatabaseFormat::Sqlite,
            "" => DatabaseFormat::Other(FIRST_FORMAT.to_owned()),
            other => DatabaseFormat::Other(other.to_owned()),
        };
        let folder = expand("%{?_dbpath}");
        let folder = if folder.starts_with('/') { folder } else { DEFAULT_FOLDER.to_owned() };
        Self { folder, format }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> DatabaseKind {
        DatabaseKind::from_macro_files([("/usr/lib/rpm/macros", text.as_bytes())])
    }

    #[test]
    fn the_root_s_macros_say_which_database_it_has() {
        let new = kind("%_usr /usr\n%_dbpath\t%{_usr}/lib/sysimage/rpm\n%_db_backend\t sqlite\n");
        let sqlite = DatabaseFormat::Sqlite;
        assert_eq!(new, DatabaseKind { folder: "/usr/lib/sysimage/rpm".into(), format: sqlite.clone() });
        let old = kind("%_var /var\n%_dbpath %{_var}/lib/rpm\n");
        assert_eq!(
            old,
            DatabaseKind { folder: "/var/lib/rpm".into(), format: DatabaseFormat::Other("bdb".into()) }
        );
        assert_eq!(kind("%_db_backend ndb\n").format, DatabaseFormat::Other("ndb".into()));
        let none = DatabaseKind::from_macro_files([]);
        assert_eq!(none, DatabaseKind { folder: "/var/lib/rpm".into(), format: sqlite });
    }
}
