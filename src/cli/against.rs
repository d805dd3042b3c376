//! `forge verify --against`: whether packages that somebody ships are those that builds here have made.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::context::{CliError, Context, Failure};
use super::diff::{PlacedPackage, name_and_arch, result_packages};
use super::tools_here::http_client;
use crate::fetch::{Address, Download, Downloads};
use crate::files::Folder;
use crate::package::Difference;
use crate::process::Cancel;
use crate::store::BuildRow;
use crate::ui::{diff_screen, plain_text};

/// The folder of what is fetched to be compared, below the project's state.
const FOLDER: &str = "against";

/// How large a package may be, in bytes.
const LARGEST: u64 = 16 << 30;

/// A package that somebody ships, beside the one of the same name and architecture that was built here.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShippedPackage {
    /// The file or the address.
    shipped: String,
    /// The build here; nothing where none that was chosen has made such a package.
    build: Option<u64>,
    /// The package that it has made.
    made: Option<String>,
    /// Whether both are the same but for signatures and what tells when, where and by what they were built.
    is_same: bool,
    /// What differs.
    difference: Option<Difference>,
}

impl ShippedPackage {
    /// Whether it is the same.
    pub fn is_same(&self) -> bool {
        self.is_same
    }

    /// To be read.
    pub fn screen(&self) -> String {
        let Self { shipped, build, made, is_same, difference } = self;
        let (Some(build), Some(made)) = (build, made) else {
            return plain_text(&format!(
                "{shipped}: no build that was chosen has made a package of that name\n"
            ));
        };
        match difference {
            Some(difference) if !is_same => diff_screen(difference, shipped, made, false),
            Some(_) | None => plain_text(&format!(
                "{shipped}: the same as {made} of #{build}, but for signatures, and when, where and by what it was built\n"
            )),
        }
    }
}

/// Compares what is shipped with what builds have made.
pub fn compare_shipped(
    shipped: &[String],
    rows: &[BuildRow],
    state: &Folder,
    context: &Context,
) -> Result<Vec<ShippedPackage>, Failure> {
    let fetched = state.create(FOLDER).map_err(CliError::Io)?;
    fetched.clear().map_err(CliError::Io)?;
    let compared = shipped.iter().map(|shipped| compare_one(shipped, rows, (state, &fetched), context));
    let compared = compared.collect();
    let _ = state.remove_folder(FOLDER);
    compared
}

fn compare_one(
    shipped: &str,
    rows: &[BuildRow],
    (state, fetched): (&Folder, &Folder),
    context: &Context,
) -> Result<ShippedPackage, Failure> {
    let package = match shipped.contains("://") {
        true => fetch(shipped, fetched, context)?,
        false => PlacedPackage::of_file(Path::new(shipped), context)?,
    };
    let key = package.name_and_arch()?;
    for row in rows {
        let Ok((folder, packages)) = result_packages(state, row) else { continue };
        let Some(made) = packages.into_iter().find(|file| name_and_arch(file).as_ref() == Some(&key)) else {
            continue;
        };
        let difference = package.compare(&PlacedPackage::of_result(&folder, &made)?)?;
        let is_same = difference.is_volatile();
        let (build, difference) = (Some(row.number), Some(difference));
        return Ok(ShippedPackage {
            shipped: shipped.to_owned(),
            build,
            made: Some(made),
            is_same,
            difference,
        });
    }
    let shipped = shipped.to_owned();
    Ok(ShippedPackage { shipped, build: None, made: None, is_same: false, difference: None })
}

/// Brings a package.
fn fetch(address: &str, folder: &Folder, context: &Context) -> Result<PlacedPackage, Failure> {
    let address = Address::parse(address).map_err(CliError::Fetch)?;
    let shown = address.to_string();
    let file = folder.unique("package-").map_err(CliError::Io)?;
    let download = Download {
        file: file.clone(),
        addresses: vec![address],
        checksums: Vec::new(),
        size: None,
        most_bytes: LARGEST,
        known: None,
        accept: None,
    };
    let around = Downloads { folder, cancel: &Cancel::default(), progress: &|_| {} };
    http_client(Vec::new(), context)?.download(download, around).map_err(CliError::Fetch)?;
    PlacedPackage::of_result(folder, &file).map(|package| package.shown_as(shown))
}
