//! What is done when a spec has been read: defaults, and checks of the whole.

use bstr::{BString, ByteSlice};

use super::super::package::INHERITED;
use super::super::package_problem::PackageProblem;
use super::super::place::Place;
use super::preamble::{REQUIRED, source_file_name};
use super::state::{EarlyEnd, Parser, Pass};
use crate::package::{Header, Kind, Tag, Value};

/// What macros say for packages that do not say it themselves (rpmbuild-config(5)).
const FROM_MACROS: [(Tag, &str); 9] = [
    (Tag::VENDOR, "vendor"),
    (Tag::PACKAGER, "packager"),
    (Tag::DISTRIBUTION, "distribution"),
    (Tag::DIST_URL, "disturl"),
    (Tag::DIST_TAG, "disttag"),
    (Tag::BUG_URL, "bugurl"),
    (Tag::TRANSLATION_URL, "translationurl"),
    (Tag::UPSTREAM_RELEASES, "upstreamreleases"),
    (Tag::MODULARITY_LABEL, "modularitylabel"),
];

impl Parser<'_> {
    pub(super) fn finish(&mut self) -> Result<(), EarlyEnd> {
        self.spec.sources = self.sources.take();
        self.expand_sources();
        self.join_scripts();
        self.fill_main_package();
        self.inherit_tags();
        self.spec.target.isa = self.expand("%{?_isa}");
        let format = self.setting("_rpmformat");
        if self.pass != Pass::Part && !format.is_empty() && format != "4" && format != "6" {
            let problem = PackageProblem::Format { format };
            match self.spec.packages.first().map(|main| main.place.clone()) {
                Some(place) if self.defers_checks => self.spec.unfinished.push((problem, place)),
                _ => self.report(problem),
            }
        }
        self.check_source_package()?;
        self.check_packages()
    }

    /// What the source package lacks ends the reading: no part of the build can mend it.
    fn check_source_package(&mut self) -> Result<(), EarlyEnd> {
        let Some(main) = self.spec.packages.first().filter(|_| self.pass != Pass::Part) else {
            return Ok(());
        };
        let says_license = self.spec.source_license.is_some();
        let is_missing =
            |(tag, _): &(Tag, &str)| !(main.header.has(*tag) || *tag == Tag::LICENSE && says_license);
        let missing: Vec<_> = REQUIRED.into_iter().filter(is_missing).map(|(_, tag)| tag).collect();
        let (package, place) = (main.name.clone(), main.place.clone());
        for tag in &missing {
            self.spec.lacks_fields = true;
            self.report_at(PackageProblem::Missing { tag, package: package.clone() }, &place);
        }
        if missing.is_empty() { Ok(()) } else { Err(EarlyEnd::Stopped) }
    }

    /// A source may name macros that are defined after it.
    fn expand_sources(&mut self) {
        for index in 0..self.spec.sources.len() {
            let Some(source) = self.spec.sources.get(index).filter(|source| source.reference.contains(&b'%'))
            else {
                continue;
            };
            let expanded = self.macros.expand_piece(&source.reference);
            if let (Ok(reference), Some(source)) = (expanded, self.spec.sources.get_mut(index)) {
                source.file_name = source_file_name(&reference);
                source.reference = reference.into();
            }
        }
    }

    fn fill_main_package(&mut self) {
        for (tag, name) in FROM_MACROS {
            if !self.has(0, tag) && self.is_defined(name) {
                let value = self.setting(name);
                if let Some(main) = self.spec.packages.first_mut().filter(|_| !value.is_empty()) {
                    main.header.set_text(tag, value);
                }
            }
        }
        if !self.has(0, Tag::GROUP) {
            self.set_localized(0, Tag::GROUP, None, b"Unspecified");
            if let Some(main) = self.spec.packages.first_mut() {
                main.has_default_group = true;
            }
        }
    }

    fn inherit_tags(&mut self) {
        let Some((main, others)) = self.spec.packages.split_first_mut() else {
            return;
        };
        for package in others {
            for tag in INHERITED {
                if let Some(value) = main.header.get(tag).filter(|_| !package.header.has(tag)) {
                    package.header.set(tag, value.clone());
                }
            }
        }
    }

    /// Looks at all packages; the first that is not whole ends it, as with rpm.
    fn check_packages(&mut self) -> Result<(), EarlyEnd> {
        let duplicates = std::mem::take(&mut self.duplicates);
        let mut is_whole = true;
        for index in 0..self.spec.packages.len() {
            let Some(package) = self.spec.packages.get(index) else {
                continue;
            };
            let (name, header, place) = (package.name.clone(), package.header.clone(), package.place.clone());
            if is_whole {
                let duplicates = duplicates.iter().filter(|(of, _)| *of == index).map(|(_, tag)| *tag);
                for problem in find_what_is_missing(&name, &header, duplicates) {
                    is_whole = false;
                    self.report_unfinished(problem, &place);
                }
            }
            self.check_encoding(&name, &header, &place)?;
        }
        Ok(())
    }

    fn report_unfinished(&mut self, problem: PackageProblem, place: &Place) {
        self.spec.lacks_fields |= !matches!(problem, PackageProblem::Duplicate { .. });
        if self.defers_checks {
            self.spec.unfinished.push((problem, place.clone()));
        } else {
            self.report_at(problem, place);
        }
    }

    /// All text is UTF-8.
    fn check_encoding(&mut self, package: &BString, header: &Header, place: &Place) -> Result<(), EarlyEnd> {
        let mut wrong = false;
        let is_error = self.number("_invalid_encoding_terminates_build") != 0;
        for (tag, value) in header.iter() {
            if tag.kind() == Kind::Bytes {
                continue;
            }
            let (Value::Texts(_) | Value::Localized(_) | Value::Text(_)) = value else {
                continue;
            };
            for text in header.texts(tag).iter().filter(|text| text.to_str().is_err()) {
                wrong = is_error;
                let problem = PackageProblem::Encoding {
                    package: package.clone(),
                    tag: tag.to_string(),
                    text: text.clone(),
                    is_error,
                };
                self.report_at(problem, place);
            }
        }
        if wrong { Err(EarlyEnd::Stopped) } else { Ok(()) }
    }
}

/// What a package can't be built without, and what it says twice.
fn find_what_is_missing(
    package: &BString,
    header: &Header,
    duplicates: impl Iterator<Item = Tag>,
) -> Vec<PackageProblem> {
    let missing = REQUIRED.into_iter().filter(|(tag, _)| !header.has(*tag));
    let missing: Vec<_> =
        missing.map(|(_, tag)| PackageProblem::Missing { tag, package: package.clone() }).collect();
    if !missing.is_empty() {
        return missing;
    }
    if !header.has(Tag::DESCRIPTION) {
        return vec![PackageProblem::NoDescription { package: package.clone() }];
    }
    duplicates
        .map(|tag| PackageProblem::Duplicate { tag: tag.to_string(), package: package.clone() })
        .collect()
}
