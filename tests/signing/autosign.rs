//! Packages that are signed as they are built (`%_openpgp_autosign_id`): what rpm says of them, and how an rpmbuild that does so,
//! which is that of rpm 6 and later, writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::site::{check_with_rpm, run};

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n%description\nd\n\
                    %package two\nSummary: s\n%description two\nd\n%files\n%files two\n";

const FORGE: &str = env!("CARGO_BIN_EXE_forge");

/// A folder to build in, whose user has keys.
struct Bench {
    temp: tempfile::TempDir,
}

/// An entry of a signature header: tag, type, how many.
type SignatureEntry = (u32, u32, u32);

/// What came of a build.
struct Built {
    output: Output,
    packages: BTreeMap<String, PathBuf>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { temp: tempfile::tempdir().unwrap() };
        for folder in ["home", "tmp"] {
            fs::create_dir(bench.path(folder)).unwrap();
        }
        fs::write(bench.path("a.spec"), SPEC).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.temp.path()).env_clear().env("HOME", self.path("home"));
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C.UTF-8");
        // Below the home of a user the agent would be one for all.
        command.env("GNUPGHOME", self.path("gnupg"));
        command
    }

    /// Makes a key that gpg keeps in a folder; gives its public part.
    fn gpg_key(&self, home: &str, name: &str, kind: &str) -> PathBuf {
        let (home, public) = (self.path(home), self.path(&format!("{name}.asc")));
        if !home.exists() {
            fs::create_dir(&home).unwrap();
            fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }
        let user = format!("{name} <{name}@example.org>");
        for arguments in [
            vec!["--passphrase", "", "--quick-gen-key", &user, kind, "sign", "0"],
            vec!["--armor", "--output", public.to_str().unwrap(), "--export", &user],
        ] {
            let mut gpg = self.command("gpg");
            let (good, said) = run(gpg.arg("--homedir").arg(&home).args(["--batch"]).args(arguments));
            assert!(good, "{said}");
        }
        public
    }

    /// Makes a key that forge keeps; gives its public part.
    fn forge_key(&self, name: &str, kind: &str) -> PathBuf {
        let public = self.path(&format!("{name}.asc"));
        for arguments in [
            &["keys", "new", name, "--user", "a <a@example.org>", "--kind", kind, "--no-passphrase"][..],
            &["keys", "export", name, "--output", public.to_str().unwrap()],
        ] {
            let (good, said) = run(self.command(FORGE).args(arguments));
            assert!(good, "{said}");
        }
        public
    }

    fn build(&self, rpmbuild: &[&str], definitions: &[&str]) -> Built {
        for folder in ["BUILD", "BUILDROOT", "RPMS", "SRPMS"] {
            let _ = fs::remove_dir_all(self.path(folder));
        }
        let mut command = self.command(rpmbuild[0]);
        command.args(&rpmbuild[1..]).args(["-ba", "--nodeps", "a.spec"]);
        let folder = self.temp.path().display();
        let folders = [format!("_topdir {folder}"), format!("_tmppath {folder}/tmp")];
        // Debian's rpm looks for gpg2.
        let usual = ["_buildhost builder", "_smp_ncpus_max 1", "_rpmformat 4", "__gpg /usr/bin/gpg"];
        for definition in folders.iter().map(String::as_str).chain(usual).chain(definitions.iter().copied()) {
            command.args(["-D", definition]);
        }
        let output = command.output().unwrap();
        let folders = ["RPMS/noarch", "SRPMS"].map(|folder| fs::read_dir(self.path(folder)));
        let files = folders.into_iter().flatten().flatten().map(|file| file.unwrap());
        let packages = files.map(|file| (file.file_name().into_string().unwrap(), file.path())).collect();
        Built { output, packages }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for home in ["gnupg", "keys"].map(|home| self.path(home)).into_iter().filter(|home| home.exists()) {
            let _ = Command::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "gpg-agent"]).status();
        }
    }
}

impl Built {
    /// The packages; fails with what was said where there are not three.
    fn packages(&self) -> &BTreeMap<String, PathBuf> {
        assert!(self.output.status.success(), "{}", String::from_utf8_lossy(&self.output.stderr));
        assert_eq!(self.packages.len(), 3);
        &self.packages
    }

