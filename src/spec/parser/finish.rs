//! What is done when a spec has been read: defaults, and checks of the whole.

use bstr::{BString, ByteSlice};

use super::super::package::Place;
use super::super::package_problem::PackageProblem;
use super::preamble::REQUIRED;
use super::{Ended, Parser, Pass};
use crate::package::{Header, Kind, Tag, Value};

/// What the main package says for sub-packages that do not say it themselves.
const INHERITED: [Tag; 16] = [
    Tag::VERSION,
    Tag::RELEASE,
    Tag::EPOCH,
    Tag::LICENSE,
    Tag::GROUP,
    Tag::DISTRIBUTION,
    Tag::VENDOR,
    Tag::PACKAGER,
    Tag::URL,
    Tag::PREFIXES,
    Tag::DIST_TAG,
    Tag::BUG_URL,
    Tag::VCS,
    Tag::TRANSLATION_URL,
    Tag::UPSTREAM_RELEASES,
    Tag::MODULARITY_LABEL,
];

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
    pub(super) fn finish(&mut self) -> Result<(), Ended> {
        self.spec.sources = self.sources.take();
        self.expand_sources();
        self.join_scripts();
        self.fill_main();
        self.inherit();
        self.spec.target.isa = self.expand("%{?_isa}");
        let format = self.setting("_rpmformat");
        if self.pass != Pass::Part && !format.is_empty() && format != "4" && format != "6" {
            self.tell(PackageProblem::Format { format });
        }
        self.check_packages()
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
                source.file_name = super::preamble::file_name(&reference);
                source.reference = reference.into();
            }
        }
    }

    fn fill_main(&mut self) {
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

    fn inherit(&mut self) {
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

    fn check_packages(&mut self) -> Result<(), Ended> {
        let duplicates = std::mem::take(&mut self.duplicates);
        for index in 0..self.spec.packages.len() {
            let Some(package) = self.spec.packages.get(index) else {
                continue;
            };
            let (name, header) = (package.name.clone(), package.header.clone());
            let place = package.place.clone();
            for (_, word) in REQUIRED.into_iter().filter(|(tag, _)| !header.has(*tag)) {
                self.spec.lacks_fields = true;
                self.tell_at(PackageProblem::Missing { tag: word, package: name.clone() }, &place);
            }
            if !header.has(Tag::DESCRIPTION) {
                self.spec.lacks_fields = true;
                self.tell_at(PackageProblem::NoDescription { package: name.clone() }, &place);
            }
            for (_, tag) in duplicates.iter().filter(|(of, _)| *of == index) {
                let problem = PackageProblem::Duplicate { tag: tag.to_string(), package: name.clone() };
                self.tell_at(problem, &place);
            }
            self.check_encoding(&name, &header, &place)?;
        }
        Ok(())
    }

    /// All text is UTF-8.
    fn check_encoding(&mut self, package: &BString, header: &Header, place: &Place) -> Result<(), Ended> {
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
                self.tell_at(problem, place);
            }
        }
        if wrong { Err(Ended::Stopped) } else { Ok(()) }
    }
}
