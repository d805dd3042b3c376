//! Large packages, which have layers for themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rpmforge::chroot::compose::Farm;

use super::made_package::{MadeFile, MadePackage, file, folder, link, package};
use super::scratch::{Scratch, Seen, layer, listing};

fn filesystem() -> MadePackage {
    let files = [
        MadeFile { mode: 0o040_555, ..folder("/") },
        link("/bin", "usr/bin"),
        folder("/usr"),
        MadeFile { mode: 0o040_555, ..folder("/usr/bin") },
        MadeFile { mode: 0o040_711, modified: 1_600_000_000, ..folder("/usr/share") },
        folder("/usr/share/doc"),
    ];
    package("filesystem", files)
}

/// One of so many files that it has a layer of its own, and of some more.
fn large<const N: usize>(name: &str, more: [MadeFile; N]) -> MadePackage {
    let own = format!("/usr/share/{name}");
    let mut files = vec![MadeFile { mode: 0o040_750, ..folder(&own) }, folder(&format!("{own}/plugins"))];
    files.extend((0..300).map(|number| file(&format!("{own}/{number}"), format!("{name} {number}"))));
    files.push(link(&format!("{own}/first"), "0"));
    files.extend(more);
    package(name, files)
}

/// All that a root shows, as overlayfs does: what an upper layer has hides what is below, but for what is in folders.
fn shown(farm: &Farm) -> BTreeMap<String, Seen> {
    farm.layers().iter().rev().flat_map(|layer| listing(layer.as_path())).collect()
}

/// What is known of a root: modes and packages by path.
fn known(farm: &Farm) -> BTreeMap<String, (u32, u64, Option<String>)> {
    let files = farm.files().unwrap();
    let told = files.iter().map(|file| {
        let package = file.package.map(str::to_owned);
        (file.entry.path.to_string(), (file.entry.mode & 0o7777, file.entry.modified, package))
    });
    told.collect()
}

/// That a set over a base is what all packages are in one layer, however it is laid out.
#[track_caller]
fn assert_same_root(scratch: &Scratch, farm: &Farm, packages: &[MadePackage]) {
    let all: Vec<MadePackage> = [filesystem()].into_iter().chain(packages.iter().cloned()).collect();
    let in_one = scratch.compose(&all).unwrap();
    assert_eq!(in_one.layers().len(), 1);
    assert_eq!(shown(farm), shown(&in_one));
    assert_eq!(known(farm), known(&in_one));
}

#[test]
fn a_large_package_has_a_layer_that_other_sets_find() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[filesystem()]).unwrap();
    let big = large("big", [file("/usr/bin/big", "big"), file("/usr/share/doc/big", "read me")]);
    // Its files lie beside those of the large one, and in a folder of it.
    let plugin = file("/usr/share/big/plugins/small", "small");
    let small = package("small", [plugin, file("/usr/share/doc/small", "x")]);
    let set = [big.clone(), small];
    let farm = scratch.compose_over(&base, &set).unwrap();
    assert_eq!(farm.layers().len(), 3);
    assert_eq!(farm.layers()[2..], base.layers());
    let own: Vec<String> = layer(&farm).into_keys().collect();
    let expected = [
        "",
        "usr",
        "usr/bin",
        "usr/share",
        "usr/share/big",
        "usr/share/big/plugins",
        "usr/share/big/plugins/small",
        "usr/share/doc",
        "usr/share/doc/small",
    ];
    assert_eq!(own, expected);
    assert_same_root(&scratch, &farm, &set);

    let another = [package("another", [file("/usr/share/another", "y")]), big];
    let other = scratch.compose_over(&base, &another).unwrap();
    assert_eq!(other.layers()[1..], farm.layers()[1..]);
    assert!(!layer(&other).contains_key("usr/share/big"));
    assert_same_root(&scratch, &other, &another);
    // Found again, it consists of the same.
    let again = scratch.compose_over(&base, &another).unwrap();
    assert_eq!((again.layers(), known(&again)), (other.layers(), known(&other)));
}

#[test]
fn only_the_largest_have_layers() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[filesystem()]).unwrap();
    // The last ones have one file more each than those before.
    let set: Vec<MadePackage> = (0..20)
        .map(|number| {
            let name = format!("p{number:02}");
            let mut package = large(&name, []);
            package.files.truncate(100);
            let more = |file_number: usize| file(&format!("/usr/share/{name}/more{file_number}"), "more");
            package.files.extend((0..number).map(more));
            package
        })
        .collect();
    let farm = scratch.compose_over(&base, &set).unwrap();
    assert_eq!(farm.layers().len(), 18);
    let own: BTreeSet<String> = layer(&farm)
        .into_keys()
        .filter_map(|path| Some(path.strip_prefix("usr/share/")?.split('/').next()?.to_owned()))
        .collect();
    assert_eq!(own, BTreeSet::from(["p00", "p01", "p02", "p03"].map(str::to_owned)));
    assert_same_root(&scratch, &farm, &set);
}

#[test]
fn a_package_whose_files_lie_elsewhere_or_are_others_too_has_no_layer() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[filesystem()]).unwrap();
    // `/bin` is a link in the base.
    let behind_a_link = [large("linked", [file("/bin/linked", "linked")])];
    // A folder that is there already, and in which nothing comes to lie.
    let known_folder = [large("listing", [folder("/usr/share/doc")])];
    let shared = file("/usr/share/shared", "the same");
    let not_alone = [package("first", [shared.clone()]), large("sharing", [shared])];
    for set in [&behind_a_link[..], &known_folder, &not_alone] {
        let farm = scratch.compose_over(&base, set).unwrap();
        assert_eq!(farm.layers().len(), 2, "{}", set[0].name);
        assert_same_root(&scratch, &farm, set);
    }
}

#[test]
fn a_root_whose_layers_are_gone_or_damaged_is_composed_again() {
    let scratch = Scratch::new();
    let base = scratch.compose(&[filesystem()]).unwrap();
    let set = [large("big", []), package("small", [file("/usr/share/small", "x")])];
    let farm = scratch.compose_over(&base, &set).unwrap();
    let expected = (farm.layers(), shown(&farm));
    drop(farm);
    let folder = |layer: usize| expected.0[layer].as_path().parent().unwrap().to_owned();
    fs::remove_dir_all(folder(1)).unwrap();
    let farm = scratch.compose_over(&base, &set).unwrap();
    assert_eq!((farm.layers(), shown(&farm)), expected);
    drop(farm);
    fs::write(folder(0).join("apart"), "nonsense").unwrap();
    let farm = scratch.compose_over(&base, &set).unwrap();
    assert_eq!((farm.layers(), shown(&farm)), expected);
    drop(farm);
    // A file of it that was changed by hand is noticed when its layer is laid out.
    fs::remove_dir_all(folder(0)).unwrap();
    fs::write(expected.0[1].as_path().join("usr/share/big/7"), "changed by hand").unwrap();
    fs::remove_dir_all(folder(1)).unwrap();
    let farm = scratch.compose_over(&base, &set).unwrap();
    assert_eq!(shown(&farm)["usr/share/big/7"].content, b"big 7");
}
