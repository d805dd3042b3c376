//! Debug information taken out of programs here: what debuggers find of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rpmforge::engine::find_debuginfo;

use super::support::Project;

/// A folder that programs were built in, and a buildroot with them.
struct Built {
    temp: tempfile::TempDir,
    /// Where the programs were built, below it.
    folder: &'static str,
}

const SUFFIX: &str = "-1-1.x86_64";

impl Built {
    fn new() -> Self {
        Self::at("build/folder")
    }

    fn at(folder: &'static str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let built = Self { temp, folder };
        fs::create_dir_all(built.folder().join("src/inner")).unwrap();
        fs::create_dir_all(built.root().join("usr/bin")).unwrap();
        let write = |name: &str, text: &str| fs::write(built.folder().join(name), text).unwrap();
        write("src/inner/h.h", "static int twice(int a) { return 2 * a; }\n");
        // A function that is called as the folder of the build: their strings may be one.
        write(
            "src/a.c",
            "#include \"inner/h.h\"\nstatic int folder(int a) { return a + 1; }\nint main(int c, char **v) { return folder(twice(c)) != 3; }\n",
        );
        write("src/b.s", ".globl other\n.text\nother: ret\n");
        built
    }

    fn folder(&self) -> PathBuf {
        self.temp.path().join(self.folder)
    }

    fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    fn program(&self, name: &str) -> PathBuf {
        self.root().join("usr/bin").join(name)
    }

    fn debug(&self, name: &str) -> PathBuf {
        self.root().join(format!("usr/lib/debug/usr/bin/{name}{SUFFIX}.debug"))
    }

    fn compile(&self, name: &str, flags: &[&str]) {
        let mut command = Command::new("gcc");
        command
            .current_dir(self.folder())
            .args(["-O1", "-g", "-Wl,--build-id=sha1", "-o"])
            .arg(self.program(name));
        command.args(flags).arg(self.folder().join("src/a.c")).arg("src/b.s");
        assert!(command.status().unwrap().success(), "{flags:?}");
    }

    /// What find-debuginfo is told.
    fn words(&self, options: &[&str]) -> Vec<OsString> {
        let usual = [
            "--unique-debug-suffix",
            SUFFIX,
            "--unique-debug-src-base",
            "a-1-1.x86_64",
            "-S",
            "sources.list",
            "-j2",
        ];
        let mut words: Vec<OsString> = usual.iter().chain(options).map(OsString::from).collect();
        words.push(self.folder().into());
        words
    }

    fn environment(&self, root: &Path) -> [(OsString, OsString); 7] {
        let environment = [
            ("RPM_BUILD_ROOT", root.as_os_str().to_owned()),
            ("RPM_BUILD_DIR", self.temp.path().join("build").into_os_string()),
            ("RPM_PACKAGE_NAME", "a".into()),
            ("RPM_PACKAGE_VERSION", "1".into()),
            ("RPM_PACKAGE_RELEASE", "1".into()),
            ("RPM_ARCH", "x86_64".into()),
            ("PATH", "/usr/bin:/bin".into()),
        ];
        environment.map(|(name, value)| (name.into(), value))
    }

    /// Splits all that is there; gives the exit code.
    fn split(&self, options: &[&str]) -> i32 {
        find_debuginfo(&self.words(options), self.environment(&self.root()))
    }

    fn list(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.folder().join(name)).unwrap().lines().map(str::to_owned).collect()
    }
}

