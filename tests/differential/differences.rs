//! Where newer versions of rpm differ from older ones on purpose. forge does as rpm 6.1 does.

/// One difference.
pub struct Difference {
    /// The oldest version that was seen to do as forge does.
    pub since: &'static str,
    /// What it is about.
    pub what: &'static str,
    /// Whether an expression has to do with it.
    pub concerns: fn(&str) -> bool,
}

/// Whether one of these macros is called or defined.
fn uses(expression: &str, names: &[&str]) -> bool {
    let calls = |name: &&str| {
        expression.match_indices(*name).any(|(at, _)| {
            let before = expression[..at].trim_end_matches(['?', '!', '{', ' ', '.', '"']);
            let after = expression[at + name.len()..].chars().next();
            let is_whole = after.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_');
            let leads = [
                "%",
                "%define",
                "%{define",
                "%global",
                "%{global",
                "%undefine",
                "%{undefine",
                "macros",
                "(",
                "rpm",
            ];
            is_whole && leads.iter().any(|lead| before.ends_with(lead))
        })
    };
    names.iter().any(calls)
}

/// All of them.
pub const ALL: &[Difference] = &[
    Difference {
        since: "4.20.0",
        what: "string macros: len, lower, upper, reverse, rep, sub, gsub; rpmversion",
        concerns: |expression| {
            uses(expression, &["len", "lower", "upper", "reverse", "rep", "sub", "gsub", "rpmversion"])
        },
    },
    Difference {
        since: "6.1.0",
        what: "span and xdg",
        concerns: |expression| uses(expression, &["span", "xdg"]),
    },
    Difference {
        since: "4.20.0",
        what: "rpm.spawn, rpm.glob, and how rpm.execute tells a failure",
        concerns: |expression| {
            ["rpm.spawn", "rpm.execute", "rpm.glob"].iter().any(|name| expression.contains(name))
        },
    },
    Difference {
        since: "6.1.0",
        what: "modifiers of definitions: <l>, <o>",
        concerns: |expression| expression.contains("foo<") || expression.contains("foo(a)<"),
    },
    Difference {
        since: "6.1.0",
        what: "options of %define: -e, -g",
        concerns: |expression| expression.contains("define -"),
    },
    Difference {
        since: "4.20.0",
        what: "basename and dirname are those of coreutils",
        concerns: |expression| uses(expression, &["basename", "dirname"]),
    },
    Difference {
        since: "4.20.0",
        what: "getncpus takes what it counts",
        concerns: |expression| uses(expression, &["getncpus"]),
    },
    Difference {
        since: "4.20.0",
        what: "shescape takes all words",
        concerns: |expression| uses(expression, &["shescape"]),
    },
    Difference {
        since: "4.20.0",
        what: "quotes don't stay in what comes out",
        concerns: |expression| expression.contains("quote") || expression.contains("**"),
    },
    Difference {
        since: "6.1.0",
        what: "rpm.undefine checks the name",
        concerns: |expression| expression.contains("rpm.undefine"),
    },
    Difference {
        // Debian builds rpm 6.1 with Lua 5.3 as well.
        since: "6.2.0",
        what: "Lua is 5.4: attributes of variables",
        concerns: |expression| expression.contains("<const>"),
    },
];
