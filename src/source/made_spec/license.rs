//! Licenses: what registries say of them, in the words of SPDX, which the tag `License` has.

use std::collections::BTreeSet;

use spdx::Expression;

/// Where nothing is said of the license, or nothing that has a name.
pub const UNKNOWN_LICENSE: &str = "LicenseRef-not-stated";

/// Longer ones are texts of licenses, not names.
const LONGEST_NAME: usize = 200;

/// What projects write, in small letters, and what they mean by it.
const NAMES: &[(&str, &str)] = &[
    ("apache", "Apache-2.0"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache license", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache software license", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("bsd", "BSD-3-Clause"),
    ("bsd license", "BSD-3-Clause"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("bsd 2-clause license", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("2-clause bsd", "BSD-2-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd 3-clause license", "BSD-3-Clause"),
    ("3-clause bsd", "BSD-3-Clause"),
    ("3-clause bsd license", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("new bsd license", "BSD-3-Clause"),
    ("modified bsd license", "BSD-3-Clause"),
    ("gpl", "GPL-1.0-or-later"),
    ("gpl-2.0", "GPL-2.0-only"),
    ("gpl-2.0+", "GPL-2.0-or-later"),
    ("gpl-3.0", "GPL-3.0-only"),
    ("gpl-3.0+", "GPL-3.0-or-later"),
    ("gplv2", "GPL-2.0-only"),
    ("gpl-2", "GPL-2.0-only"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gplv3", "GPL-3.0-only"),
    ("gpl-3", "GPL-3.0-only"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("isc license", "ISC"),
    ("lgpl", "LGPL-2.0-or-later"),
    ("lgpl-2.1", "LGPL-2.1-only"),
    ("lgpl-2.1+", "LGPL-2.1-or-later"),
    ("lgpl-3.0", "LGPL-3.0-only"),
    ("lgplv2+", "LGPL-2.0-or-later"),
    ("lgplv2.1+", "LGPL-2.1-or-later"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    ("mit license", "MIT"),
    ("the mit license", "MIT"),
    ("the mit license (mit)", "MIT"),
    ("mit/x11", "MIT"),
    ("expat", "MIT"),
    ("mozilla public license 2.0", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("mpl2", "MPL-2.0"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("psf", "Python-2.0"),
    ("psf license", "Python-2.0"),
    ("python software foundation license", "Python-2.0"),
    ("public domain", "LicenseRef-Public-Domain"),
    ("ruby", "Ruby"),
    ("the unlicense", "Unlicense"),
    ("the unlicense (unlicense)", "Unlicense"),
    ("zpl 2.1", "ZPL-2.1"),
    ("zope public license", "ZPL-2.1"),
];

/// Classifiers of PyPI, by what stands after `License :: OSI Approved :: `.
const CLASSIFIERS: &[(&str, &str)] = &[
    ("Academic Free License (AFL)", "AFL-3.0"),
    ("Apache Software License", "Apache-2.0"),
    ("BSD License", "BSD-3-Clause"),
    ("Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
    ("Eclipse Public License 2.0 (EPL-2.0)", "EPL-2.0"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("GNU General Public License (GPL)", "GPL-1.0-or-later"),
    ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
    ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("GNU Library or Lesser General Public License (LGPL)", "LGPL-2.0-or-later"),
    ("ISC License (ISCL)", "ISC"),
    ("MIT License", "MIT"),
    ("MIT No Attribution License (MIT-0)", "MIT-0"),
    ("Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("Python Software Foundation License", "PSF-2.0"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("Universal Permissive License (UPL)", "UPL-1.0"),
    ("Zero-Clause BSD (0BSD)", "0BSD"),
    ("Zope Public License", "ZPL-2.1"),
    ("zlib/libpng License", "Zlib"),
];

/// The expression that a text is, or the one that people mean who write it.
pub fn license_from_text(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty()
        || text.len() > LONGEST_NAME
        || text.chars().any(|letter| letter == '%' || letter.is_control())
    {
        return None;
    }
    let is_name = |name: &&(&str, &str)| name.0 == text.to_lowercase();
    if let Some((_, expression)) = NAMES.iter().find(is_name) {
        return Some((*expression).to_owned());
    }
    // As Cargo had it once: one of them, to be chosen.
    let text = if text.contains('/') { text.replace('/', " OR ") } else { text.to_owned() };
    let canonical = Expression::canonicalize(&text).ok()?.unwrap_or(text);
    Expression::parse(&canonical).ok()?;
    is_expression(&canonical).then_some(canonical)
}

/// Whether nothing in it could be something else than a license.
fn is_expression(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ()+-._:".contains(&byte))
}

/// The licenses that classifiers of PyPI name; all of them hold.
pub fn license_from_classifiers<'a>(classifiers: impl Iterator<Item = &'a str>) -> Option<String> {
    let named = classifiers.filter_map(|classifier| {
        let name = classifier.strip_prefix("License :: ")?;
        let name = name.strip_prefix("OSI Approved :: ").unwrap_or(name);
        CLASSIFIERS.iter().find(|(known, _)| *known == name).map(|(_, expression)| (*expression).to_owned())
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| join_licenses(named))
}

/// One expression that says that all of these hold, each once.
pub fn join_licenses(expressions: impl IntoIterator<Item = String>) -> String {
    let parts: BTreeSet<String> =
        expressions.into_iter().flat_map(|expression| split_and(&expression)).collect();
    let is_alone = parts.len() == 1;
    let wrapped = parts.into_iter().map(|part| match part.contains(" OR ") && !is_alone {
        true => format!("({part})"),
        false => part,
    });
    let joined = wrapped.collect::<Vec<String>>().join(" AND ");
    if joined.is_empty() { UNKNOWN_LICENSE.to_owned() } else { joined }
}

/// The parts of an expression that all hold. Of one of which one may be chosen, the choices are in order.
fn split_and(expression: &str) -> Vec<String> {
    let plain = without_parentheses(expression.trim());
    match split_outermost(plain, " AND ").as_slice() {
        [_] => {
            let mut choices = split_outermost(plain, " OR ");
            choices.sort_unstable();
            vec![choices.join(" OR ")]
        }
        parts => parts.iter().flat_map(|part| split_and(part)).collect(),
    }
}

/// Without parentheses around the whole.
fn without_parentheses(expression: &str) -> &str {
    let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return expression;
    };
    let mut depth = 0_i32;
    for letter in inner.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth < 0 {
            return expression;
        }
    }
    without_parentheses(inner.trim())
}

/// The parts between a word that stands in no parentheses.
fn split_outermost<'e>(expression: &'e str, word: &str) -> Vec<&'e str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_i32, 0);
    for (at, letter) in expression.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 && at >= begin && expression.get(at..).is_some_and(|rest| rest.starts_with(word)) {
            parts.push(expression.get(begin..at).unwrap_or_default().trim());
            begin = at + word.len();
        }
    }
    parts.push(expression.get(begin..).unwrap_or_default().trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_stay_and_names_become_expressions() {
        for (text, expected) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            ("Apache-2.0 OR MIT", "Apache-2.0 OR MIT"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("BSD", "BSD-3-Clause"),
            ("MIT License", "MIT"),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
            ("GPL-2.0-or-later", "GPL-2.0-or-later"),
        ] {
            assert_eq!(license_from_text(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "see LICENSE.txt", "MIT\n%post", "%{x}", "Copyright (c) 2020"] {
            assert_eq!(license_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn classifiers_name_licenses() {
        let classifiers = ["Programming Language :: C", "License :: OSI Approved :: MIT License"];
        assert_eq!(license_from_classifiers(classifiers.into_iter()).as_deref(), Some("MIT"));
        let classifiers = ["License :: OSI Approved", "License :: Other"];
        assert_eq!(license_from_classifiers(classifiers.into_iter()), None);
    }

    #[test]
    fn what_is_bundled_holds_together_each_once() {
        let all = ["MIT", "MIT OR Apache-2.0", "ISC AND MIT"].map(str::to_owned);
        assert_eq!(join_licenses(all), "(Apache-2.0 OR MIT) AND ISC AND MIT");
        assert_eq!(join_licenses(["B OR A".to_owned()]), "A OR B");
        let nested = ["(MIT OR Apache-2.0) AND Unicode-3.0", "((Apache-2.0 OR MIT) AND BSD-3-Clause)"]
            .map(str::to_owned);
        assert_eq!(join_licenses(nested), "(Apache-2.0 OR MIT) AND BSD-3-Clause AND Unicode-3.0");
    }
}
