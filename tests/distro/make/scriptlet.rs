//! What runs when packages are installed: the part of Debian's maintainer scripts that a root needs, written for RPM.

use rpmforge::package::Tag;

/// When a scriptlet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `%pretrans`
    PreTrans,
    /// `%pre`
    Pre,
    /// `%post`
    Post,
    /// `%preun`
    PreUn,
    /// `%postun`
    PostUn,
    /// `%transfiletriggerin`
    FilesInstalled,
    /// `%transfiletriggerpostun`
    FilesRemoved,
}

impl Moment {
    /// The tags of its text and of its program; file triggers have lists of their own.
    pub fn tags(self) -> Option<(Tag, Tag)> {
        match self {
            Self::PreTrans => Some((Tag::PRETRANS, Tag::PRETRANSPROG)),
            Self::Pre => Some((Tag::PREIN, Tag::PREINPROG)),
            Self::Post => Some((Tag::POSTIN, Tag::POSTINPROG)),
            Self::PreUn => Some((Tag::PREUN, Tag::PREUNPROG)),
            Self::PostUn => Some((Tag::POSTUN, Tag::POSTUNPROG)),
            Self::FilesInstalled | Self::FilesRemoved => None,
        }
    }

    /// rpm's bit of what a scriptlet of that moment needs (`RPMSENSE_SCRIPT_*`).
    pub fn sense(self) -> u64 {
        match self {
            Self::PreTrans => 1 << 7,
            Self::Pre => 1 << 9,
            Self::Post => 1 << 10,
            Self::PreUn => 1 << 11,
            Self::PostUn => 1 << 12,
            Self::FilesInstalled | Self::FilesRemoved => 0,
        }
    }

    /// rpm's bit of a trigger.
    pub fn trigger_sense(self) -> u64 {
        match self {
            Self::FilesRemoved => 1 << 18,
            Self::FilesInstalled => 1 << 16,
            Self::PreTrans | Self::Pre | Self::Post | Self::PreUn | Self::PostUn => 0,
        }
    }
}

/// A scriptlet.
#[derive(Clone, Debug)]
pub struct Scriptlet {
    /// When it runs.
    pub moment: Moment,
    /// What runs it.
    pub program: &'static str,
    /// Its text; nothing where the program itself is all.
    pub text: String,
    /// The packages or files that it needs, besides its program.
    pub needs: &'static [&'static str],
    /// The folders whose files set off a file trigger.
    pub folders: &'static [&'static str],
}

const SHELL: &str = "/bin/sh";
const LUA: &str = "<lua>";
const LDCONFIG: &str = "/sbin/ldconfig";

/// Which program of several is known by a name: package, priority, and then link, name and program; further three of these follow
/// where the first leads.
const ALTERNATIVES: &str = "
    automake    10  /usr/bin/automake automake /usr/bin/automake-1.17  /usr/bin/aclocal aclocal /usr/bin/aclocal-1.17
    bison       100 /usr/bin/yacc yacc /usr/bin/bison.yacc
    cpio        10  /usr/bin/mt mt /usr/bin/mt-gnu
    cpp         10  /usr/lib/cpp cpp /usr/bin/cpp
    debianutils 0   /usr/bin/which which /usr/bin/which.debianutils
    g++         20  /usr/bin/c++ c++ /usr/bin/g++
    gawk        10  /usr/bin/awk awk /usr/bin/gawk  /usr/bin/nawk nawk /usr/bin/gawk
    gcc         20  /usr/bin/cc cc /usr/bin/gcc
    gcc         20  /usr/bin/c89 c89 /usr/bin/c89-gcc
    gcc         20  /usr/bin/c99 c99 /usr/bin/c99-gcc
    less        77  /usr/bin/pager pager /usr/bin/less
    mawk        5   /usr/bin/awk awk /usr/bin/mawk  /usr/bin/nawk nawk /usr/bin/mawk
    tar         50  /usr/sbin/rmt rmt /usr/sbin/rmt-tar
    util-linux  50  /usr/bin/pager pager /usr/bin/more
    xz-utils    20  /usr/bin/lzma lzma /usr/bin/xz  /usr/bin/unlzma unlzma /usr/bin/unxz  /usr/bin/lzcat lzcat /usr/bin/xzcat