fn readelf(options: &[&str], file: &Path) -> String {
    let output = Command::new("readelf").args(options).arg(file).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn sections(file: &Path) -> BTreeSet<String> {
    let text = readelf(&["-SW"], file);
    let names = text.lines().filter_map(|line| line.split_once("] ")?.1.split_whitespace().next());
    names.filter(|name| name.starts_with('.')).map(str::to_owned).collect()
}

fn build_id(file: &Path) -> String {
    let text = readelf(&["-n"], file);
    text.lines().find_map(|line| line.split_once("Build ID: ")).unwrap().1.to_owned()
}

fn contains(file: &Path, text: &str) -> bool {
    fs::read(file).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

/// A program per version of the format, and per way to pack it.
const KINDS: [(&str, &[&str]); 7] = [
    ("v2", &["-gdwarf-2"]),
    ("v3", &["-gdwarf-3"]),
    ("v4", &["-gdwarf-4"]),
    ("v5", &["-gdwarf-5"]),
    ("types", &["-gdwarf-4", "-fdebug-types-section"]),
    ("macros", &["-gdwarf-5", "-g3"]),
    ("packed", &["-gdwarf-5", "-gz=zlib"]),
];

#[test]
fn debuggers_find_what_was_taken_out_of_programs_of_all_kinds() {
    let built = Built::new();
    for (name, flags) in KINDS {
        built.compile(name, flags);
    }
    let before: Vec<String> = KINDS.iter().map(|(name, _)| build_id(&built.program(name))).collect();
    assert_eq!(built.split(&["--strict-build-id", "--build-id-seed", "1-1"]), 0);
    let sources = "/usr/src/debug/a-1-1.x86_64";
    for ((name, _), before) in KINDS.iter().zip(before) {
        let (program, debug) = (built.program(name), built.debug(name));
        assert!(Command::new(&program).status().unwrap().success(), "{name} runs no more");
        let (in_program, in_debug) = (sections(&program), sections(&debug));
        let is_debug = |section: &String| section.starts_with(".debug") || section == ".symtab";
        assert!(
            !in_program.iter().any(is_debug) && in_program.contains(".gnu_debuglink"),
            "{name}: {in_program:?}"
        );
        for section in [".debug_info", ".debug_line", ".symtab", ".strtab", ".text"] {
            assert!(in_debug.contains(section), "{name}: {section} in {in_debug:?}");
        }
        assert_eq!(build_id(&program), build_id(&debug), "{name}");
        assert_ne!(build_id(&program), before, "{name}");
        // What readelf shows of the link: the name of the file, and its sum.
        let link = readelf(&["--string-dump=.gnu_debuglink"], &program);
        assert!(link.contains(&format!("{name}{SUFFIX}.debug")), "{link}");
        let mut sum = flate2::Crc::new();
        sum.update(&fs::read(&debug).unwrap());
        let sum = sum.sum().to_le_bytes();
        assert!(fs::read(&program).unwrap().windows(4).any(|window| window == sum), "{name}");
        // All paths are those of sources, in units and in line tables, and nothing is left of where the build was.
        let units = readelf(&["--debug-dump=info"], &debug);
        let folders: BTreeSet<&str> = units
            .lines()
            .filter(|line| line.contains("DW_AT_comp_dir"))
            .map(|line| line.rsplit(": ").next().unwrap().trim())
            .collect();
        assert_eq!(folders, BTreeSet::from([sources]), "{name}");
        assert!(
            units.contains("): folder\n") || units.contains(": folder\n"),
            "{name} has lost a name: {units}"
        );
        assert!(readelf(&["--debug-dump=line"], &debug).contains(&format!("{sources}/src")), "{name}");
        if *name != "packed" {
            assert!(!contains(&debug, &built.folder().to_string_lossy()), "{name}");
        }
        assert!(!contains(&program, &built.folder().to_string_lossy()), "{name}");
    }
    let copied =
        |name: &str| fs::read(built.root().join("usr/src/debug/a-1-1.x86_64/src").join(name)).unwrap();
    for name in ["a.c", "b.s", "inner/h.h"] {
        assert_eq!(copied(name), fs::read(built.folder().join("src").join(name)).unwrap());
    }
    assert_eq!(built.list("sources.list"), [sources]);
    let list = built.list("debugfiles.list");
    assert_eq!(list[0], "%dir /usr/lib/debug");
    assert!(list.contains(&format!("/usr/lib/debug/usr/bin/v5{SUFFIX}.debug")), "{list:?}");
    assert_eq!(list.len(), 3 + KINDS.len());
}

#[test]
fn the_same_comes_out_wherever_the_build_was() {
    let split = |folder| {
        let built = Built::at(folder);
        // What linkers make longer than 16 bytes keeps its end.
        built.compile("v5", &["-gdwarf-5", "-Wl,--build-id=md5"]);
        built.compile("v4", &["-gdwarf-4", "-Wl,--build-id=md5"]);
        assert_eq!(built.split(&["--build-id-seed", "1"]), 0);
        ["v5", "v4"]
            .map(|name| (fs::read(built.program(name)).unwrap(), fs::read(built.debug(name)).unwrap()))
    };
    assert!(split("build/folder") == split("other/folder"));
}

#[test]
fn whole_build_ids_say_nothing_of_the_folder() {
    let split = |folder, options: &[&str]| {
        let built = Built::at(folder);
        built.compile("a", &[]);
        assert_eq!(built.split(&[&["-m", "--build-id-seed", "1"], options].concat()), 0);
        (build_id(&built.program("a")), fs::read(built.program("a")).unwrap())
    };
    let whole = ["--whole-build-ids"];
    let (id, program) = split("build/folder", &whole);
    assert!(split("another/longer-folder", &whole) == (id.clone(), program));
    let [here, there] = ["build/folder", "other/folder"].map(|folder| split(folder, &[]).0);
    assert_eq!(id.len(), 40);
    assert_ne!(here, there, "as debugedit's");
}

#[test]
fn names_of_one_program_share_its_debug_information_and_build_ids_may_stay() {
    let built = Built::new();
    built.compile("one", &[]);
    fs::hard_link(built.program("one"), built.program("two")).unwrap();
    std::os::unix::fs::symlink("one", built.program("link")).unwrap();
    fs::write(built.program("text"), "#!/bin/sh\n").unwrap();
    let before = build_id(&built.program("one"));
    assert_eq!(built.split(&["-n", "-m"]), 0);
    assert_eq!(build_id(&built.program("one")), before);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&built.program("one")), inode(&built.program("two")));
    assert_eq!(inode(&built.debug("one")), inode(&built.debug("two")));
    assert!(sections(&built.program("two")).contains(".gnu_debugdata"));
    assert_eq!(built.split(&["-n"]), 0, "what was split is left alone");
    assert_eq!(built.split(&["-n", "--build-id-seed", "1"]), 2);
}

