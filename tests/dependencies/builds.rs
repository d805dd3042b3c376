//! Dependencies of whole builds, with the root's generators and without.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use miette::Diagnostic as _;
use rpmforge::engine::GeneratorProblem;

const HEAD: &str = "%global debug_package %{nil}\n%global __os_install_post %{nil}\n\
    Name: a\nVersion: 1\nRelease: 1\nSummary: A\nLicense: MIT\n%description\nA.\n\
    %install\nmkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib\n";

/// A program, a library, a script, a file of pkg-config, and metadata of a Python project.
const USUAL: &str = "echo 'int main(void) { return 0; }' >a.c\necho 'int f(void) { return 0; }' >f.c\n\
    gcc -o %{buildroot}/usr/bin/a a.c\ngcc -shared -fPIC -Wl,-soname,libf.so.1 -o %{buildroot}/usr/lib/libf.so.1 f.c\n\
    printf '#!/usr/bin/env /opt/x\\n' >%{buildroot}/usr/bin/s; chmod 755 %{buildroot}/usr/bin/s\n\
    mkdir -p %{buildroot}%{_datadir}/pkgconfig\n\
    printf 'v=1.5\nName: x\nDescription: X\nVersion: ${v}\nRequires: y >= 2, z\n' >%{buildroot}%{_datadir}/pkgconfig/x.pc\n\
    mkdir -p %{buildroot}/usr/lib/python3.11/site-packages/x-1.0.dist-info\n\
    printf 'Name: X_y\nVersion: 1.0\nRequires-Dist: z (>=2,<3)\nRequires-Dist: v; extra == \"t\"\n' \
    >%{buildroot}/usr/lib/python3.11/site-packages/x-1.0.dist-info/METADATA\n";

/// What only the programs themselves can tell.
const UNUSUAL: &str = "cp %{buildroot}/usr/lib/libf.so.1 %{buildroot}/usr/lib/libodd.so\n\
    printf '\\1' | dd of=%{buildroot}/usr/lib/libodd.so bs=1 seek=60 conv=notrunc\n\
    printf '#!/bin/sh' >%{buildroot}/usr/bin/t; chmod 755 %{buildroot}/usr/bin/t\n\
    printf 'v=1.5\nv=2\nName: w\nDescription: W\nVersion: ${v}\nRequires: y>=2\n' >%{buildroot}%{_datadir}/pkgconfig/w.pc\n\
    mkdir -p %{buildroot}/usr/lib/python3.11/site-packages\n\
    printf 'Name: w\nVersion: 1.0-1\n' >%{buildroot}/usr/lib/python3.11/site-packages/w-1.egg-info\n";

/// What all of [`USUAL`] depends on.
const ITS_LINES: [&str; 13] = [
    "libf.so.1()(64bit)",
    "libc.so.6()(64bit)",
    "rtld(GNU_HASH)",
    "/opt/x",
    "/usr/bin/env",
    "pkgconfig(x) = 1.5",
    "/usr/bin/pkg-config",
    "pkgconfig(y) >= 2",
    "pkgconfig(z)",
    "python3.11dist(x-y) = 1",
    "python3dist(x-y) = 1",
    "python(abi) = 3.11",
    "(python3.11dist(z) < 3 with python3.11dist(z) >= 2)",
];

struct Builder {
    temp: tempfile::TempDir,
}

impl Builder {
    /// With a copy of the folder that rpm has its programs in.
    fn new() -> Self {
        let builder = Self { temp: tempfile::tempdir().unwrap() };
        let copied = Command::new("cp").args(["-a", "/usr/lib/rpm"]).arg(builder.folder()).status().unwrap();
        assert!(copied.success());
        builder
    }

    /// The folder that stands for `/usr/lib/rpm`.
    fn folder(&self) -> PathBuf {
        self.temp.path().join("rpm")
    }

    /// Builds what a script of `%install` makes.
    fn try_build(&self, install: &str, defines: &[&str]) -> Output {
        self.command(install, defines).output().unwrap()
    }