";

/// Libraries whose packages call `ldconfig` themselves, as those do that are older than its file trigger.
const CALL_LDCONFIG: &[&str] = &["libonig5", "libpng16-16t64", "libjq1"];

/// Packages with a user or group of their own: the name, and whether there is a user, too.
const OWNERS: &[(&str, &str, bool)] = &[("openssh-client", "_ssh", false), ("uuid-runtime", "uuidd", true)];

/// Before there is a shell: what a root must have before the first file is written.
const BEFORE_ALL: &str = "posix.mkdir(\"/proc\")\nposix.mkdir(\"/sys\")\nposix.chmod(\"/proc\", 555)\nposix.chmod(\"/sys\", 555)\n\
    local old = posix.stat(\"/bin\")\nif old and old.type == \"directory\" then\n  \
    error(\"/bin is a folder: /usr is not merged here\")\nend";

/// What finds the schemas of settings.
const COMPILE_SCHEMAS: &str =
    "/usr/lib/x86_64-linux-gnu/glib-2.0/glib-compile-schemas /usr/share/glib-2.0/schemas || :";

/// The scriptlets of a package.
pub fn scriptlets_of(package: &str) -> Vec<Scriptlet> {
    let mut all = alternatives_of(package);
    all.extend(accounts_of(package));
    if CALL_LDCONFIG.contains(&package) {
        all.extend([Moment::Post, Moment::PostUn].map(|moment| run(moment, LDCONFIG, "")));
    }
    match package {
        "filesystem" => all.push(run(Moment::PreTrans, LUA, BEFORE_ALL)),
        "libc-bin" => {
            let folders = &["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
            let moments = [Moment::FilesInstalled, Moment::FilesRemoved];
            all.push(run(Moment::Post, LDCONFIG, ""));
            all.extend(moments.map(|moment| Scriptlet { folders, ..run(moment, SHELL, LDCONFIG) }));
        }
        "libglib2.0-0t64" => {
            let folders = &["/usr/share/glib-2.0/schemas"];
            all.push(Scriptlet { folders, ..run(Moment::FilesInstalled, SHELL, COMPILE_SCHEMAS) });
        }
        _ => {}
    }
    all
}

fn run(moment: Moment, program: &'static str, text: &str) -> Scriptlet {
    Scriptlet { moment, program, text: text.to_owned(), needs: &[], folders: &[] }
}

/// Users and groups that must be there before the files that are theirs.
fn accounts_of(package: &str) -> Vec<Scriptlet> {
    let own = OWNERS.iter().filter(|(owner, ..)| *owner == package);
    let scripts = own.map(|(_, name, has_user)| {
        let mut text = format!("getent group {name} >/dev/null || groupadd -r {name}\n");
        if *has_user {
            let user = format!("useradd -r -g {name} -d /run/{name} -s /usr/sbin/nologin {name}");
            text.push_str(&format!("getent passwd {name} >/dev/null || {user}\n"));
        }
        text.push_str("exit 0");
        Scriptlet { needs: &["passwd", "libc-bin"], ..run(Moment::Pre, SHELL, &text) }
    });
    scripts.collect()
}

/// Links that are set after a package is installed, and taken away before it goes.
fn alternatives_of(package: &str) -> Vec<Scriptlet> {
    let (mut set, mut remove) = (Vec::new(), vec!["if [ $1 = 0 ]; then".to_owned()]);
    for line in ALTERNATIVES.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [owner, priority, link, name, program, followers @ ..] = words.as_slice() else { continue };
        if *owner == package {
            let followers = followers.chunks(3).map(|words| format!(" --slave {}", words.join(" ")));
            let followers: String = followers.collect();
            set.push(format!("update-alternatives --install {link} {name} {program} {priority}{followers}"));
            remove.push(format!("    update-alternatives --remove {name} {program}"));
        }
    }
    if set.is_empty() {
        return Vec::new();
    }
    remove.push("fi".to_owned());
    let scripts = [(Moment::Post, set.join("\n")), (Moment::PreUn, remove.join("\n"))];
    let needs = &["update-alternatives"];
    scripts.map(|(moment, text)| Scriptlet { needs, ..run(moment, SHELL, &text) }).into()
}
