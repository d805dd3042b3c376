//! What settings come to as options of rpm's programs. Who reads a spec, who builds one, and who asks rpm's own programs to do
//! so take them from here, and so find the same macros.

use std::borrow::Cow;
use std::fmt;

use super::{Condition, Settings, Value};

/// An option of rpmspec and rpmbuild that stands for a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MacroOption<'s> {
    /// `--define`
    Define {
        /// The macro's name, with the options that it takes: `x`, `x(a:)`.
        name: String,
        /// Its body.
        body: Cow<'s, Value>,
    },
    /// `--undefine`
    Undefine(&'s str),
    /// `--with`
    With(&'s str),
    /// `--without`
    Without(&'s str),
    /// `--target`
    Target(&'s str),
}

impl Settings {
    /// The options that stand for the settings of a spec, in their order; its sources are in the folder `sources`.
    pub fn options(&self, sources: impl fmt::Display) -> impl Iterator<Item = MacroOption<'_>> {
        let place = |name: &str| {
            let body = Cow::Owned(Value::Written(sources.to_string()));
            MacroOption::Define { name: name.to_owned(), body }
        };
        // A spec lies beside its sources; where it is built, both are elsewhere, and only the sources are all there.
        let places = [place("_sourcedir"), place("_specdir")];
        let target = self.target.as_deref().map(MacroOption::Target);
        places.into_iter().chain(self.macro_options()).chain(self.condition_options()).chain(target)
    }

    /// Those of the macros.
    pub fn macro_options(&self) -> impl Iterator<Item = MacroOption<'_>> {
        self.macros.iter().map(|setting| match &setting.body {
            None => MacroOption::Undefine(&setting.name),
            Some(body) => {
                let options = setting.options.as_ref().map(|options| format!("({options})"));
                let name = setting.name.clone() + &options.unwrap_or_default();
                MacroOption::Define { name, body: Cow::Borrowed(body) }
            }
        })
    }

    /// Those of the conditions.
    pub fn condition_options(&self) -> impl Iterator<Item = MacroOption<'_>> {
        self.conditions.iter().map(|condition| match condition {
            Condition::With(name) => MacroOption::With(name),
            Condition::Without(name) => MacroOption::Without(name),
        })
    }
}

impl MacroOption<'_> {
    /// What `--define` is given.
    pub fn definition(name: &str, body: &str) -> String {
        // A body ends with its line; a line goes on behind a backslash (rpm-macros(7)). rpm drops blanks around it.
        format!("{name} {}", body.trim().replace('\n', "\\\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{MacroLevel, MacroSetting};

    #[test]
    fn settings_come_in_the_order_in_which_rpm_takes_them() {
        let setting = |name: &str, options: Option<&str>, body: Option<&str>| MacroSetting {
            name: name.to_owned(),
            options: options.map(str::to_owned),
            body: body.map(Value::from),
            level: MacroLevel::Package,
        };
        let settings = Settings {
            target: Some("noarch".to_owned()),
            macros: vec![setting("lines", Some("a:"), Some("1\n2\n")), setting("gone", None, None)],
            conditions: vec![Condition::With("x".to_owned()), Condition::Without("y".to_owned())],
            ..Settings::default()
        };
        let shown = settings.options("/src").map(|option| match option {
            MacroOption::Define { name, body } => MacroOption::definition(&name, body.reveal()),
            option @ (MacroOption::Undefine(_)
            | MacroOption::With(_)
            | MacroOption::Without(_)
            | MacroOption::Target(_)) => format!("{option:?}"),
        });
        let expected = [
            "_sourcedir /src",
            "_specdir /src",
            "lines(a:) 1\\\n2",
            "Undefine(\"gone\")",
            "With(\"x\")",
            "Without(\"y\")",
            "Target(\"noarch\")",
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }
}