#[test]
fn symbols_stay_where_that_is_asked_for() {
    let built = Built::new();
    built.compile("a", &[]);
    assert_eq!(built.split(&["-g", "--keep-section", ".comment"]), 0);
    let left = sections(&built.program("a"));
    assert!(
        left.contains(".symtab") && left.contains(".comment") && !left.contains(".debug_info"),
        "{left:?}"
    );
    assert!(readelf(&["-sW"], &built.program("a")).contains(" main\n"));
    let text = readelf(&["-SW"], &built.debug("a"));
    assert!(text.lines().any(|line| line.contains(" .symtab ") && line.contains(" NOBITS ")), "{text}");
}

#[test]
fn a_program_without_a_build_id_ends_a_strict_run() {
    let built = Built::new();
    built.compile("a", &["-Wl,--build-id=none"]);
    assert_eq!(built.split(&["--strict-build-id"]), 2);
    assert_eq!(built.split(&[]), 0);
}

/// All that is below a folder.
fn paths(folder: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut open) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(place) = open.pop() {
        for path in fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()) {
            found.insert(path.strip_prefix(folder).unwrap().to_owned());
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    found
}

/// More kinds of programs: how they are linked makes a difference for where everything is in a file.
const LINKED: [(&str, &[&str]); 10] = [
    ("fixed", &["-no-pie"]),
    ("dynamic", &["-rdynamic", "-DOWN_FOR_EACH_THREAD"]),
    ("one-segment", &["-Wl,-z,noseparate-code"]),
    ("bound", &["-Wl,-z,now,-z,relro"]),
    ("writable", &["-Wl,-z,norelro"]),
    ("old-hash", &["-Wl,--hash-style=sysv"]),
    ("large-pages", &["-Wl,-z,max-page-size=0x10000"]),
    ("no-index", &["-Wl,--no-eh-frame-hdr", "-DOWN_FOR_EACH_THREAD"]),
    ("lib.so", &["-shared", "-fPIC", "-DOWN_FOR_EACH_THREAD"]),
    ("hidden.so", &["-shared", "-fPIC", "-fvisibility=hidden"]),
];

