//! Reading rich dependencies: `(a or (b and c >= 2))` (rpm-spec(5), "Boolean dependencies").

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::dependency::{Allows, Around, DependencyProblem, Reader};
use super::limits::DEEPEST_RICH;
use crate::package::{Operator, Rich};

/// What can be wrong with a rich dependency, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum RichProblem {
    /// A parenthesis that is never closed.
    #[error("Unterminated rich dependency: {text}")]
    #[diagnostic(code(forge::spec::unterminated_rich), help("close the parenthesis"))]
    Unterminated {
        /// The text from there.
        text: BString,
    },
    /// Nothing in the parentheses.
    #[error("Empty rich dependency")]
    #[diagnostic(code(forge::spec::empty_rich), help("write what is needed: `(a or b)`"))]
    Empty,
    /// Nothing after an operator.
    #[error("Missing argument to rich dependency op")]
    #[diagnostic(code(forge::spec::missing_argument), help("an operator stands between two dependencies"))]
    MissingArgument,
    /// A word that is no operator.
    #[error("Unknown rich dependency op '{word}'")]
    #[diagnostic(
        code(forge::spec::unknown_operator),
        help("there are `and`, `or`, `if`, `unless`, `else`, `with` and `without`")
    )]
    UnknownOperator {
        /// The word.
        word: BString,
    },
    /// Operators of several kinds without parentheses.
    #[error("Cannot chain different ops")]
    #[diagnostic(code(forge::spec::chained_operators), help("say with parentheses what belongs together"))]
    DifferentOperators,
    /// An operator more than once that can stand only once.
    #[error("Can only chain and/or/with ops")]
    #[diagnostic(code(forge::spec::unchainable_operator), help("say with parentheses what belongs together"))]
    Unchainable,
    /// `if` in a conflict, `unless` in a requirement.
    #[error("Illegal context for '{operator}', please use '{instead}' instead")]
    #[diagnostic(
        code(forge::spec::operator_context),
        help("`if` makes sense for what must be there, `unless` for what must not")
    )]
    Context {
        /// The operator.
        operator: &'static str,
        /// What rpm proposes.
        instead: &'static str,
    },
    /// Something within `with` that is not about one package.
    #[error("Illegal ops in with/without")]
    #[diagnostic(
        code(forge::spec::operator_in_with),
        help("only `or`, `with` and `without` say something of a single package")
    )]
    InWith,
    /// More parentheses than anyone needs.
    #[error("Rich dependencies are nested more than {limit} deep")]
    #[diagnostic(code(forge::spec::rich_depth), help("say it with fewer parentheses"))]
    TooDeep {
        /// How deep they may be.
        limit: usize,
    },
}

/// Reads a rich dependency that begins with the parenthesis at hand.
pub(super) fn read(reader: &mut Reader<'_>, allows: Allows) -> Result<Rich, DependencyProblem> {
    if reader.depth >= DEEPEST_RICH {
        return Err(RichProblem::TooDeep { limit: DEEPEST_RICH }.into());
    }
    reader.depth += 1;
    let group = group(reader, allows);
    reader.depth -= 1;
    group
}

fn group(reader: &mut Reader<'_>, allows: Allows) -> Result<Rich, DependencyProblem> {
    let unterminated = RichProblem::Unterminated { text: reader.rest().into() };
    reader.at += 1;
    let blank = |byte: u8| byte.is_ascii_whitespace();
    reader.skip_while(blank);
    if reader.peek() == Some(b')') {
        return Err(RichProblem::Empty.into());
    }
    let first = part(reader, allows, &unterminated)?;
    let mut further: Vec<(Operator, Rich)> = Vec::new();
    loop {
        reader.skip_while(blank);
        match reader.peek() {
            None => return Err(unterminated.into()),
            Some(b')') => {
                reader.at += 1;
                let group = Rich::Group(Box::new(first), further);
                return checked(group);
            }
            Some(_) => {}
        }
        let word = reader.word(Around::Parentheses);
        let operator =
            Operator::read(word).ok_or_else(|| RichProblem::UnknownOperator { word: BString::from(word) })?;
        check_operator(operator, &further, allows)?;
        reader.skip_while(blank);
        if reader.peek() == Some(b')') {
            return Err(RichProblem::MissingArgument.into());
        }
        further.push((operator, part(reader, allows, &unterminated)?));
    }
}

fn part(
    reader: &mut Reader<'_>,
    allows: Allows,
    unterminated: &RichProblem,
) -> Result<Rich, DependencyProblem> {
    match reader.peek() {
        None => Err(unterminated.clone().into()),
        Some(b'(') => read(reader, allows),
        Some(_) => reader
            .capability(allows, Around::Parentheses)
            .map(Rich::Capability)
            .map_err(|problems| problems.into_iter().next().unwrap_or(DependencyProblem::Start)),
    }
}

fn check_operator(
    operator: Operator,
    further: &[(Operator, Rich)],
    allows: Allows,
) -> Result<(), RichProblem> {
    match (operator, allows) {
        (Operator::If, Allows::Conflicts) => {
            return Err(RichProblem::Context { operator: "if", instead: "and" });
        }
        (Operator::Unless, allows) if allows != Allows::Conflicts => {
            return Err(RichProblem::Context { operator: "unless", instead: "or" });
        }
        _ => {}
    }
    let Some((last, _)) = further.last() else {
        return Ok(());
    };
    if operator == Operator::Else && matches!(last, Operator::If | Operator::Unless) {
        return Ok(());
    }
    if *last != operator {
        return Err(RichProblem::DifferentOperators);
    }
    if operator.can_chain() { Ok(()) } else { Err(RichProblem::Unchainable) }
}

/// `with` and `without` are about one package, all the way down.
fn checked(group: Rich) -> Result<Rich, DependencyProblem> {
    if let Rich::Group(first, further) = &group
        && further.iter().any(|(operator, _)| matches!(operator, Operator::With | Operator::Without))
    {
        let parts = std::iter::once(&**first).chain(further.iter().map(|(_, part)| part));
        if !parts.into_iter().all(is_of_one_package) {
            return Err(RichProblem::InWith.into());
        }
    }
    Ok(group)
}

fn is_of_one_package(part: &Rich) -> bool {
    match part {
        Rich::Capability(_) => true,
        Rich::Group(first, further) => {
            let is_allowed =
                |operator: &Operator| matches!(operator, Operator::Or | Operator::With | Operator::Without);
            is_of_one_package(first)
                && further.iter().all(|(operator, part)| is_allowed(operator) && is_of_one_package(part))
        }
    }
}