    fn signatures(&self) -> Vec<Vec<SignatureEntry>> {
        self.packages().values().map(|path| signature_entries(path)).collect()
    }

    /// What it says is wrong.
    fn errors(&self, bench: &Bench) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.output.stderr).into_owned();
        let text = text.replace(bench.temp.path().to_str().unwrap(), "TOP");
        text.lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
    }
}

/// The entries of a package's signature header, whose region comes first.
fn signature_entries(package: &Path) -> Vec<SignatureEntry> {
    let bytes = fs::read(package).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let count = number(96 + 8) as usize;
    let entry = |index: usize| 96 + 16 + 16 * index;
    (1..count).map(entry).map(|at| (number(at), number(at + 4), number(at + 12))).collect()
}

/// Tags and types alone, and how many bytes are kept free beside signatures that are bytes: a number in a signature may be shorter.
fn shape(entries: &[SignatureEntry]) -> (Vec<(u32, u32)>, u32) {
    let is_bytes = |tag: u32| matches!(tag, 267 | 268 | 1008);
    let sum = entries.iter().filter(|(tag, ..)| is_bytes(*tag)).map(|(_, _, count)| count).sum();
    (entries.iter().map(|(tag, kind, _)| (*tag, *kind)).collect(), sum)
}

/// Whether the rpmbuild of this machine signs packages.
fn signs_itself() -> bool {
    let (_, said) = run(Command::new("rpmbuild").arg("--version"));
    let number = said.split_whitespace().find_map(|word| word.split_once('.')).unwrap().0.to_owned();
    number.parse::<u32>().unwrap() >= 6
}