const MANY_KINDS_OF_DATA: &str = "static int zero[3000]; int one = 1; const int list[9] = {1, 2};\n\
    #ifdef OWN_FOR_EACH_THREAD\nstatic __thread int own = 3; static __thread int later;\n#else\nstatic int own, later;\n#endif\n\
    static int a_function_with_a_name_of_some_length(int a) { return a * own + zero[a]; }\n\
    static int length(int a) { return a + later; }\n\
    int another_function_with_a_longer_name(int a) { return length(a) + a_function_with_a_name_of_some_length(a); }\n\
    int other(void); int ice(int a) { return list[a] + one; }\n\
    int main(int a, char **b) { return ice(a) + another_function_with_a_longer_name(a) + other(); }\n";

/// The symbols for backtraces that a program has, and the sections that they are in.
fn backtrace_symbols(file: &Path) -> String {
    let packed = file.with_extension("packed");
    let section = ".gnu_debugdata";
    let mut command = Command::new("objcopy");
    command.args(["-O", "binary", "--only-section", section, "--set-section-flags", ".gnu_debugdata=alloc"]);
    assert!(command.arg(file).arg(&packed).status().unwrap().success());
    let unpacked = Command::new("xz").arg("-dc").arg(&packed).output().unwrap().stdout;
    fs::write(&packed, &unpacked).unwrap();
    let sections = readelf(&["-SW"], &packed);
    // Where they are is another place with each version of binutils.
    let sections = sections.lines().filter_map(|line| line.split_once("] ")).map(|(_, line)| {
        let words = line.split_whitespace().enumerate().filter(|(at, _)| *at != 3);
        words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
    });
    let text = sections.collect::<Vec<_>>().join("\n") + &readelf(&["-sW"], &packed);
    fs::remove_file(&packed).unwrap();
    text
}

/// A buildroot with programs of all kinds, and the same once find-debuginfo(1) has worked on it.
fn split_by_find_debuginfo(options: &[&str]) -> (Built, PathBuf) {
    let built = Built::new();
    // debugedit packs sections again in its own way, and leaves folders of units of types as they are.
    for (name, flags) in KINDS.iter().filter(|(name, _)| !["packed", "types"].contains(name)) {
        built.compile(name, flags);
    }
    fs::write(built.folder().join("src/a.c"), MANY_KINDS_OF_DATA).unwrap();
    LINKED.iter().for_each(|(name, flags)| built.compile(name, flags));
    fs::hard_link(built.program("v4"), built.program("other")).unwrap();
    let theirs = built.temp.path().join("theirs");
    assert!(Command::new("cp").arg("-a").arg(built.root()).arg(&theirs).status().unwrap().success());
    let mut command = Command::new("/usr/bin/find-debuginfo");
    command.args(built.words(options)).envs(built.environment(&theirs)).env("LC_ALL", "C");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (built, theirs)
}

