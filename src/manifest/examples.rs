//! An example and the default of each node, for the reference.

/// What the reference says of a node beside its rule.
pub struct Example {
    /// The node, with those around it: `package › source`. A name alone is for wherever it stands.
    pub path: &'static str,
    /// The node as somebody would write it.
    pub text: &'static str,
    /// What holds where it is left out, if anything does.
    pub default: &'static str,
}

const fn example(path: &'static str, text: &'static str) -> Example {
    Example { path, text, default: "" }
}

const fn with_default(path: &'static str, text: &'static str, default: &'static str) -> Example {
    Example { path, text, default }
}

/// The example of a node: the one for its path, else the one for the longest end of it, its name at least.
pub fn find_example(path: &str) -> Option<&'static Example> {
    let known = EXAMPLES.iter().find(|example| example.path == path);
    known.or_else(|| path.split_once(" › ").and_then(|(_, rest)| find_example(rest)))
}

const EXAMPLES: &[Example] = &[
    example("rpmforge", "rpmforge version=1"),
    example("project", "project acme {\n    description \"What Acme ships\"\n    include \"teams/*.kdl\"\n}"),
    example("description", "description \"What Acme ships\""),
    example("include", "include \"teams/*.kdl\""),
    with_default(
        "macros",
        "macros { dist \".acme1\"; debug_package #null; token (env)\"ACME_TOKEN\" }",
        "those of the root",
    ),
    with_default("env", "env { LANG C.UTF-8; TOKEN (env)\"ACME_TOKEN\" }", "what rpm sets"),
    example(
        "chroot",
        "chroot el9 {\n    root \"/srv/el9\"\n    rpm \"4.16\"\n    macros { dist \".el9\" }\n}",
    ),
    with_default("arch", "arch x86_64", "the machine's own"),
    with_default("rpm", "rpm \"4.16\"", "that of the root"),
    example("repo", "repo base baseurl=\"https://example.org/base/$basearch\" gpgkey=\"keys/base.asc\""),
    example(
        "repo › baseurl",
        "baseurl \"https://one.example/9/$basearch\" \"https://two.example/9/$basearch\"",
    ),
    example("gpgkey", "gpgkey \"keys/base.asc\" \"keys/extra.asc\""),
    example("fingerprint", "fingerprint \"567E347AD0044ADE55BA8A5F199E2F91FD431D51\""),
    example("repo › exclude", "exclude \"kernel*\" \"*-debuginfo\""),
    example("includepkgs", "includepkgs \"python3*\""),
    with_default("weak-dependencies", "weak-dependencies #true", "`#false`"),
    example("releasever", "releasever \"9\""),
    example("vars", "vars { stream \"9-stream\" }"),
    example("chroot › install", "install \"@buildsys-build\" ccache"),
    example("extends", "extends el9"),
    example("root", "root \"/\""),
    example("image", "image \"oci:images/el9\""),
    example(
        "defaults",
        "defaults {\n    isolation none\n    timeout \"2h\"\n    on \"el9*\" { without docs }\n}",
    ),
    with_default("chroots", "chroots \"f4*\" { exclude f40 }", "all chroots"),
    example("chroots › exclude", "exclude f40"),
    with_default("engine", "engine rpmbuild", "`native`"),
    with_default("isolation", "isolation none", "`namespaces`"),
    with_default("bootstrap", "bootstrap auto", "`auto`"),
    with_default(
        "network",
        "network #true",
        "`#false`, which holds for `isolation namespaces`: with `none` builds reach what the machine reaches",
    ),
    with_default("timeout", "timeout \"2h\"", "`5h`"),
    with_default("retries", "retries 2", "`0`"),
    with_default("priority", "priority background", "`normal`"),
    with_default("on-failure", "on-failure stop", "`continue`"),
    with_default("with", "with docs", "what the spec says"),
    with_default("without", "without tests", "what the spec says"),
    example("build-requires", "build-requires gcc \"cmake >= 3.20\""),
    with_default(
        "limits",
        "limits { memory \"8GiB\"; processes 4096; disk \"20GiB\"; open-files 65536; log \"1GiB\" }",
        "`processes 4096`, `open-files 65536`, `log \"1GiB\"`; memory and disk as much as the machine has",
    ),
    with_default("memory", "memory \"8GiB\"", "all that the machine has"),
    with_default("processes", "processes 4096", "`4096`"),
    with_default("disk", "disk \"20GiB\"", "all that the machine has"),
    with_default("open-files", "open-files 65536", "`65536`"),
    with_default("log", "log \"1GiB\"", "`1GiB`"),
    example("on", "on \"el9*\" { without docs; macros { dist \".el9\" } }"),
    example("profile", "profile ci {\n    timeout \"30m\"\n    without docs\n}"),
    example(
        "source",
        "source shared {\n    path \"specs/shared.spec\" { file \"tarballs/shared-*.tar.gz\" }\n}",
    ),
    example("source › path", "path \"specs/shared.spec\""),
    example("url", "url \"https://example.org/hello-1.0-1.src.rpm\""),
    example("git", "git \"https://example.org/hello.git\" rev=main"),
    example("svn", "svn \"https://example.org/svn/hello\" rev=42"),
    example("distgit", "distgit hello from=fedora rev=rawhide"),
    example("pypi", "pypi requests version=\"2.32.3\""),
    example("rubygems", "rubygems rake version=\"13.2.1\""),
    example("crates", "crates hexyl version=\"0.16.0\""),
    example("npm", "npm \"js-yaml\" version=\"4.1.0\""),
    example("custom", "custom script=\"make-sources.sh\""),
    with_default("file", "file \"tarballs/hello-*.tar.gz\"", "what lies beside the spec"),
    with_default("keyring", "keyring \"keys/hello.asc\"", "the keys that the spec brings along"),
    example("needs", "needs git tar"),
    example("source › repo", "repo fedora name=bash"),
    example("source › build", "build 123"),
    example("arguments", "arguments \"--nightly\" \"main\""),
    with_default("source › timeout", "timeout \"30m\"", "`1h`"),
    with_default("source › network", "network #true", "`#false`"),
    example(
        "package",
        "package curl {\n    source path \"curl/curl.spec\"\n    with docs\n    on \"el9*\" { without docs }\n    timeout \"4h\"\n}",
    ),
    example("package › source", "source path \"curl/curl.spec\""),
    example("mirror", "mirror \"https://ftp.example.org/pub/\" to=\"https://mirror.example.com/ftp/\""),
    example("upstream", "upstream \"https://example.org/releases/\" pattern=\"hello-(.*).tar.gz\""),
    example("after", "after libfoo"),
    example("packages", "packages \"specs/**/*.spec\" {\n    exclude \"specs/old/**\"\n}"),
    example("packages › exclude", "exclude \"specs/old/**\""),
    example("batch", "batch apps after=base {\n    members \"app-*\" editor\n}"),
    example("members", "members \"app-*\" editor"),
    example("batch › after", "after base even-if-failed=#true"),
    with_default("publish", "publish \"public/{chroot}\" { adopt #true }", "`public/{chroot}`"),
    with_default("sign", "sign name=acme", "nothing is signed"),
    with_default(
        "publish › url",
        "url \"https://packages.example.org/{chroot}\"",
        "the folder on this machine",
    ),
    example("to", "to \"s3://packages/{chroot}\" endpoint=\"https://s3.example.org\" region=\"eu-1\""),
    with_default(
        "keep",
        "keep builds=3 superseded=\"14d\" failed=\"14d\"",
        "the repository holds the newest good build of each package",
    ),
    with_default("debuginfo", "debuginfo separate=#true", "`separate=#false`"),
    with_default("multilib", "multilib #true", "`#false`"),
    with_default("adopt", "adopt #true", "`#false`"),
    with_default("broken", "broken warn", "`hold`"),
    with_default("metadata", "metadata gz", "`zstd`"),
    with_default("layout", "layout plain", "`builds`"),
    example("comps", "comps \"comps.xml\""),
    example("updateinfo", "updateinfo \"updateinfo.xml\""),
    with_default("links", "links #true", "`#false`"),
    example("cache", "cache \"https://cache.example.org/acme\" write=ci"),
    example(
        "remote",
        "remote \"grpcs://build.example.org:8980\" {\n    instance main\n    platform { os linux }\n}",
    ),
    example("instance", "instance main"),
    example("platform", "platform { os linux }"),
    example(
        "mass-rebuild",
        "mass-rebuild next-libfoo {\n    change libfoo\n    select whatrequires=\"libfoo*\" depth=2\n}",
    ),
    example("change", "change libfoo"),
    example("select", "select whatrequires=\"libfoo*\" depth=2"),
    example("sample", "sample 50 seed=1"),
    with_default("baseline", "baseline #true", "`#false`"),
];
