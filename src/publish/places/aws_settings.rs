//! What a machine says of buckets: the environment variables and files that all programs read which speak S3's protocol.
//!
//! Environment variables win over files, and what the manifest says over both. A file is one of sections of `KEY = VALUE`; a profile is
//! the section `[NAME]` of `~/.aws/credentials` and `[profile NAME]` of `~/.aws/config`.

use std::collections::BTreeMap;

use rusty_s3::Credentials;

/// The profile that is meant where none is named.
const DEFAULT_PROFILE: &str = "default";

/// The region where none is said: services that are not Amazon's have no regions, and take this.
const DEFAULT_REGION: &str = "us-east-1";

/// The texts of the files; empty where there is none.
#[derive(Default)]
pub struct AwsFiles {
    /// `~/.aws/credentials`.
    pub credentials: String,
    /// `~/.aws/config`.
    pub config: String,
}

/// See the [module](self). It has no `Debug`: it holds secrets.
pub struct AwsSettings {
    variables: BTreeMap<String, String>,
    /// The keys and values of each profile.
    profiles: BTreeMap<String, BTreeMap<String, String>>,
}

impl AwsSettings {
    /// Those of these environment variables and files.
    pub fn new(variables: &BTreeMap<String, String>, files: &AwsFiles) -> Self {
        let is_said = |(name, value): &(&String, &String)| name.starts_with("AWS_") && !value.is_empty();
        let variables = variables.iter().filter(is_said);
        let variables = variables.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut profiles = BTreeMap::new();
        read_profiles(&files.config, &mut profiles);
        // What both say is said better by the file of the credentials.
        read_profiles(&files.credentials, &mut profiles);
        Self { variables, profiles }
    }

    /// Who sends, and the profile that was looked at: that which the manifest names, else the environment's.
    pub(super) fn credentials(&self, named: Option<&str>) -> Result<Credentials, Option<String>> {
        let profile = self.profile(named);
        let of_variables = named.is_none().then(|| {
            let variable = |name: &str| self.variables.get(name);
            credentials_of([
                variable("AWS_ACCESS_KEY_ID"),
                variable("AWS_SECRET_ACCESS_KEY"),
                variable("AWS_SESSION_TOKEN"),
            ])
        });
        let of_profile = || {
            let value = |key: &str| self.profiles.get(profile)?.get(key);
            credentials_of([
                value("aws_access_key_id"),
                value("aws_secret_access_key"),
                value("aws_session_token"),
            ])
        };
        of_variables.flatten().or_else(of_profile).ok_or_else(|| {
            (named.is_some() || self.variables.contains_key("AWS_PROFILE")).then(|| profile.to_owned())
        })
    }

    /// The region, where the manifest says none.
    pub(super) fn region(&self, named: Option<&str>) -> String {
        let of_profile = self.value_of_profile(named, "region");
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let region = variables.iter().find_map(|name| self.variables.get(*name)).or(of_profile);
        region.cloned().unwrap_or_else(|| DEFAULT_REGION.to_owned())
    }

    /// The URL of the service, where the manifest says none; none where it is Amazon's.
    pub(super) fn endpoint(&self, named: Option<&str>) -> Option<String> {
        let of_profile = self.value_of_profile(named, "endpoint_url");
        let variables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
        variables.iter().find_map(|name| self.variables.get(*name)).or(of_profile).cloned()
    }

    fn profile<'a>(&'a self, named: Option<&'a str>) -> &'a str {
        named.or_else(|| self.variables.get("AWS_PROFILE").map(String::as_str)).unwrap_or(DEFAULT_PROFILE)
    }

    fn value_of_profile(&self, named: Option<&str>, key: &str) -> Option<&String> {
        self.profiles.get(self.profile(named))?.get(key)
    }
}

fn credentials_of([key, secret, token]: [Option<&String>; 3]) -> Option<Credentials> {
    let (key, secret) = (key?.clone(), secret?.clone());
    Some(match token {
        Some(token) => Credentials::new_with_token(key, secret, token.clone()),
        None => Credentials::new(key, secret),
    })
}

/// Adds what a file says of profiles. Nested settings, whose lines are indented, are none that are needed here.
fn read_profiles(text: &str, profiles: &mut BTreeMap<String, BTreeMap<String, String>>) {
    let mut section: Option<String> = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim();
            section = Some(name.strip_prefix("profile ").unwrap_or(name).trim().to_owned());
        } else if let (Some(section), Some((key, value))) = (&section, trimmed.split_once('='))
            && !line.starts_with(char::is_whitespace)
        {
            let profile = profiles.entry(section.clone()).or_default();
            profile.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> AwsSettings {
        let files = AwsFiles {
            credentials: "# mine\n[default]\naws_access_key_id = D\naws_secret_access_key=ds\n\n[lab]\n\
                          aws_access_key_id=L\naws_secret_access_key = a=b/c\naws_session_token=t\n"
                .to_owned(),
            config:
                "[default]\nregion = eu-1\n[profile lab]\nendpoint_url = http://lab.example:9000\ns3 =\n  \
                     region = no\n"
                    .to_owned(),
        };
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        AwsSettings::new(&variables.collect(), &files)
    }

    #[test]
    fn the_profile_that_the_manifest_names_wins_over_the_environment_and_that_over_the_default() {
        let from_environment = [("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "es")];
        let key = |settings: &AwsSettings, named| settings.credentials(named).unwrap().key().to_owned();
        assert_eq!(key(&settings(&[]), None), "D");
        assert_eq!(key(&settings(&from_environment), None), "E");
        assert_eq!(key(&settings(&from_environment), Some("lab")), "L");
        assert_eq!(key(&settings(&[("AWS_PROFILE", "lab")]), None), "L");
        let lab = settings(&[]).credentials(Some("lab")).unwrap();
        assert_eq!((lab.secret(), lab.token()), ("a=b/c", Some("t")));
    }

    #[test]
    fn without_credentials_the_profile_that_was_asked_for_is_named() {
        let missing = |named, variables: &[(&str, &str)]| settings(variables).credentials(named).err();
        assert_eq!(missing(Some("other"), &[]), Some(Some("other".to_owned())));
        assert_eq!(missing(None, &[("AWS_PROFILE", "x")]), Some(Some("x".to_owned())));
        let none = AwsSettings::new(&BTreeMap::new(), &AwsFiles::default());
        assert_eq!(none.credentials(None).err(), Some(None));
        assert_eq!((none.region(None), none.endpoint(None)), ("us-east-1".to_owned(), None));
    }

    #[test]
    fn region_and_endpoint_are_those_of_the_environment_then_of_the_profile() {
        let plain = settings(&[]);
        assert_eq!((plain.region(None), plain.endpoint(None)), ("eu-1".to_owned(), None));
        assert_eq!(plain.region(Some("lab")), "us-east-1", "nested settings are others");
        assert_eq!(plain.endpoint(Some("lab")).as_deref(), Some("http://lab.example:9000"));
        let said =
            settings(&[("AWS_REGION", "us-2"), ("AWS_ENDPOINT_URL", "http://x"), ("AWS_DEFAULT_REGION", "")]);
        assert_eq!(
            (said.region(None), said.endpoint(None).as_deref()),
            ("us-2".to_owned(), Some("http://x"))
        );
    }
}
