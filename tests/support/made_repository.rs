//! Repositories of made-up packages, the same for the same seed: names, versions, files, architectures, virtual and rich
//! dependencies, conflicts, obsoletes, weak dependencies, and some that can't be met.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::PathBuf;

use rpmforge::chroot::{AvailablePackage, Checksum, Relations, Requirement};
use rpmforge::digest::Digest;
use rpmforge::package::{Comparison, Dependency, Evr};

/// Numbers that look as if drawn by lot (xorshift64*).
pub struct Lots(u64);

impl Lots {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % bound.max(1)
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn text(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A repository that was made.
pub struct MadeRepository {
    pub name: String,
    pub priority: i32,
    pub cost: i32,
    /// With all their files.
    pub packages: Vec<AvailablePackage>,
    /// Where its metadata are, if they have been written.
    pub folder: Option<PathBuf>,
}

/// Some repositories of `count` packages in all: a base, newer versions of some of it, and one of another priority.
pub fn make_repositories(seed: u64, count: usize) -> Vec<MadeRepository> {
    let mut maker = Maker { lots: Lots::new(seed), names: count * 7 / 10 };
    let repository = |name: &str, priority, cost| MadeRepository {
        name: name.to_owned(),
        priority,
        cost,
        packages: Vec::new(),
        folder: None,
    };
    let mut base = repository("base", 99, 1000);
    let mut updates = repository("updates", 99, 1000);
    let mut extra = repository("extra", 50, 500);
    for number in 0..maker.names {
        let spread = maker.packages(number);
        for (place, packages) in spread.into_iter().enumerate() {
            match (place, maker.lots.below(20)) {
                (0, _) => base.packages.extend(packages),
                (_, 0..14) => updates.packages.extend(packages),
                (_, 14..18) => base.packages.extend(packages),
                _ => extra.packages.extend(packages),
            }
        }
    }
    vec![base, updates, extra]
}

/// Whether `primary` of a repository names a file.
pub fn is_in_primary(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}

pub struct Maker {
    pub lots: Lots,
    /// How many names there are.
    pub names: usize,
}

const STEMS: [&str; 8] = ["lib", "python3-", "perl-", "tool", "fonts-", "gcc-", "mod_", "x"];

/// The name with a number.
pub fn name(number: usize) -> String {
    format!("{}p{number}", STEMS[number * 7 % STEMS.len()])
}

impl Maker {
    /// All packages of one name: one or more versions, each for one or two architectures.
    fn packages(&mut self, number: usize) -> Vec<Vec<AvailablePackage>> {
        let versions = match self.lots.below(20) {
            0..14 => 1,
            14..18 => 2,
            _ => 3,
        };
        let is_noarch = number.is_multiple_of(3);
        let is_multilib = !is_noarch && number % 10 == 1;
        let epoch = if number.is_multiple_of(37) { "1:" } else { "" };
        let mut made = Vec::new();
        for version in 0..versions {
            let evr = format!("{epoch}{}", self.version(number, version));
            let arch = if is_noarch { "noarch" } else { "x86_64" };
            let package = self.package(number, &evr, arch);
            let mut of_version = Vec::new();
            if is_multilib {
                let mut other = package.clone();
                other.arch = "i686".to_owned();
                other.relations.provides.retain(|provided| !provided.name.contains("x86-64"));
                other.relations.requires.retain(|required| !required.dependency.name.contains("64"));
                other.files.retain(|path| !path.contains("bin/"));
                of_version.push(finished(other));
            }
            of_version.push(finished(package));
            made.push(of_version);
        }
        made
    }

    fn version(&mut self, number: usize, place: usize) -> String {
        match (number % 23, place) {
            (0, 0) => "1.0~rc1-1".to_owned(),
            (0, 1) => "1.0-1".to_owned(),
            (0, _) => "1.0^git1-1".to_owned(),
            _ => format!("{}.{}-{}", 1 + place, self.lots.below(10), 1 + self.lots.below(3)),
        }
    }

    fn package(&mut self, number: usize, evr: &str, arch: &str) -> AvailablePackage {
        let name = name(number);
        let mut relations = Relations::default();
        let provides = &mut relations.provides;
        provides.push(versioned(&name, "=", evr));
        if arch == "x86_64" {
            provides.push(versioned(&format!("{name}(x86-64)"), "=", evr));
        }
        if number.is_multiple_of(4) {
            provides.push(Dependency::any(format!("lib{number}.so.1()(64bit)")));
        }
        if number.is_multiple_of(9) {
            let version = evr.rsplit_once('-').unwrap().0;
            provides.push(versioned(&format!("pkgconfig(m{number})"), "=", version));
        }
        // Several packages give the same, some in versions.
        let shared = number % (self.names / 12).max(1);
        match number % 5 {
            0 => provides.push(Dependency::any(format!("virtual({shared})"))),
            1 => provides.push(versioned(&format!("virtual({shared})"), "=", &format!("{}", 1 + number % 4))),
            _ => {}
        }
        let count = [0, 1, 1, 2, 2, 3, 4, 6][self.lots.below(8)];
        for _ in 0..count {
            let dependency = self.required(number);
            relations.requires.push(Requirement { dependency, before: self.lots.percent(5) });
        }
        if self.lots.percent(3) {
            relations.conflicts.push(self.conflict(number));
        }
        if self.lots.percent(1) && number * 2 > self.names {
            relations.requires.push(Requirement { dependency: unmet(number), before: false });
        }
        if number % 211 == 3 && number > 211 {
            relations.obsoletes.push(versioned(&self::name(number - 2), "<", "9"));
            if self.lots.percent(50) {
                relations.provides.push(versioned(&self::name(number - 2), "=", "9"));
            }
        }
        if self.lots.percent(12) {
            relations.recommends.push(self.required(number));
        }
        if self.lots.percent(5) {
            relations.supplements.push(Dependency::any(self.other(number)));
        }
        if self.lots.percent(3) {
            relations.suggests.push(Dependency::any(self.other(number)));
        }
        AvailablePackage {
            files: files(number, &name),
            arch: arch.to_owned(),
            evr: Evr::parse(evr),
            relations,
            href: String::new(),
            checksum: Checksum::new("sha256", &"0".repeat(64)).unwrap(),
            size: 1000 + number as u64,
            installed_size: 5000 + number as u64,
            build_time: 1_700_000_000,
            vendor: "Made".to_owned(),
            source_package: format!("{name}-{}.src.rpm", evr.rsplit_once(':').map_or(evr, |(_, rest)| rest)),
            name,
        }
    }

    /// The name of a package that comes before, rather one of the first than one of the last, as in real repositories;
    /// now and then one that comes after, for circles.
    fn other(&mut self, number: usize) -> String {
        name(self.other_number(number))
    }

    fn other_number(&mut self, number: usize) -> usize {
        if self.lots.percent(4) {
            return self.lots.below(self.names);
        }
        let bound = if self.lots.percent(60) { number / 4 + 1 } else { number + 1 };
        self.lots.below(bound)
    }

    /// Something that a package needs.
    pub fn required(&mut self, number: usize) -> Dependency {
        let other = self.other_number(number);
        match self.lots.below(100) {
            0..30 => Dependency::any(name(other)),
            30..42 => versioned(&name(other), ">=", self.lots.text(&["1", "1.0~", "1.0", "1.0"])),
            42..45 => versioned(&name(other), "<", self.lots.text(&["4", "2:0", "4"])),
            45..60 => Dependency::any(format!("lib{}.so.1()(64bit)", other / 4 * 4)),
            60..65 => versioned(&format!("pkgconfig(m{})", other / 9 * 9), ">=", "1"),
            65..73 => Dependency::any(format!("virtual({})", other % (self.names / 12).max(1))),
            73..76 => versioned(&format!("virtual({})", other % (self.names / 12).max(1)), ">=", "2"),
            76..84 => Dependency::any(format!("/usr/bin/cmd{}", other / 6 * 6)),
            84..86 => Dependency::any(format!("/usr/share/data/d{}", other / 11 * 11)),
            86..98 => Dependency::any(self.rich(number)),
            _ => Dependency::any(name(other / 2)),
        }
    }

    fn part(&mut self, number: usize) -> String {
        let other = self.other(number);
        match self.lots.below(5) {
            0 => format!("{other} >= 1"),
            1 => format!("virtual({})", self.lots.below((self.names / 12).max(1))),
            _ => other,
        }
    }

    fn rich(&mut self, number: usize) -> String {
        let (a, b, c) = (self.part(number), self.part(number), self.part(number));
        match self.lots.below(9) {
            0 | 1 => format!("({a} or {b})"),
            2 => format!("({a} and {b})"),
            3 | 4 => format!("({a} if {b})"),
            5 => {
                if std::env::var_os("NOELSE").is_some() {
                    format!("({a} or {b} or {c})")
                } else {
                    format!("({a} if {b} else {c})")
                }
            }
            6 => {
                let other = self.other(number);
                format!("({other} >= 1 with {other} < 3)")
            }
            7 => format!("(virtual({}) without {b})", self.lots.below((self.names / 12).max(1))),
            _ => format!("(({a} and {b}) or {c})"),
        }
    }

    fn conflict(&mut self, number: usize) -> Dependency {
        let other = self.other(number);
        match self.lots.below(4) {
            0 => Dependency::any(name(number / 2 + self.lots.below(number / 2 + 1))),
            1 => Dependency::any(format!("({other} unless {})", self.other(number))),
            _ => versioned(&other, "<", self.lots.text(&["1.0", "1.2"])),
        }
    }
}

/// Something that no package gives, or not in this version.
fn unmet(number: usize) -> Dependency {
    match number % 3 {
        0 => Dependency::any(format!("nobody-has({number})")),
        1 => versioned(&name(number / 3), ">=", "99"),
        _ => Dependency::any(format!("/usr/bin/nothing{number}")),
    }
}

fn files(number: usize, name: &str) -> Vec<String> {
    let mut files = vec![format!("/usr/share/doc/{name}"), format!("/usr/share/doc/{name}/README")];
    if number.is_multiple_of(6) {
        files.push(format!("/usr/bin/cmd{number}"));
    }
    if number.is_multiple_of(11) {
        files.push(format!("/usr/share/data/d{number}"));
    }
    if number.is_multiple_of(13) {
        files.push(format!("/etc/{name}.conf"));
    }
    files
}

fn versioned(name: &str, operator: &str, version: &str) -> Dependency {
    let comparison = Comparison::read(operator.as_bytes()).unwrap();
    Dependency { name: name.to_owned(), version: Some((comparison, version.to_owned())) }
}

/// With an address and a checksum of its own.
fn finished(mut package: AvailablePackage) -> AvailablePackage {
    let evr = package.evr.to_string();
    let without_epoch = evr.split_once(':').map_or(evr.as_str(), |(_, rest)| rest);
    package.href = format!("Packages/{}-{without_epoch}.{}.rpm", package.name, package.arch);
    let digest = Digest::compute(package.href.as_bytes()).to_string();
    package.checksum = Checksum::new("sha256", &digest).unwrap();
    package
}