#[test]
fn packages_of_both_formats_are_signed_as_rpmbuild_signs_them() {
    let bench = Bench::new();
    let kinds = [("rsa", "rsa2048", 268), ("ed", "ed25519", 267), ("ec", "nistp256", 267)];
    // Older rpms know no ECDSA.
    let kinds = &kinds[..if signs_itself() { 3 } else { 2 }];
    let keys: Vec<PathBuf> = kinds.iter().map(|(name, kind, _)| bench.gpg_key("gnupg", name, kind)).collect();
    for (format, (name, _, place)) in
        [4, 6].into_iter().flat_map(|format| kinds.iter().map(move |kind| (format, kind)))
    {
        let definitions =
            [format!("_rpmformat {format}"), format!("_openpgp_autosign_id {name}@example.org")];
        let definitions = definitions.each_ref().map(String::as_str);
        let built = bench.build(&[FORGE, "rpmbuild"], &definitions);
        let place = if format == 6 { (278, 8) } else { (*place, 7) };
        for path in built.packages().values() {
            let signatures = signature_entries(path);
            let found = signatures.iter().filter(|(tag, ..)| matches!(tag, 267 | 268 | 278));
            let found: Vec<(u32, u32)> = found.map(|(tag, kind, _)| (*tag, *kind)).collect();
            assert_eq!(found, [place], "{name} in format {format}");
            let (good, said) = check_with_rpm(&bench.path("db"), &keys, path);
            let sees_it = format == 4 || signs_itself();
            assert!(good && !said.contains("NOKEY"), "{said}");
            assert_eq!(
                said.lines().any(|line| line.contains("ignature") && line.contains("OK")),
                sees_it,
                "{said}"
            );
            let key = [
                "--key",
                keys.iter().find(|key| key.ends_with(format!("{name}.asc"))).unwrap().to_str().unwrap(),
            ];
            let (good, said) = run(bench.command(FORGE).arg("verify-signatures").args(key).arg(path));
            assert!(good && said.contains("signed by"), "{said}");
        }
        if signs_itself() {
            let (ours, names) = (built.signatures(), built.packages.into_keys().collect::<Vec<_>>());
            let theirs = bench.build(&["rpmbuild"], &definitions);
            let shapes = |of: &[Vec<SignatureEntry>]| of.iter().map(|one| shape(one)).collect::<Vec<_>>();
            assert_eq!(shapes(&ours), shapes(&theirs.signatures()), "{name} in format {format}");
            assert_eq!(names, theirs.packages.into_keys().collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_room_for_signatures_is_used_where_it_suffices_and_stays_where_it_does_not() {
    let bench = Bench::new();
    bench.gpg_key("gnupg", "rsa", "rsa2048");
    let sign = "_openpgp_autosign_id rsa@example.org";
    for (room, format, left) in
        [("0", "4", 32), ("100", "4", 132), ("0", "6", 32), ("100", "6", 132), ("9000", "6", 8579)]
    {
        let definitions = [sign, &format!("__gpg_reserved_space {room}"), &format!("_rpmformat {format}")]
            .map(str::to_owned);
        let definitions = definitions.each_ref().map(String::as_str);
        let programs: &[&[&str]] = &[&[FORGE, "rpmbuild"], &["rpmbuild"]];
        for program in &programs[..if signs_itself() { 2 } else { 1 }] {
            for entries in bench.build(program, &definitions).signatures() {
                let reserve = entries.iter().find(|(tag, ..)| matches!(tag, 999 | 1008)).unwrap().2;
                // A number in a signature may be shorter.
                assert!(reserve.abs_diff(left) < 8, "{room} in format {format}: {reserve}, not {left}");
            }
        }
    }
}

#[test]
fn a_signature_of_version_6_is_in_packages_of_format_6_alone() {
    let bench = Bench::new();
    let key = bench.forge_key("six", "ed25519-v6");
    let script = format!(
        "#!/bin/sh -e\ncat >\"$2.in\"\n{FORGE} sign --name six \"$2.in\" >&2\ngpg --dearmor <\"$2.in.asc\" >\"$2\"\nrm \"$2.in\"*\n"
    );
    fs::write(bench.path("sign"), script).unwrap();
    fs::set_permissions(bench.path("sign"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let command = format!("__mine_sign_cmd() {} %1 %2", bench.path("sign").display());
    let definitions = ["_openpgp_autosign_id six", "_openpgp_sign mine", &command];
    let programs: &[&[&str]] = &[&[FORGE, "rpmbuild"], &["rpmbuild"]];
    for program in &programs[..if signs_itself() { 2 } else { 1 }] {
        let built = bench.build(program, &[&definitions[..], &["_rpmformat 6"]].concat());
        for path in built.packages().values() {
            assert!(signature_entries(path).iter().any(|(tag, ..)| *tag == 278));
            let verify = ["verify-signatures", "--key", key.to_str().unwrap()];
            let (good, said) = run(bench.command(FORGE).args(verify).arg(path));
            assert!(good, "{said}");
            let keys = if signs_itself() { std::slice::from_ref(&key) } else { &[] };
            let (good, said) = check_with_rpm(&bench.path("db"), keys, path);
            assert!(good && said.contains("OpenPGP V6") == signs_itself(), "{said}");
        }
        let refused = bench.build(program, &definitions);
        assert_eq!(
            (refused.output.status.code(), refused.errors(&bench)),
            (Some(1), vec!["Unsupported OpenPGP pubkey algorithm 27 for rpm v3/v4 signatures".to_owned()]),
            "{program:?}"
        );
    }
}

#[test]
fn gpg_finds_its_keys_where_a_macro_says_that_they_are() {
    let bench = Bench::new();
    let key = bench.gpg_key("keys", "rsa", "rsa2048");
    let home = format!("_gpg_path {}", bench.path("keys").display());
    // As somebody configures it who has more keys than one.
    let definitions = ["_gpg_name nobody", "_openpgp_autosign_id rsa@example.org", &home];
    let built = bench.build(&[FORGE, "rpmbuild"], &definitions);
    for path in built.packages().values() {
        let (good, said) = check_with_rpm(&bench.path("db"), std::slice::from_ref(&key), path);
        assert!(good && said.contains("ignature"), "{said}");
    }
}

#[test]
fn the_macros_that_forge_brings_know_how_programs_sign() {
    let bench = Bench::new();
    let key = bench.gpg_key("keys", "rsa", "rsa2048");
    // Stands for Sequoia's program: it notes what it is told, and has gpg sign.
    let stand_in = "#!/bin/sh -e\necho \"$@\" >>$HOME/told\nfor word; do case $word in --signature-file=*) file=${word#*=};; esac; done\n\
                    exec gpg --homedir ../keys --output \"$file\" --detach-sign -\n";
    fs::write(bench.path("sq"), stand_in.replace("../keys", bench.path("keys").to_str().unwrap())).unwrap();
    fs::set_permissions(bench.path("sq"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let platform = "/usr/lib/rpm/platform/%{_target}/macros";
    let macros = concat!(env!("CARGO_MANIFEST_DIR"), "/src/macros/default/macros");
    let program = [FORGE, "rpmbuild", "--macros", &format!("/usr/lib/rpm/macros:{macros}:{platform}")];
    let (gpg_path, sq) = (
        format!("_gpg_path {}", bench.path("keys").display()),
        format!("__sq {}", bench.path("sq").display()),
    );
    let sign = "_openpgp_autosign_id rsa@example.org";
    for definitions in [&[sign, &gpg_path][..], &[sign, "_openpgp_sign sq", "_sq_path /home of/sq", &sq]] {
        for path in bench.build(&program, definitions).packages().values() {
            let (good, said) = check_with_rpm(&bench.path("db"), std::slice::from_ref(&key), path);
            assert!(good && said.contains("ignature"), "{said}");
        }
    }
    let told = fs::read_to_string(bench.path("home/told")).unwrap();
    let expected = format!(
        "sign --home=/home of/sq --signer=rsa@example.org --binary --signature-file={} -",
        bench.path("SRPMS/a-1-1.src.rpm.sig").display()
    );
    assert_eq!(told.lines().next(), Some(expected.as_str()));
    assert_eq!(told.lines().count(), 3);
}

#[test]
fn what_is_in_armor_is_put_in_as_packets() {
    let bench = Bench::new();
    let key = bench.gpg_key("gnupg", "rsa", "rsa2048");
    let definitions = ["_openpgp_autosign_id rsa@example.org", "_gpg_sign_cmd_extra_args --armor"];
    for path in bench.build(&[FORGE, "rpmbuild"], &definitions).packages().values() {
        let signature = signature_entries(path).into_iter().find(|(tag, ..)| *tag == 268).unwrap();
        assert!(signature.2 < 400, "{signature:?}");
        let (good, said) = check_with_rpm(&bench.path("db"), std::slice::from_ref(&key), path);
        assert!(good && said.contains("ignature"), "{said}");
    }
}

#[test]
fn two_blocks_of_armor_are_not_one_signature() {
    let bench = Bench::new();
    bench.gpg_key("gnupg", "rsa", "rsa2048");
    for (files, code) in [("\"$0.1\"", 0), ("\"$0.1\" \"$0.1\"", 1)] {
        let script = format!(
            "/usr/bin/gpg --batch -u rsa@example.org --armor -o \"$0.1\" --detach-sign - && cat {files} >\"$0\" && rm \"$0.1\""
        );
        let sign = format!("__odd_sign_cmd() /bin/sh -c '{script}' %2");
        let built = bench.build(
            &[FORGE, "rpmbuild"],
            &["_openpgp_autosign_id rsa@example.org", "_openpgp_sign odd", &sign],
        );
        assert_eq!(
            built.output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&built.output.stderr)
        );
        let wrong = ["Unsupported OpenPGP signature".to_owned()];
        assert_eq!(built.errors(&bench), wrong[..usize::try_from(code).unwrap()]);
    }
}

/// What is defined, and what is wrong with it.
const WRONG: [(&[&str], &[&str]); 11] = [
    (&["__gpg_sign_cmd() /bin/sh -c 'exit 11' sh %1 %2"], &["/bin/sh exec failed (11)"]),
    (&["__gpg_sign_cmd() /bin/sh -c 'kill -9 $$' sh %1 %2"], &["/bin/sh exec failed (0)"]),
    (&["__gpg_sign_cmd() /bin/true %1 %2"], &["failed to write signature: TOP/SRPMS/a-1-1.src.rpm.sig"]),
    // The header comes by standard input, and nothing stands where the signature is to be.
    (
        &["__gpg_sign_cmd() /bin/sh -c 'test \"$1\" = - && ! test -e \"$2\" && cat >\"$2\"' sh %1 %2"],
        &["Unsupported OpenPGP signature"],
    ),
    (&["__gpg_sign_cmd() /bin/sh -c ': >\"$2\"' sh %1 %2"], &["Unsupported OpenPGP signature"]),
    (&["__gpg_sign_cmd() /bin/false"], &["Invalid sign command: /bin/false"]),
    // No argument is put in where it has none.
    (
        &["_openpgp_sign gpg", "__gpg_sign_cmd /bin/sh -c 'test \"$1\" = %%1 && exit 4' sh %%1"],
        &["/bin/sh exec failed (4)"],
    ),
    (
        &["__gpg_sign_cmd() /nosuch/program %1 %2"],
        &["Could not exec /nosuch/program: No such file or directory", "/nosuch/program exec failed (1)"],
    ),
    (&["_openpgp_sign nosuch"], &["Expanding signing macro __nosuch_sign_cmd failed"]),
    (&["_openpgp_sign %{nil}"], &["Expanding signing macro ___sign_cmd failed"]),
    (&["_gpg_sign_cmd_extra_args -u other@example.org"], &["Unsupported OpenPGP signature"]),
];

#[test]
fn what_goes_wrong_is_what_rpmbuild_says() {
    let bench = Bench::new();
    for name in ["rsa", "other"] {
        bench.gpg_key("gnupg", name, "rsa2048");
    }
    let programs: &[&[&str]] = &[&[FORGE, "rpmbuild"], &["rpmbuild"]];
    for (definitions, errors) in WRONG {
        for program in &programs[..if signs_itself() { 2 } else { 1 }] {
            let built =
                bench.build(program, &[&["_openpgp_autosign_id rsa@example.org"], definitions].concat());
            let found = (built.output.status.code(), built.errors(&bench));
            assert_eq!(
                found,
                (Some(1), errors.iter().map(|&error| error.to_owned()).collect()),
                "{program:?} {definitions:?}"
            );
            assert!(built.packages.keys().all(|name| !name.ends_with(".sig")), "{:?}", built.packages);
        }
    }
}

#[test]
fn only_a_file_is_taken_for_a_signature() {
    let bench = Bench::new();
    let commands = [
        ("mkfifo", "failed to write signature: "),
        ("ln -s /dev/zero", "failed to write signature: "),
        ("truncate -s 5G", "Unsupported OpenPGP signature"),
    ];
    for (command, error) in commands {
        let sign = format!("__odd_sign_cmd() /bin/sh -c '{command} \"$0\"' %2");
        let built = bench.build(
            &[FORGE, "rpmbuild"],
            &["_openpgp_autosign_id x", "_openpgp_sign odd", &sign, "_build_create_srpm 0"],
        );
        assert_eq!(built.output.status.code(), Some(1), "{command}");
        let errors = built.errors(&bench);
        assert!(errors.iter().any(|found| found.starts_with(error)), "{command}: {errors:?}");
    }
}

#[test]
fn what_a_checker_refuses_is_not_signed() {
    let bench = Bench::new();
    bench.gpg_key("gnupg", "ed", "ed25519");
    let sign = "_openpgp_autosign_id ed@example.org";
    let refuses = "_nonzero_exit_pkgcheck_terminate_build 1";
    let programs: &[&[&str]] = &[&[FORGE, "rpmbuild"], &["rpmbuild"]];
    for (checker, signed) in [("_build_pkgcheck", 1), ("_build_pkgcheck_set", 1), ("_build_pkgcheck_srpm", 0)]
    {
        for program in &programs[..if signs_itself() { 2 } else { 1 }] {
            let built = bench.build(program, &[sign, refuses, &format!("{checker} /bin/false")]);
            assert_eq!(built.output.status.code(), Some(1));
            let has_signature = |path: &&PathBuf| signature_entries(path).iter().any(|(tag, ..)| *tag == 267);
            assert_eq!(
                built.packages.values().filter(has_signature).count(),
                signed,
                "{program:?} {checker}"
            );
        }
    }
}
