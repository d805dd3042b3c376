//! The order of installation, beside that of the machine's rpm.

use std::fmt::Write as _;
use std::path::Path;

use rpmforge::chroot::scriptlets::install_order;
use rpmforge::package::Header;

use super::packages::{RpmRoot, build, headers, succeed};

/// Numbers that look random, and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

const COUNT: u64 = 40;

/// A spec of packages that need each other in all ways, in circles too.
fn spec(seed: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut text = String::from(
        "Version: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n%files\n",
    );
    let tags = [
        "Requires",
        "Requires",
        "Requires",
        "Requires(pre)",
        "Requires(post)",
        "Requires(preun)",
        "Requires(pretrans)",
        "Requires(meta)",
        "Recommends",
        "Suggests",
        "Supplements",
        "Enhances",
        "OrderWithRequires",
        "Requires(pre,postun)",
    ];
    for package in 0..COUNT {
        let _ = write!(
            text,
            "%package -n p{package}\nSummary: s\nProvides: group{} = {}\n",
            package % 7,
            package % 5
        );
        for _ in 0..numbers.below(5) {
            let tag = *numbers.pick(&tags);
            let name = |numbers: &mut Numbers| format!("p{}", numbers.below(COUNT));
            let wanted = match numbers.below(8) {
                0 => format!("group{} >= {}", numbers.below(7), numbers.below(5)),
                1 => format!("/opt/p{}/file", numbers.below(COUNT)),
                2 if tag != "OrderWithRequires" => {
                    let words = ["and", "or", "if", "with"];
                    let word = *numbers.pick(&words);
                    format!("({} {word} {})", name(&mut numbers), name(&mut numbers))
                }
                3 if tag != "OrderWithRequires" => {
                    format!("({} if {} else {})", name(&mut numbers), name(&mut numbers), name(&mut numbers))
                }
                _ => name(&mut numbers),
            };
            let _ = writeln!(text, "{tag}: {wanted}");
        }
        let _ = write!(text, "%description -n p{package}\nd\n%files -n p{package}\n/opt/p{package}\n");
    }
    text.push_str("%install\n");
    for package in 0..COUNT {
        let _ = writeln!(
            text,
            "mkdir -p %{{buildroot}}/opt/p{package}; touch %{{buildroot}}/opt/p{package}/file"
        );
    }
    text
}

/// The order in which the machine's rpm would install packages.
fn real_order(folder: &Path, packages: &[std::path::PathBuf]) -> Vec<String> {
    let root = RpmRoot::new(folder.join("root"));
    let packages = packages.iter().map(|package| package.to_str().unwrap());
    let arguments: Vec<&str> =
        ["-i", "--test", "-vv", "--nodeps", "--nosignature"].into_iter().chain(packages).collect();
    let (is_done, said) = root.try_rpm("rpm", &arguments);
    assert!(is_done, "{said}");
    let lines = said.lines().skip_while(|line| !line.contains("tsorting packages")).skip(1);
    let line = |line: &str| {
        Some(
            line.strip_prefix("D: ")?
                .trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                .strip_prefix('+')?
                .to_owned(),
        )
    };
    lines.map_while(line).collect()
}

#[test]
fn packages_are_installed_in_the_order_of_real_rpm() {
    let temp = tempfile::tempdir().unwrap();
    let rpm_version = succeed(temp.path(), "rpm", &["--version"]);
    let is_old = rpm_version.starts_with("RPM version 4.");
    for seed in 1..=12 {
        let folder = temp.path().join(seed.to_string());
        std::fs::create_dir(&folder).unwrap();
        let packages = build(&folder, &[("all", &spec(seed))], &[]);
        let headers = headers(&packages);
        let headers: Vec<&Header> = headers.iter().map(|package| &package.header).collect();
        let order = install_order(&headers, 3);
        let ours: Vec<String> = order.iter().map(|number| headers[*number].nevra()).collect();
        let theirs = real_order(&folder, &packages);
        assert_eq!(theirs.len(), headers.len());
        if is_old {
            // It goes through equals the other way round, and wishes count for more: `.ci/test-with-new-rpm` has a newer one.
            assert_eq!(sorted(ours), sorted(theirs), "seed {seed}");
        } else {
            assert_eq!(ours, theirs, "seed {seed}, {rpm_version}");
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
