//! Which source distribution is meant.

use std::str::FromStr;

use pep440_rs::Version;

use super::page::{PageLink, read_page};
use super::version::normalized_name;
use crate::fetch::Address;
use crate::source::limits::SOURCE_BYTES;
use crate::source::made_spec::{MadeSpecError, RegistryFile};

/// A source distribution that an index has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdist {
    /// Its version, as its name has it.
    pub version: String,
    /// Its file.
    pub file: RegistryFile,
}

/// How source distributions are packed.
const ENDS: [&str; 5] = [".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ZIP];
/// What old projects, and some of today's, have instead of one of the others, or beside it.
const ZIP: &str = ".zip";
/// How many versions are named where there is no such one.
const VERSIONS_NAMED: usize = 5;

/// The source distribution of a version, or of the newest that is no prerelease and was not taken back.
pub fn choose(
    page_url: &str,
    page: &str,
    project: &str,
    version: Option<&str>,
) -> Result<Sdist, MadeSpecError> {
    let links = read_page(page)
        .map_err(|reason| MadeSpecError::unreadable(&crate::fetch::without_login(page_url), reason))?;
    let mut sdists: Vec<(Version, String, PageLink)> =
        links.into_iter().filter_map(|link| read_sdist(link, project)).collect();
    let is_tar = |link: &PageLink| !link.text.ends_with(ZIP);
    sdists.sort_by(|one, other| (&one.0, is_tar(&one.2)).cmp(&(&other.0, is_tar(&other.2))));
    let wanted = version.map(|text| Version::from_str(text).ok());
    let is_wanted = |(found, _, link): &&(Version, String, PageLink)| match &wanted {
        Some(wanted) => wanted.as_ref() == Some(found),
        None => !link.is_yanked && !found.any_prerelease(),
    };
    let Some((_, text, link)) = sdists.iter().rev().find(is_wanted) else {
        return Err(no_version(project, version, &sdists));
    };
    let not_fetched = |source| MadeSpecError::NotFetched { wanted: format!("`{}`", link.text), source };
    let page = Address::parse(&format!("{page_url}/"));
    let address = page.and_then(|page| page.resolve(&link.href)).map_err(not_fetched)?;
    let url = address.secret_text().to_owned();
    let (checksum, size) = (link.checksum.clone(), link.size);
    let file = RegistryFile { name: link.text.clone(), url, checksum, size, most: SOURCE_BYTES };
    Ok(Sdist { version: text.clone(), file })
}

/// The version of a link that is a source distribution of the project.
fn read_sdist(link: PageLink, project: &str) -> Option<(Version, String, PageLink)> {
    let stem = ENDS.iter().find_map(|end| link.text.strip_suffix(end))?;
    // A version may have a `-`, and so may a name.
    let splits = stem.match_indices('-').map(|(at, _)| (stem.get(..at), stem.get(at + 1..)));
    let is_project = |(name, _): &(Option<&str>, Option<&str>)| {
        name.map(normalized_name).as_deref() == Some(&normalized_name(project))
    };
    let version = splits.filter(is_project).find_map(|(_, version)| version)?.to_owned();
    // What an index says becomes the name of a file, and part of an address.
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-!".contains(&byte);
    if !link.text.bytes().all(is_letter) {
        return None;
    }
    Some((Version::from_str(&version).ok()?, version, link))
}

fn no_version(project: &str, version: Option<&str>, sdists: &[(Version, String, PageLink)]) -> MadeSpecError {
    let newest: Vec<&str> =
        sdists.iter().rev().map(|(_, text, _)| text.as_str()).take(VERSIONS_NAMED).collect();
    let help = match newest.as_slice() {
        [] => "it has no source distribution at all (a `.tar.gz` or a `.zip`): take its sources from git"
            .to_owned(),
        newest => format!("its newest source distributions are {}", newest.join(", ")),
    };
    let wanted = match version {
        Some(version) => format!("source distribution of version {version}"),
        None => "source distribution".to_owned(),
    };
    MadeSpecError::NoVersion { registry: "PyPI", project: project.to_owned(), wanted, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<a href='../../files/x_y-1.9.tar.gz#sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>x_y-1.9.tar.gz</a>\
        <a href='x_y-1.10.tar.gz'>x_y-1.10.tar.gz</a><a href='x_y-2.0rc1.tar.gz'>x_y-2.0rc1.tar.gz</a>\
        <a href='x_y-1.11.tar.gz' data-yanked=''>x_y-1.11.tar.gz</a><a href='x_y-3-py3-none-any.whl'>x_y-3-py3-none-any.whl</a>";

    fn chosen(version: Option<&str>) -> Result<Sdist, MadeSpecError> {
        choose("https://index.example/simple/x-y", PAGE, "X.y", version)
    }

    #[test]
    fn the_newest_is_no_prerelease_and_none_that_was_taken_back() {
        let sdist = chosen(None).unwrap();
        assert_eq!(
            (sdist.version.as_str(), sdist.file.url.as_str()),
            ("1.10", "https://index.example/simple/x-y/x_y-1.10.tar.gz")
        );
    }

    #[test]
    fn a_version_is_found_by_its_value_with_its_checksum() {
        let sdist = chosen(Some("1.9.0")).unwrap();
        assert_eq!(sdist.file.url, "https://index.example/files/x_y-1.9.tar.gz");
        assert!(sdist.file.checksum.is_some());
        assert_eq!(chosen(Some("2.0rc1")).unwrap().version, "2.0rc1");
        assert_eq!(chosen(Some("1.11")).unwrap().version, "1.11");
    }

    #[test]
    fn a_zip_is_taken_where_there_is_nothing_better() {
        let page = "<a href=x-1.zip>x-1.zip</a><a href=x-1.tar.gz>x-1.tar.gz</a><a href=x-2.tar.xz>x-2.tar.xz</a>\
            <a href=x-2.zip>x-2.zip</a><a href=x-3.zip>x-3.zip</a>";
        let file = |version| choose("https://index.example/x", page, "x", version).unwrap().file.name;
        assert_eq!([file(Some("1")), file(Some("2")), file(None)], ["x-1.tar.gz", "x-2.tar.xz", "x-3.zip"]);
    }

    #[test]
    fn names_of_files_that_lead_elsewhere_are_none() {
        for name in ["x-1.0+../../evil.tar.gz", "x-1.0 .tar.gz", "x- 1.0.tar.gz", "../x-1.0.tar.gz"] {
            let page = format!("<a href=x>{name}</a>");
            assert!(choose("https://index.example/x", &page, "x", None).is_err(), "{name}");
        }
    }

    #[test]
    fn a_version_that_is_not_there_is_told_with_those_that_are() {
        let error = chosen(Some("4")).unwrap_err();
        assert!(
            matches!(&error, MadeSpecError::NoVersion { help, .. } if help.contains("2.0rc1, 1.11, 1.10")),
            "{error:?}"
        );
    }
}
