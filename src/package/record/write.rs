//! Record → XML.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{
    ChangelogEntry, FileKind, Location, PackageRecord, RecordDependency, RecordFile, RepositoryKind,
};

type Xml<'a> = Writer<&'a mut Vec<u8>>;

impl PackageRecord {
    /// Appends this package's entry of the metadata file `kind` to `xml`.
    pub fn write(&self, kind: RepositoryKind, location: Location<'_>, xml: &mut Vec<u8>) -> io::Result<()> {
        let mut writer = Writer::new(xml);
        match kind {
            RepositoryKind::Primary => self.write_primary(&mut writer, location),
            RepositoryKind::Filelists => self.write_listed(&mut writer, location, |record, xml| {
                record.files.iter().try_for_each(|file| write_file(xml, file))
            }),
            RepositoryKind::Other => self.write_listed(&mut writer, location, |record, xml| {
                record.changelog.iter().try_for_each(|entry| write_changelog(xml, entry))
            }),
        }
    }

    fn write_primary(&self, xml: &mut Xml<'_>, location: Location<'_>) -> io::Result<()> {
        let package = xml.create_element("package").with_attribute(("type", "rpm"));
        package.write_inner_content(|xml| {
            text(xml, "name", &self.name)?;
            text(xml, "arch", &self.arch)?;
            self.write_version(xml)?;
            let checksum =
                xml.create_element("checksum").with_attributes([("type", "sha256"), ("pkgid", "YES")]);
            checksum.write_text_content(BytesText::new(location.sha256))?;
            text(xml, "summary", &self.summary)?;
            text(xml, "description", &self.description)?;
            text(xml, "packager", &self.packager)?;
            text(xml, "url", &self.url)?;
            // The file's own time would differ from machine to machine; the build's does not.
            numbers(xml, "time", &[("file", self.build_time), ("build", self.build_time)])?;
            let sizes = [
                ("package", location.size),
                ("installed", self.installed_size),
                ("archive", self.archive_size),
            ];
            numbers(xml, "size", &sizes)?;
            xml.create_element("location").with_attribute(("href", location.href)).write_empty()?;
            xml.create_element("format").write_inner_content(|xml| self.write_format(xml))?;
            Ok(())
        })?;
        xml.get_mut().push(b'\n');
        Ok(())
    }

    fn write_format(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        text(xml, "rpm:license", &self.license)?;
        text(xml, "rpm:vendor", &self.vendor)?;
        text(xml, "rpm:group", &self.group)?;
        text(xml, "rpm:buildhost", &self.build_host)?;
        text(xml, "rpm:sourcerpm", &self.source_package)?;
        numbers(xml, "rpm:header-range", &[("start", self.header_range.0), ("end", self.header_range.1)])?;
        for (relation, list) in self.dependencies.iter().filter(|(_, list)| !list.is_empty()) {
            let element = xml.create_element(format!("rpm:{}", relation.name()));
            element
                .write_inner_content(|xml| list.iter().try_for_each(|entry| write_dependency(xml, entry)))?;
        }
        let primary = self.files.iter().filter(|file| super::is_primary(&file.path));
        primary.into_iter().try_for_each(|file| write_file(xml, file))
    }

    fn write_listed(
        &self,
        xml: &mut Xml<'_>,
        location: Location<'_>,
        content: impl Fn(&Self, &mut Xml<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let attributes = [("pkgid", location.sha256), ("name", &self.name), ("arch", &self.arch)];
        xml.create_element("package").with_attributes(attributes).write_inner_content(|xml| {
            self.write_version(xml)?;
            content(self, xml)
        })?;
        xml.get_mut().push(b'\n');
        Ok(())
    }

    fn write_version(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        let epoch = self.epoch.to_string();
        let attributes = [("epoch", epoch.as_str()), ("ver", &self.version), ("rel", &self.release)];
        xml.create_element("version").with_attributes(attributes).write_empty()?;
        Ok(())
    }
}

fn write_dependency(xml: &mut Xml<'_>, entry: &RecordDependency) -> io::Result<()> {
    let mut element =
        xml.create_element("rpm:entry").with_attribute(("name", entry.dependency.name.as_str()));
    if let Some((comparison, version)) = &entry.dependency.version {
        let (epoch, version, release) = rpm_version::Evr::parse_values(version);
        let epoch = if epoch.is_empty() { "0" } else { epoch };
        let attributes = [("flags", comparison.metadata_name()), ("epoch", epoch), ("ver", version)];
        element = element.with_attributes(attributes);
        if !release.is_empty() {
            element = element.with_attribute(("rel", release));
        }
    }
    if entry.before {
        element = element.with_attribute(("pre", "1"));
    }
    element.write_empty()?;
    Ok(())
}

fn write_file(xml: &mut Xml<'_>, file: &RecordFile) -> io::Result<()> {
    let mut element = xml.create_element("file");
    match file.kind {
        FileKind::File => {}
        FileKind::Folder => element = element.with_attribute(("type", "dir")),
        FileKind::Ghost => element = element.with_attribute(("type", "ghost")),
    }
    element.write_text_content(BytesText::new(&file.path))?;
    Ok(())
}

fn write_changelog(xml: &mut Xml<'_>, entry: &ChangelogEntry) -> io::Result<()> {
    let (author, date) = (entry.author.as_str(), entry.date.to_string());
    let element = xml.create_element("changelog").with_attributes([("author", author), ("date", &date)]);
    element.write_text_content(BytesText::new(&entry.text))?;
    Ok(())
}

fn text(xml: &mut Xml<'_>, name: &str, content: &str) -> io::Result<()> {
    let element = xml.create_element(name);
    if content.is_empty() {
        element.write_empty()?;
    } else {
        element.write_text_content(BytesText::new(content))?;
    }
    Ok(())
}

fn numbers(xml: &mut Xml<'_>, name: &str, values: &[(&str, u64)]) -> io::Result<()> {
    let mut element = xml.create_element(name);
    for (name, value) in values {
        element = element.with_attribute((*name, value.to_string().as_str()));
    }
    element.write_empty()?;
    Ok(())
}
