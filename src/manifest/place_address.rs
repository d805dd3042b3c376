//! `to` in `publish`: a place that repositories are sent to.

use std::fmt;

use crate::text::Spanned;

/// A place, as a manifest says it.
#[derive(Clone, Debug)]
pub struct PlaceDecl {
    /// Where it is; `{chroot}` stands for the chroot's name.
    pub address: Spanned<PlaceAddress>,
    /// The URL of the service that has the bucket, or of the registry; that of Amazon, or that of the registry's name over https, where
    /// it is left out.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// The profile of the machine's `~/.aws/credentials` to use.
    pub profile: Option<String>,
}

/// Where a place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceAddress {
    /// `s3://BUCKET/PREFIX`.
    S3 {
        /// The bucket.
        bucket: String,
        /// What the keys of all objects begin with, without slashes at its ends; empty for the whole bucket.
        prefix: String,
    },
    /// `oci://REGISTRY/NAME[:TAG]`.
    Oci {
        /// The machine of the registry, with its port where it has one.
        registry: String,
        /// What the registry calls a repository: names with slashes between.
        name: String,
        /// The tag; `latest` where it is left out.
        tag: Option<String>,
    },
    /// `rsync://HOST/MODULE/PATH` or `USER@HOST:/PATH`, as rsync takes it, without a slash at its end.
    Rsync(String),
}

impl PlaceAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(written: &str) -> Result<Self, &'static str> {
        if written.chars().any(char::is_control) {
            return Err("control characters");
        }
        match written.split_once("://") {
            Some(("s3", rest)) => parse_s3(rest),
            Some(("oci", rest)) => parse_oci(rest),
            Some(("rsync", rest)) => {
                parse_daemon(rest)?;
                Ok(Self::Rsync(written.trim_end_matches('/').to_owned()))
            }
            Some(_) => Err("a kind of place that forge does not know"),
            None => {
                parse_shell(written)?;
                let trimmed = written.trim_end_matches('/');
                Ok(Self::Rsync(trimmed.to_owned()))
            }
        }
    }

    /// The same for one chroot.
    #[must_use]
    pub fn with_chroot(&self, chroot: &str) -> Self {
        let replace = |text: &String| text.replace("{chroot}", chroot);
        match self {
            Self::S3 { bucket, prefix } => Self::S3 { bucket: replace(bucket), prefix: replace(prefix) },
            Self::Oci { registry, name, tag } => {
                Self::Oci { registry: replace(registry), name: replace(name), tag: tag.as_ref().map(replace) }
            }
            Self::Rsync(address) => Self::Rsync(replace(address)),
        }
    }
}

impl fmt::Display for PlaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Oci { registry, name, tag: Some(tag) } => write!(f, "oci://{registry}/{name}:{tag}"),
            Self::Oci { registry, name, tag: None } => write!(f, "oci://{registry}/{name}"),
            Self::Rsync(address) => f.write_str(address),
        }
    }
}

fn parse_s3(rest: &str) -> Result<PlaceAddress, &'static str> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_bucket_character = |c: char| c.is_ascii_alphanumeric() || "._-{}".contains(c);
    if bucket.is_empty() || !bucket.chars().all(is_bucket_character) || bucket.starts_with(['.', '-']) {
        return Err("no name of a bucket");
    }
    let prefix = prefix.trim_matches('/');
    let is_odd = |part: &str| matches!(part, "" | "." | "..");
    if !prefix.is_empty() && prefix.split('/').any(is_odd) {
        return Err("a prefix with empty parts, `.` or `..`");
    }
    Ok(PlaceAddress::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

/// `REGISTRY/NAME[:TAG]`, as the OCI Distribution Specification 1.1 has names and tags ("Pulling manifests").
fn parse_oci(rest: &str) -> Result<PlaceAddress, &'static str> {
    let (registry, rest) = rest.trim_end_matches('/').split_once('/').ok_or("no name in the registry")?;
    if registry.contains(['{', '}']) || registry.is_empty() || registry.contains('@') {
        return Err("no name of a registry");
    }
    check_host(registry)?;
    let (name, tag) = rest.rsplit_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
    // A chroot's name is looked at once it stands there.
    let stands_for = |text: &str| text.replace("{chroot}", "c");
    if !is_oci_name(&stands_for(name)) {
        return Err("a name that no registry has: small letters, digits, `/`, and `.`, `_` or `-` between");
    }
    if tag.is_some_and(|tag| !is_oci_tag(&stands_for(tag))) {
        return Err("a tag that no registry has");
    }
    Ok(PlaceAddress::Oci {
        registry: registry.to_owned(),
        name: name.to_owned(),
        tag: tag.map(str::to_owned),
    })
}