/// Build-ids stay: what they are made of has changed from one version of debugedit to the next.
#[test]
fn what_find_debuginfo_makes_is_the_same_to_the_byte() {
    let (built, theirs) = split_by_find_debuginfo(&["--strict-build-id", "-n"]);
    let lists = ["debugfiles.list", "sources.list"];
    let sorted = |name: &str| built.list(name).into_iter().collect::<BTreeSet<_>>();
    let their_lists = lists.map(sorted);
    assert_eq!(built.split(&["--strict-build-id", "-n"]), 0);
    assert_eq!(lists.map(sorted), their_lists);
    assert_eq!(paths(&built.root()), paths(&theirs));
    let files = paths(&theirs).into_iter().filter(|path| theirs.join(path).is_file());
    let differing: Vec<PathBuf> = files
        .filter(|path| fs::read(built.root().join(path)).unwrap() != fs::read(theirs.join(path)).unwrap())
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn symbols_for_backtraces_are_those_that_find_debuginfo_leaves() {
    let (built, theirs) = split_by_find_debuginfo(&["-n", "-m"]);
    assert_eq!(built.split(&["-n", "-m"]), 0);
    assert_eq!(paths(&built.root()), paths(&theirs));
    let names = |file: &Path| {
        let text = readelf(&["-SW"], file);
        let names = text.lines().filter_map(|line| line.split_once("] ")?.1.split_whitespace().next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    for name in
        KINDS.iter().chain(&LINKED).map(|(name, _)| name).filter(|name| !["packed", "types"].contains(name))
    {
        let [own, their] = [built.root(), theirs.clone()].map(|root| root.join("usr/bin").join(name));
        assert_eq!(names(&own), names(&their), "{name}");
        let (own, their) = (backtrace_symbols(&own), backtrace_symbols(&their));
        assert_eq!(own, their, "{name}");
        assert!(own.contains(" FUNC ") && !own.contains(" OBJECT "), "{name}: {own}");
        let debug =
            |root: &Path| fs::read(root.join(format!("usr/lib/debug/usr/bin/{name}{SUFFIX}.debug"))).unwrap();
        assert!(debug(&built.root()) == debug(&theirs), "{name}");
    }
}

/// Whatever is changed in a file, it is split or left as it is.
#[test]
fn damaged_programs_do_no_harm() {
    let built = Built::new();
    built.compile("v4", &["-gdwarf-4", "-fdebug-types-section", "-g3"]);
    built.compile("v5", &["-gdwarf-5"]);
    let originals = ["v4", "v5"].map(|name| fs::read(built.program(name)).unwrap());
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..60 {
        for (name, original) in ["v4", "v5"].iter().zip(&originals) {
            let mut bytes = original.clone();
            // The tables at both ends, or anything.
            for _ in 0..=random(8) {
                let at = match random(3) {
                    0 => random(0x400),
                    1 => bytes.len() - 1 - random(0xa00),
                    _ => random(bytes.len()),
                };
                bytes[at] = [0, 0xff, 0x7f, 0x80][random(4)];
            }
            bytes.truncate(if random(10) == 0 { random(bytes.len()) } else { bytes.len() });
            fs::write(built.program(name), &bytes).unwrap();
        }
        let _ = fs::remove_dir_all(built.root().join("usr/lib"));
        assert_eq!(built.split(&["-m", "--build-id-seed", "1"]), 0);
    }
}

const SPEC: &str = "%global _forge_native_debuginfo 1\n%global _debuginfo_subpackages 1\n%global _debugsource_packages 1\n\
    %global _build_id_links compat\n%global __os_install_post %{nil}\n%global debug_package %{nil}\n\
    Name: a\nVersion: 1\nRelease: 1\nSummary: A\nLicense: MIT\n%description\nA.\n\
    %package two\nSummary: Two\n%description two\nTwo.\n\
    %global __debug_package 1\n%_debuginfo_template\n%_debugsource_template\n\
    %prep\n%setup -q -c -T\n%install\nmkdir -p %{buildroot}/usr/bin\n\
    echo 'int main(void) { return 0; }' >a.c\n\
    for name in a b; do gcc -g -O$(test $name = a; echo $?) -Wl,--build-id=sha1 -o %{buildroot}/usr/bin/$name a.c; done\n\
    %files\n/usr/bin/a\n%files two\n/usr/bin/b\n";

#[test]
fn packages_of_debug_information_are_made_without_the_roots_program() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.write("a.spec", SPEC);
    project.succeed(&["apply"]);
    let log = project.succeed(&["log", "a"]).stdout;
    assert!(log.contains(" find-debuginfo "), "{log}");
    let mut names = BTreeSet::new();
    let mut open = vec![project.path().join("public/host")];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with("x86_64.rpm") {
                names.insert(name);
            }
        }
    }
    let expected = ["a-1-1", "a-debuginfo-1-1", "a-debugsource-1-1", "a-two-1-1", "a-two-debuginfo-1-1"];
    assert_eq!(names, expected.map(|name| format!("{name}.x86_64.rpm")).into());
}