    /// The command that does so.
    fn command(&self, install: &str, defines: &[&str]) -> Command {
        let top = self.temp.path();
        let _ = fs::remove_dir_all(top.join("RPMS"));
        fs::write(top.join("a.spec"), format!("{HEAD}{install}%files\n/usr\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        command.args(["rpmbuild", "-bb", "--nodeps", "-D", &format!("_topdir {}", top.display())]);
        command.args(defines.iter().flat_map(|define| ["-D", define])).arg("a.spec").current_dir(top);
        command.env("LC_ALL", "C.UTF-8");
        command
    }

    /// What the package that is built provides and requires.
    fn build(&self, install: &str, defines: &[&str]) -> String {
        self.query(&self.try_build(install, defines))
    }

    /// What the package provides and requires that a build made.
    fn query(&self, output: &Output) -> String {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = fs::read_dir(self.temp.path().join("RPMS")).unwrap().next().unwrap().unwrap().path();
        let package = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        let query = ["-qp", "--provides", "--requires"];
        let output = Command::new("rpm").args(query).arg(package).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// As `build`, with the programs of the copied folder.
    fn build_with_copies(&self, install: &str) -> String {
        self.build(install, &[&format!("_rpmconfigdir {}", self.folder().display())])
    }

    /// As `build_with_copies`, with a variable in the environment.
    fn build_with_variable(&self, install: &str, name: &str, value: &str) -> String {
        let folder = format!("_rpmconfigdir {}", self.folder().display());
        self.query(&self.command(install, &[&folder]).env(name, value).output().unwrap())
    }

    /// Nobody may run the programs that are known.
    fn forbid(&self) {
        for name in ["elfdeps", "script.req", "pkgconfigdeps.sh", "pythondistdeps.py"] {
            fs::set_permissions(self.folder().join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    /// Puts a script in the place of a program.
    fn replace(&self, name: &str, text: &str) {
        let path: &Path = &self.folder().join(name);
        fs::remove_file(path).unwrap();
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn packages_depend_on_the_same_whoever_finds_it() {
    let (builder, install) = (Builder::new(), [USUAL, UNUSUAL].concat());
    let programs = builder.build(&install, &["_forge_native_dependencies 0"]);
    for line in ITS_LINES.into_iter().chain(["/bin/sh", "python3dist(w) = 1^post1"]) {
        assert!(programs.lines().any(|found| found == line), "{line}: {programs}");
    }
    for choice in ["", "1", "elf", "script", "pkgconfig", "pythondist", "elf script"] {
        let define = format!("_forge_native_dependencies {choice}");
        let defines = [define.as_str()];
        let own = builder.build(&install, if choice.is_empty() { &[] } else { &defines });
        assert_eq!(own, programs, "{choice}");
    }
}

#[test]
fn known_programs_are_not_run() {
    let builder = Builder::new();
    let expected = builder.build_with_copies(USUAL);
    builder.forbid();
    assert_eq!(builder.build_with_copies(USUAL), expected);
    let folder = format!("_rpmconfigdir {}", builder.folder().display());
    let nothing = builder.build(USUAL, &[&folder, "_forge_native_dependencies 0"]);
    for line in ITS_LINES {
        assert!(!nothing.lines().any(|found| found == line), "{line}: {nothing}");
    }
}

#[test]
fn programs_that_nobody_knows_are_run() {
    let builder = Builder::new();
    builder.replace("elfdeps", "cat >/dev/null; echo elfdeps-was-run");
    builder.replace("script.req", "cat >/dev/null; echo script-was-run");
    builder.replace("pkgconfigdeps.sh", "cat >/dev/null; echo pkgconfig-was-run");
    builder.replace("pythondistdeps.py", "cat >/dev/null; echo pythondist-was-run");
    let found = builder.build_with_copies(USUAL);
    assert!(found.contains("elfdeps-was-run") && found.contains("script-was-run"), "{found}");
    assert!(found.contains("pkgconfig-was-run") && found.contains("pythondist-was-run"), "{found}");
    builder.replace("elfdeps", "cat >/dev/null; echo elfdeps-was-given $* | tr -d ' '");
    let define = format!("_rpmconfigdir {}", builder.folder().display());
    let found = builder.build(USUAL, &[&define, "__elf_requires_opts --soname-only"]);
    assert!(found.contains("elfdeps-was-given--requires--soname-only"), "{found}");
}

#[test]
fn what_changes_the_answers_of_pkg_config_is_left_to_it() {
    let builder = Builder::new();
    builder.forbid();
    let build = |name: &str, value: &str| builder.build_with_variable(USUAL, name, value);
    assert!(build("PKG_CONFIG_PATH", "/opt").contains("pkgconfig(x) = 1.5"), "the script sets it itself");
    for (name, value) in [("PKG_CONFIG_SYSROOT_DIR", "/opt"), ("i", "7"), ("BASH_ENV", "/dev/null")] {
        let found = build(name, value);
        assert!(found.contains("/opt/x") && !found.contains("pkgconfig("), "{name}: {found}");
    }
}

#[test]
fn what_changes_python_is_left_to_it() {
    let builder = Builder::new();
    builder.forbid();
    let build = |name: &str, value: &str| builder.build_with_variable(USUAL, name, value);
    assert!(build("PYTHONHASHSEED", "1").contains("python3.11dist(x-y) = 1"), "that is no difference");
    let found = build("PYTHONPATH", "/opt");
    assert!(found.contains("/opt/x") && !found.contains("python3.11dist("), "{found}");
}

#[test]
fn a_root_without_elfdeps_needs_none() {
    let builder = Builder::new();
    let expected = builder.build_with_copies(USUAL);
    fs::remove_file(builder.folder().join("elfdeps")).unwrap();
    assert_eq!(builder.build_with_copies(USUAL), expected);
    // Nor one that has no attributes of files.
    let output = builder.build(USUAL, &["_fileattrsdir /nonexistent", "_rpmconfigdir /nonexistent"]);
    assert!(output.lines().any(|line| line == "libf.so.1()(64bit)"), "{output}");
}

#[test]
fn a_name_of_no_generator_is_told() {
    let output = Builder::new().try_build(USUAL, &["_forge_native_dependencies elfs"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("Unknown generator in _forge_native_dependencies: elfs"), "{said}");
}

/// A spec whose attribute `mine` has a generator, which is a script of these lines, and other macros.
fn with_generator(lines: &str, macros: &str) -> String {
    format!(
        "cat >%{{_topdir}}/mine <<'END'\n#!/bin/sh\n{lines}\nEND\nchmod 755 %{{_topdir}}/mine\n\
         mkdir -p %{{buildroot}}/usr/x; touch %{{buildroot}}/usr/x/a %{{buildroot}}/usr/x/b %{{buildroot}}/usr/x/c\n\
         %global _local_file_attrs mine\n%global __mine_provides %{{_topdir}}/mine\n%global __mine_path ^/usr/x/\n{macros}\n"
    )
}

/// Writes the path and a dependency of each file that it reads.
const EACH: &str = "while read f; do echo \";$f\"; echo \"mine($(basename $f))\"; done";

#[test]
fn an_exit_code_ends_the_build_only_where_that_is_asked_for() {
    let builder = Builder::new();
    let failing = with_generator("read f; echo \"mine($(basename $f))\"; exit 3", "");
    let found = builder.build(&failing, &[]);
    assert!(found.contains("mine(a)\nmine(b)\nmine(c)\n"), "{found}");
    let output = builder.try_build(&failing, &["_forge_failed_generators_terminate_build 1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("error: /") && !output.status.success(), "{said}");
    assert!(said.contains("/mine failed with exit code 3 for /usr/x/a and 2 more"), "{said}");
}

#[test]
fn a_failure_has_its_code_and_says_what_to_do() {
    let (program, file) = ("/x/mine".into(), "/usr/x/a".into());
    let problem = GeneratorProblem::Failed { program, code: 3, file, others: 0, is_error: false };
    assert_eq!(problem.to_string(), "/x/mine failed with exit code 3 for /usr/x/a");
    assert_eq!(problem.code().unwrap().to_string(), "forge::engine::generator_failed");
    assert!(problem.help().unwrap().to_string().contains("`%_forge_failed_generators_terminate_build`"));
}

#[test]
fn a_generator_that_dies_in_the_middle_leaves_what_it_wrote() {
    let dying = with_generator(
        "read f; read f; echo \";$f\"; echo \"mine($(basename $f))\"; kill -SEGV $$",
        "%global __mine_protocol multifile",
    );
    let builder = Builder::new();
    let found = builder.build(&dying, &[]);
    assert!(found.contains("mine(b)") && !found.contains("mine(a)"), "{found}");
    let said = builder.try_build(&dying, &[]).stderr;
    assert!(String::from_utf8_lossy(&said).contains("/mine was killed by signal 11 for /usr/x/a and 2 more"));
}

#[test]
fn of_descriptions_and_types_the_types_count() {
    let both = with_generator(EACH, "%global __mine_magic ^PDF\n%global __mine_mime ^text/");
    let said = Builder::new().try_build(&both, &[]).stderr;
    let message = "warning: mine: mime and magic supplied, only mime will be used";
    assert!(String::from_utf8_lossy(&said).contains(message));
}

#[test]
fn what_is_no_dependency_or_is_out_of_order_ends_the_build() {
    let builder = Builder::new();
    let multifile = "%global __mine_protocol multifile";
    for (lines, macros, message) in [
        ("read f; echo 'mine >='", "", "error: Version required: mine >="),
        ("read f; echo \";$f\"", "", "error: Dependency tokens must begin with alpha-numeric, '_' or '/': ;"),
        (
            "sort -r | while read f; do echo \";$f\"; done",
            multifile,
            "error: invalid or out of order path from generator: ;",
        ),
        (
            "read f; echo \";$f\"; echo \";$f\"",
            multifile,
            "error: invalid or out of order path from generator: ;",
        ),
        ("echo ';/nothing'", multifile, "error: invalid or out of order path from generator: ;/nothing"),
        (EACH, "%global __mine_protocol some", "error: Unknown dependency generator protocol: some"),
    ] {
        let output = builder.try_build(&with_generator(lines, macros), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(message), "{message}: {said}");
    }
}
