//! How long macros take: reading all files of the machine's rpm, and expanding what a spec of 300 lines holds, beside one
//! run of `rpm --eval`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a bench sets up its own machine"
)]

use std::hint::black_box;
use std::process::Command;
use std::rc::Rc;

use criterion::{Criterion, criterion_group, criterion_main};
use rpmforge::files::HostPath;
use rpmforge::macros::{Configuration, Level, Limits, Macros, Origin, SystemHost, Table};

/// How specs begin.
const HEAD: &str = "%global forgeurl https://example.org/%{name}\n";

/// How those begin that compute something.
const LUA: &str = "%global major %{lua:print((rpm.expand('%{version}'):gsub('%..*', '')))}\n";

/// What stands in specs, 28 lines of it.
const LINES: &str = "\
Name: %{name}
Version: %{version}
Release: 1%{?dist}
Summary: A package%{?with_extra: with extras}
License: MIT
URL: %{forgeurl}
Source0: %{url}/archive/v%{version}/%{name}-%{version}.tar.gz
Requires: %{name}-libs%{?_isa} = %{version}-%{release}
%{?systemd_requires}
BuildRequires: gcc, make, %{!?_without_check:checkpkg}
%description
A package of version %{version} in %{_datadir}/%{name}.
%configure --disable-static --with-dir=%{_libdir}/%{name}
%make_build CFLAGS=\"%{optflags} -DX=%[1 + 2 * 3]\"
%make_install
install -D -m 644 a %{buildroot}%{_datadir}/%{name}/a
install -D -m 755 b %{buildroot}%{_bindir}/%{name}
mkdir -p %{buildroot}%{_sysconfdir}/%{name} %{buildroot}%{_localstatedir}/lib/%{name}
%{?with_extra:install -D c %{buildroot}%{_libexecdir}/%{name}/c}
%{!?with_extra:rm -f %{buildroot}%{_libexecdir}/%{name}/c}
%{_bindir}/%{name}
%{_datadir}/%{name}/
%dir %{_sysconfdir}/%{name}
%config(noreplace) %{_sysconfdir}/%{name}/%{name}.conf
%{_mandir}/man1/%{name}.1*
%{_libdir}/lib%{name}.so.%{major}{,.*}
%{_includedir}/%{name}-%{major}/
100%% of %{upper:%{name}}, %{len:%{version}} bytes
";

fn root() -> HostPath {
    std::env::var("FORGE_BENCH_ROOT").ok().and_then(HostPath::new).unwrap_or_else(HostPath::root)
}

fn host() -> Rc<SystemHost> {
    let host = SystemHost::new(std::env::vars_os(), |_| {}).unwrap();
    Rc::new(host.in_root(&root()).unwrap())
}

fn loaded() -> Macros {
    let macros = Macros::new(Table::new(), host(), Limits::default());
    macros.configure(&Configuration::default()).unwrap();
    macros
}

fn benches(criterion: &mut Criterion) {
    let table = loaded().table();
    eprintln!("{} macros, {} KiB", table.len(), table.size_bytes() / 1024);
    criterion.bench_function("load all macro files of a root", |bench| bench.iter(|| black_box(loaded())));
    let lines = LINES.repeat(11);
    for (name, text) in [
        ("expand 300 lines of a spec", [HEAD, &lines].concat()),
        ("expand 300 lines of a spec with Lua code", [HEAD, LUA, &lines].concat()),
    ] {
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                let macros = Macros::new(table.clone(), host(), Limits::default());
                for definition in
                    ["name hello", "version 2.12", "release 1", "url https://example.org", "buildroot /b"]
                {
                    macros.define(definition.as_bytes(), Level::SPEC, Origin::named("bench")).unwrap();
                }
                black_box(macros.expand(text.as_bytes()).unwrap())
            });
        });
    }
    criterion.bench_function("one run of rpm --eval", |bench| {
        bench.iter(|| Command::new("rpm").args(["--eval", "%{_libdir}"]).output().unwrap());
    });
}

criterion_group!(macros, benches);
criterion_main!(macros);
