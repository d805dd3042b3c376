//! Packages that say much of themselves, as those of distributions do: for metadata.

use rpmforge::package::{Tag, Value};

use super::made_package::{MadePackage, file, package};

/// A package with all that metadata tell of; `version` is that of what it provides, and of its content.
pub fn telling_package(name: &str, version: &str) -> MadePackage {
    let files = (0..10).map(|number| {
        let path = match number {
            0 => format!("/usr/bin/{name}"),
            1 => format!("/etc/{name}.conf"),
            number => format!("/usr/share/{name}/data/{number:02}-of-{name}.txt"),
        };
        file(&path, format!("{name} {version} {number}\n"))
    });
    let mut made = package(name, files);
    let text = |text: &str| Value::Text(text.into());
    let texts = |all: &[&str]| Value::Texts(all.iter().map(|text| (*text).into()).collect());
    let numbers = |all: &[u64]| Value::Numbers(all.to_vec());
    let soname = format!("lib{name}.so.1()(64bit)");
    let history: Vec<String> =
        (0..5).map(|entry| format!("- Change {entry} of {name} for {version}")).collect();
    let history: Vec<&str> = history.iter().map(String::as_str).collect();
    made.tags = vec![
        (Tag::VERSION, text(version)),
        (Tag::SUMMARY, Value::Localized(vec![format!("A program that is called {name}").into()])),
        (
            Tag::DESCRIPTION,
            Value::Localized(vec![
                format!("{name} does one thing & does it well.\nThis is <version> {version} of it, made for tests.").into(),
            ]),
        ),
        (Tag::LICENSE, text("MIT AND (Apache-2.0 OR BSD-3-Clause)")),
        (Tag::URL, text(&format!("https://example.org/{name}?a=1&b=2"))),
        (Tag::VENDOR, text("Acme")),
        (Tag::GROUP, Value::Localized(vec!["Unspecified".into()])),
        (Tag::BUILD_HOST, text("builder.example.org")),
        (Tag::BUILD_TIME, numbers(&[1_700_000_000])),
        (Tag::SIZE, numbers(&[12_345])),
        (Tag::SOURCE_RPM, text(&format!("{name}-{version}-1.src.rpm"))),
        (Tag::PROVIDENAME, texts(&[name, &soname, &format!("{name}(x86-64)")])),
        (Tag::PROVIDEFLAGS, numbers(&[8, 0, 8])),
        (Tag::PROVIDEVERSION, texts(&[&format!("{version}-1"), "", &format!("{version}-1")])),
        (
            Tag::REQUIRENAME,
            texts(&["/bin/sh", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)", "one", "(two or three)", &soname]),
        ),
        (Tag::REQUIREFLAGS, numbers(&[1 << 10, 0, 0, 12, 0, 0])),
        (Tag::REQUIREVERSION, texts(&["", "", "", "1:2.0-3", "", ""])),
        (Tag::CHANGELOG_TIME, numbers(&[1_600_400_000, 1_600_300_000, 1_600_200_000, 1_600_100_000, 1_600_000_000])),
        (Tag::CHANGELOG_NAME, texts(&["A B <a@b.example> - 1"; 5])),
        (Tag::CHANGELOG_TEXT, texts(&history)),
    ];
    made
}
