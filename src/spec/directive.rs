//! Lines that decide which lines count: conditionals and `%include` (rpm-spec(5), "Conditionals").

/// What a condition asks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// An expression.
    Expression,
    /// The architecture that is built for.
    Architecture,
    /// The system that is built for.
    System,
}

/// A directive and what stands after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive<'t> {
    /// `%if`, `%ifarch`, `%ifnarch`, `%ifos`, `%ifnos`.
    If { asks: Asks, is_negated: bool, condition: &'t [u8] },
    /// `%elif`, `%elifarch`, `%elifos`.
    ElseIf { asks: Asks, condition: &'t [u8] },
    /// `%else`
    Else { rest: &'t [u8] },
    /// `%endif`
    End { rest: &'t [u8] },
    /// `%include`
    Include { path: &'t [u8] },
}

/// A directive's name, what it asks of, and whether the answer is turned around.
type Conditional = (&'static str, Asks, bool);

const IFS: [Conditional; 5] = [
    ("%ifarch", Asks::Architecture, false),
    ("%ifnarch", Asks::Architecture, true),
    ("%ifos", Asks::System, false),
    ("%ifnos", Asks::System, true),
    ("%if", Asks::Expression, false),
];

const ELSE_IFS: [Conditional; 3] = [
    ("%elifarch", Asks::Architecture, false),
    ("%elifos", Asks::System, false),
    ("%elif", Asks::Expression, false),
];

impl<'t> Directive<'t> {
    /// Whether a line is a condition that goes on in the next one.
    pub fn goes_on(line: &[u8]) -> bool {
        line.ends_with(b"\\\n")
            && matches!(Directive::read(line), Some(Directive::If { .. } | Directive::ElseIf { .. }))
    }

    /// The directive that a line is, if it is one.
    pub fn read(line: &'t [u8]) -> Option<Self> {
        let text = line.trim_ascii_start();
        if !text.starts_with(b"%") {
            return None;
        }
        for (name, asks, is_negated) in IFS {
            if let Some(condition) = read_argument(text, name) {
                return Some(Self::If { asks, is_negated, condition });
            }
        }
        for (name, asks, _) in ELSE_IFS {
            if let Some(condition) = read_argument(text, name) {
                return Some(Self::ElseIf { asks, condition });
            }
        }
        if let Some(rest) = read_bare(text, "%else") {
            return Some(Self::Else { rest });
        }
        if let Some(rest) = read_bare(text, "%endif") {
            return Some(Self::End { rest });
        }
        read_argument(text, "%include").map(|path| Self::Include { path: path.trim_ascii() })
    }
}

/// What stands after a directive that needs something after it, from the blank on.
fn read_argument<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let rest = text.strip_prefix(name.as_bytes())?;
    let is_apart = rest.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    (is_apart && !rest.trim_ascii().is_empty()).then_some(rest)
}

/// What stands after a directive that stands alone, but for a comment.
fn read_bare<'t>(text: &'t [u8], name: &str) -> Option<&'t [u8]> {
    let rest = text.strip_prefix(name.as_bytes())?;
    let is_apart = rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'#');
    let rest = rest.trim_ascii();
    is_apart.then_some(if rest.starts_with(b"#") { b"" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_needs_a_blank_and_something_after_it() {
        let condition = b" 1\n".as_slice();
        let expected = Directive::If { asks: Asks::Expression, is_negated: false, condition };
        assert_eq!(Directive::read(b"\t%if 1\n"), Some(expected));
        assert_eq!(Directive::read(b"%if\n"), None);
        assert_eq!(Directive::read(b"%if(1)\n"), None);
        assert_eq!(Directive::read(b"%iffy 1\n"), None);
    }

    #[test]
    fn a_comment_may_follow_what_stands_alone() {
        assert_eq!(Directive::read(b"%else#c\n"), Some(Directive::Else { rest: b"" }));
        assert_eq!(Directive::read(b"%endif # c\n"), Some(Directive::End { rest: b"" }));
        assert_eq!(Directive::read(b"%endif x\n"), Some(Directive::End { rest: b"x" }));
        assert_eq!(Directive::read(b"%endiff\n"), None);
    }
}
