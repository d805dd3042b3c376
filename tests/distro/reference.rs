//! Roots that dnf installs from it are whole, and work.

use super::installed_root::InstalledRoot;

const HELLO: &str = "cat > hello.c <<'END'\n#include <stdio.h>\nint main(void) { puts(\"from C\"); return 0; }\nEND\n\
    printf '#include <iostream>\\nint main() { std::cout << \"from C++\\\\n\"; }' > hello.cc\n";

const SPEC: &str = "cat > one.spec <<'END'\nName: one\nVersion: 1\nRelease: 1%{?dist}\nSummary: A file\nLicense: MIT\n\
    BuildRequires: gcc make pkgconfig(zlib) zlib-devel >= 1.2\n%description\nA file.\n\
    %prep\n%setup -q -c -T\n%build\necho 'int main(void) { return 0; }' > one.c\ngcc -O2 -g -o one one.c\n%install\ninstall -D one %{buildroot}/usr/bin/one\n\
    %files\n/usr/bin/one\nEND\n";

#[test]
fn a_build_root_compiles_runs_and_packages() {
    let root = InstalledRoot::install(&["@buildsys-build", "git", "perl", "python3", "zlib1g-dev"]);
    assert!(!root.said.contains("error:") && !root.said.contains("Error"), "{}", root.said);
    let compiled = root.run(&format!("{HELLO}cc -o c hello.c; ./c; c++ -o cc hello.cc; ./cc"));
    assert_eq!(compiled, "from C\nfrom C++\n");
    let ran = root.run(
        "python3 -c 'import json, sqlite3, ssl; print(\"from Python\")'; perl -MPOSIX -e 'print \"from Perl\\n\"'; \
         awk 'BEGIN { print \"from awk\" }'; which which; git --version | cut -d' ' -f1,2",
    );
    assert_eq!(ran, "from Python\nfrom Perl\nfrom awk\n/usr/bin/which\ngit version\n");
    let listed = root.run("rpm -qa --qf '%{name}\\n'");
    for name in ["basesystem", "filesystem", "gcc", "libc6", "rpm", "setup", "update-alternatives"] {
        assert!(listed.lines().any(|line| line == name), "{name} is not among {listed}");
    }
    assert!(!listed.contains("mawk"), "one awk is enough: {listed}");
    let built = root.run(&format!(
        "{SPEC}rpmbuild -ba one.spec >log 2>&1 || {{ cat log; exit 1; }}\n\
         rpm -qp --qf '%{{nvra}} %{{rpmversion}}\\n' /root/rpmbuild/RPMS/x86_64/*.rpm; \
         rpm -i /root/rpmbuild/RPMS/x86_64/one-1-*.rpm; one && rpm -V one"
    ));
    assert_eq!(built, "one-1-1.deb13.x86_64 4.20.1\none-debuginfo-1-1.deb13.x86_64 4.20.1\n");
}

#[test]
fn all_packages_fit_together() {
    let root = InstalledRoot::install(&["*"]);
    assert!(!root.said.contains("error:") && !root.said.contains("Error"), "{}", root.said);
    // Users and groups came with packages; nothing else is other than as it was packaged.
    let changed = root.run("rpm -Va || true");
    let is_account = |line: &str| {
        line.contains("  c /etc/") && ["passwd", "shadow", "group"].iter().any(|end| line.ends_with(end))
    };
    assert!(changed.lines().all(is_account), "{changed}");
    // The fonts of rdoc's pages are in a package that no build needs.
    let broken = root.run(
        "rpm -Va --nofiles || true; \
         find /usr/bin /usr/sbin /usr/lib -xtype l -not -path '*/ssl/*' -not -path '*/darkfish/fonts/*'",
    );
    assert_eq!(broken, "");
    let owned = root.run("stat -c '%a %U:%G %n' /usr/bin/ssh-agent /usr/bin/chage /usr/bin/passwd /var/lib/libuuid /var/mail /tmp");
    let expected = "2755 root:_ssh /usr/bin/ssh-agent\n2755 root:shadow /usr/bin/chage\n4755 root:root /usr/bin/passwd\n\
        2775 uuidd:uuidd /var/lib/libuuid\n2775 root:mail /var/mail\n1777 root:root /tmp\n";
    assert_eq!(owned, expected);
    let capable = root
        .run("getcap /usr/bin/ping; [ /usr/bin/perl -ef /usr/bin/perl5.40.1 ] && stat -c %h /usr/bin/perl");
    assert_eq!(capable, "/usr/bin/ping cap_net_raw=ep\n2\n");
    let libraries = root.run("ldconfig -p | grep -c x86-64");
    assert!(libraries.trim().parse::<u32>().unwrap() > 150, "{libraries}");
}

#[test]
fn alternatives_follow_what_is_removed() {
    let root = InstalledRoot::install(&["coreutils", "gawk", "mawk", "rpm"]);
    let followed =
        root.run("readlink -f /usr/bin/awk; rpm -e gawk; readlink -f /usr/bin/awk; mawk 'BEGIN { print 1 }'");
    assert_eq!(
        followed,
        "/usr/bin/gawk\nupdate-alternatives: using /usr/bin/mawk to provide /usr/bin/awk (awk) in auto mode\n/usr/bin/mawk\n1\n"
    );
}