/// Whether a registry can have a repository of a name: parts of small letters and digits, with `.`, `_`, `__` or dashes between those.
pub(crate) fn is_oci_name(name: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    let is_part = |part: &str| {
        part.starts_with(is_alphanumeric)
            && part.ends_with(is_alphanumeric)
            && part.split(is_alphanumeric).all(is_separator)
    };
    name.len() <= 255 && name.split('/').all(is_part)
}

/// Whether a registry can have a tag of a name.
pub(crate) fn is_oci_tag(tag: &str) -> bool {
    let is_of_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&tag.len()) && !tag.starts_with(['.', '-']) && tag.chars().all(is_of_tag)
}

/// `HOST[:PORT]/MODULE[/PATH]` of an rsync daemon.
fn parse_daemon(rest: &str) -> Result<(), &'static str> {
    let (host, path) = rest.split_once('/').ok_or("no module of the daemon")?;
    let (login, host) = host.rsplit_once('@').map_or((None, host), |(login, host)| (Some(login), host));
    match login {
        // rsync would take what stands behind it for a part of the name; a password has no place here anyway.
        Some(login) if login.is_empty() || login.contains(':') => return Err("a login that is not a name"),
        Some(_) | None => {}
    }
    check_host(host)?;
    match path.trim_matches('/') {
        "" => Err("no module of the daemon"),
        path => check_path(path),
    }
}

/// `[USER@]HOST:PATH` by ssh.
fn parse_shell(written: &str) -> Result<(), &'static str> {
    let (host, path) = written.split_once(':').ok_or("no kind of place")?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    check_host(host)?;
    match path.trim_matches('/') {
        "" => Err("no folder of the machine"),
        path => check_path(path),
    }
}

fn check_host(host: &str) -> Result<(), &'static str> {
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    // What begins with a dash is an option.
    match host.is_empty() || host.starts_with('-') || !host.chars().all(is_of_host) {
        true => Err("no name of a machine"),
        false => Ok(()),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    // Older servers give the path to a shell.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%=,~{}".contains(c);
    match path.split('/').any(|part| part == "..") {
        true => Err("a path that leads upwards"),
        false if !path.chars().all(is_plain) => Err("a path with odd characters"),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_each_kind_are_read_and_shown_as_they_were_written() {
        for written in [
            "s3://bucket",
            "s3://bucket/os/{chroot}",
            "oci://registry.example/acme/{chroot}",
            "oci://127.0.0.1:5000/acme/el9:{chroot}",
            "rsync://mirror.example/module/os/{chroot}",
            "rsync://me@mirror.example:8730/module",
            "me@mirror.example:/srv/os",
            "mirror.example:os/{chroot}",
        ] {
            let place = PlaceAddress::parse(written).unwrap();
            assert_eq!(place.to_string(), written);
            let other = PlaceAddress::parse(&(written.to_owned() + "/")).unwrap();
            assert_eq!(other, place, "a slash at the end means nothing");
        }
        let place = PlaceAddress::parse("s3://bucket/os/{chroot}").unwrap().with_chroot("el9");
        assert_eq!(place.to_string(), "s3://bucket/os/el9");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for written in [
            "",
            "public",
            "/srv/os",
            "s3://",
            "s3:///prefix",
            "s3://bu cket/prefix",
            "s3://bucket/a/../b",
            "s3://bucket/a//b",
            "oci://registry.example",
            "oci://registry.example/",
            "oci:///acme",
            "oci://me:secret@registry.example/acme",
            "oci://registry.example/Acme",
            "oci://registry.example/acme//os",
            "oci://registry.example/acme/os_",
            "oci://registry.example/acme/a._b",
            "oci://registry.example/acme/../os",
            "oci://registry.example/acme:",
            "oci://registry.example/acme:-v1",
            "oci://registry.example/acme?x",
            "ftp://mirror.example/os",
            "rsync://mirror.example",
            "rsync://mirror.example/",
            "rsync://me:secret@mirror.example/module",
            "rsync://-oProxyCommand=x/module",
            "-e:path",
            "me@-oProxyCommand=x:/srv",
            "mirror.example:",
            "mirror.example::module",
            "mirror.example:/srv/../etc",
            "mirror.example:/srv/\u{1b}[2J",
        ] {
            assert!(PlaceAddress::parse(written).is_err(), "{written}");
        }
    }
}
