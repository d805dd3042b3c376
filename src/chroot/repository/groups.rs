//! `comps`: groups of packages that have a name.

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::limits::{LARGEST_PACKED, MOST_ENTRIES};
use super::names::{check_text, check_word};
use super::problem::MetadataProblem;
use super::xml::XmlReader;

/// The groups of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// Groups of packages.
    pub groups: Vec<PackageGroup>,
    /// Groups of groups.
    pub environments: Vec<Environment>,
}

/// A group of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageGroup {
    /// What it is asked for by: `buildsys-build`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its packages.
    pub members: Vec<GroupMember>,
}

/// A package of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// The name of the package.
    pub package: String,
    /// When it is installed with the group.
    pub membership: Membership,
}

/// When a package is installed with its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    /// Always.
    Mandatory,
    /// Unless somebody says otherwise.
    Default,
    /// If this other package is installed.
    Conditional(String),
    /// Only if somebody asks for it.
    Optional,
}

/// A group of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// What it is asked for by.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The groups that belong to it.
    pub groups: Vec<String>,
}

impl Groups {
    /// Reads a comps file.
    pub(super) fn read(content: impl BufRead) -> Result<Self, MetadataProblem> {
        let mut xml = XmlReader::new(content, LARGEST_PACKED);
        xml.open("comps")?;
        let mut all = Self::default();
        let mut entries = 0;
        while xml.child()? {
            match xml.name() {
                "group" => all.groups.push(read_group(&mut xml, &mut entries)?),
                "environment" => all.environments.push(read_environment(&mut xml, &mut entries)?),
                _ => xml.skip()?,
            }
        }
        Ok(all)
    }

    /// Adds what another repository has: groups of one name become one.
    pub fn merge(&mut self, other: Self) {
        for group in other.groups {
            match self.groups.iter_mut().find(|own| own.id == group.id) {
                Some(own) => {
                    let new = group.members.into_iter().filter(|member| !own.has(&member.package));
                    let new: Vec<_> = new.collect();
                    own.members.extend(new);
                }
                None => self.groups.push(group),
            }
        }
        for environment in other.environments {
            if !self.environments.iter().any(|own| own.id == environment.id) {
                self.environments.push(environment);
            }
        }
    }

    /// The groups that a name stands for: that of a group, or of a group of groups.
    pub fn named(&self, name: &str) -> Vec<&PackageGroup> {
        let is_named = |id: &str, shown: &str| id == name || shown == name;
        let environment = self.environments.iter().find(|it| is_named(&it.id, &it.name));
        let of_environment = environment.into_iter().flat_map(|it| &it.groups);
        let own: Vec<&PackageGroup> =
            self.groups.iter().filter(|group| is_named(&group.id, &group.name)).collect();
        match own.is_empty() {
            true => {
                of_environment.filter_map(|id| self.groups.iter().find(|group| group.id == *id)).collect()
            }
            false => own,
        }
    }
}

impl PackageGroup {
    fn has(&self, package: &str) -> bool {
        self.members.iter().any(|member| member.package == package)
    }
}

fn count(entries: &mut usize) -> Result<(), MetadataProblem> {
    *entries += 1;
    match *entries > MOST_ENTRIES {
        true => Err(MetadataProblem::TooLarge {
            what: "groups have more members".to_owned(),
            most: MOST_ENTRIES as u64,
        }),
        false => Ok(()),
    }
}

fn read_group(
    xml: &mut XmlReader<impl BufRead>,
    entries: &mut usize,
) -> Result<PackageGroup, MetadataProblem> {
    count(entries)?;
    let mut group = PackageGroup::default();
    while xml.child()? {
        match xml.name() {
            "id" => group.id = check_text("name of a group", xml.text()?)?,
            "name" if xml.attribute("xml:lang").is_none() => {
                group.name = check_text("name of a group", xml.text()?)?;
            }
            "packagelist" => {
                while xml.child()? {
                    count(entries)?;
                    group.members.push(read_member(xml)?);
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(group)
}

fn read_member(xml: &mut XmlReader<impl BufRead>) -> Result<GroupMember, MetadataProblem> {
    let condition = xml.attribute("requires").unwrap_or_default().to_owned();
    let membership = match xml.attribute("type") {
        Some("default") => Membership::Default,
        Some("optional") => Membership::Optional,
        Some("conditional") => Membership::Conditional(check_text("dependency", condition)?),
        // As dnf reads one that says nothing, or something else.
        _ => Membership::Mandatory,
    };
    Ok(GroupMember { package: check_word("name of a package", xml.text()?)?, membership })
}

fn read_environment(
    xml: &mut XmlReader<impl BufRead>,
    entries: &mut usize,
) -> Result<Environment, MetadataProblem> {
    count(entries)?;
    let mut environment = Environment::default();
    while xml.child()? {
        match xml.name() {
            "id" => environment.id = check_text("name of a group", xml.text()?)?,
            "name" if xml.attribute("xml:lang").is_none() => {
                environment.name = check_text("name of a group", xml.text()?)?;
            }
            "grouplist" => {
                while xml.child()? {
                    count(entries)?;
                    match xml.name() {
                        "groupid" => environment.groups.push(check_text("name of a group", xml.text()?)?),
                        _ => xml.skip()?,
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(environment)
}
