//! `METADATA` and `PKG-INFO`: lines `Key: value` as in e-mails, up to the first empty line, and a description after it.

use super::unusual::UnusualPythondist;

/// What is known of a project, as it is written there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeaderFields<'t> {
    pub(super) name: &'t str,
    pub(super) version: &'t str,
    pub(super) requirements: Vec<&'t str>,
}

impl<'t> HeaderFields<'t> {
    /// Reads the lines of a text.
    pub(super) fn read(text: &'t str) -> Result<Self, UnusualPythondist> {
        let (mut name, mut version, mut requirements) = (None, None, Vec::new());
        // Whether the field in the line before may go on in the next one.
        let mut may_go_on = false;
        for line in text.split('\n').take_while(|line| !line.is_empty()) {
            if line.contains('\r') {
                return Err(UnusualPythondist);
            }
            if line.starts_with([' ', '\t']) {
                may_go_on.then_some(()).ok_or(UnusualPythondist)?;
                continue;
            }
            let (key, value) =
                line.split_once(':').filter(|(key, _)| is_key(key)).ok_or(UnusualPythondist)?;
            let value = value.trim_start_matches([' ', '\t']);
            may_go_on = false;
            match key.to_ascii_lowercase().as_str() {
                "name" => set_once(&mut name, value)?,
                "version" => set_once(&mut version, value)?,
                "requires-dist" => requirements.push(value),
                "provides-extra" => {}
                // These say how to read what follows the lines.
                key if key.starts_with("content-") => return Err(UnusualPythondist),
                _ => may_go_on = true,
            }
        }
        let (name, version) = (name.ok_or(UnusualPythondist)?, version.ok_or(UnusualPythondist)?);
        Ok(Self { name, version, requirements })
    }
}

fn set_once<'t>(field: &mut Option<&'t str>, value: &'t str) -> Result<(), UnusualPythondist> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(UnusualPythondist),
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_up_to_the_first_empty_line() {
        let text = "Metadata-Version: 2.1\nname:x\nVersion: \t1\nLicense: A\n  B\n \nRequires-Dist: a\n\
            REQUIRES-DIST: b\n\nName: y\r\n";
        let fields = HeaderFields::read(text).unwrap();
        assert_eq!(fields, HeaderFields { name: "x", version: "1", requirements: vec!["a", "b"] });
    }

    #[test]
    fn other_lines_are_unusual() {
        let head = "Name: x\nVersion: 1\n";
        assert!(HeaderFields::read(head).is_ok());
        for lines in [
            "x\n",
            "From x: y\n",
            "Name: y\n",
            "Version: 2\n",
            "License: x\r\n",
            "Requires-Dist: a\n b\n",
            "Provides-Extra: a\n b\n",
            "Content-Type: multipart/mixed\n",
            ": x\n",
            "L\u{ed}cense: x\n",
        ] {
            assert!(HeaderFields::read(&format!("{head}{lines}")).is_err(), "{lines}");
            assert!(HeaderFields::read(&format!("{lines}{head}")).is_err(), "{lines}");
        }
        assert!(HeaderFields::read(" x\nName: x\nVersion: 1\n").is_err());
        assert!(HeaderFields::read("Name: x\n\nVersion: 1\n").is_err());
    }
}
