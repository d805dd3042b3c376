//! Reading rich dependencies: `(a or (b and c >= 2))` (rpm-spec(5), "Boolean dependencies").

use bstr::BString;

use super::dependency_problem::{DependencyProblem, RichProblem};
use super::dependency_reader::{Allows, DependencyReader, WordContext};
use super::limits::DEEPEST_RICH;
use crate::package::{Operator, Rich};

/// Reads a rich dependency that begins with the parenthesis at hand.
pub(super) fn read_rich(
    reader: &mut DependencyReader<'_>,
    allows: Allows,
) -> Result<Rich, DependencyProblem> {
    if reader.depth >= DEEPEST_RICH {
        return Err(RichProblem::TooDeep { limit: DEEPEST_RICH }.into());
    }
    reader.depth += 1;
    let group = read_group(reader, allows);
    reader.depth -= 1;
    group
}

fn read_group(reader: &mut DependencyReader<'_>, allows: Allows) -> Result<Rich, DependencyProblem> {
    let unterminated = RichProblem::Unterminated { text: reader.rest().into() };
    reader.at += 1;
    let blank = |byte: u8| byte.is_ascii_whitespace();
    reader.skip_while(blank);
    if reader.peek() == Some(b')') {
        return Err(RichProblem::Empty.into());
    }
    let first = read_part(reader, allows, &unterminated)?;
    let mut further: Vec<(Operator, Rich)> = Vec::new();
    loop {
        reader.skip_while(blank);
        match reader.peek() {
            None => return Err(unterminated.into()),
            Some(b')') => {
                reader.at += 1;
                return check_with(Rich::Group(Box::new(first), further));
            }
            Some(_) => {}
        }
        let word = reader.word(WordContext::Parentheses);
        let operator =
            Operator::read(word).ok_or_else(|| RichProblem::UnknownOperator { word: BString::from(word) })?;
        check_operator(operator, &further, allows)?;
        reader.skip_while(blank);
        if reader.peek() == Some(b')') {
            return Err(RichProblem::MissingArgument.into());
        }
        further.push((operator, read_part(reader, allows, &unterminated)?));
    }
}

fn read_part(
    reader: &mut DependencyReader<'_>,
    allows: Allows,
    unterminated: &RichProblem,
) -> Result<Rich, DependencyProblem> {
    match reader.peek() {
        None => Err(unterminated.clone().into()),
        Some(b'(') => read_rich(reader, allows),
        Some(_) => reader
            .capability(allows, WordContext::Parentheses)
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
fn check_with(group: Rich) -> Result<Rich, DependencyProblem> {
    if let Rich::Group(first, further) = &group
        && further.iter().any(|(operator, _)| matches!(operator, Operator::With | Operator::Without))
    {
        let parts = std::iter::once(&**first).chain(further.iter().map(|(_, part)| part));
        if !parts.into_iter().all(concerns_one_package) {
            return Err(RichProblem::InWith.into());
        }
    }
    Ok(group)
}

fn concerns_one_package(part: &Rich) -> bool {
    match part {
        Rich::Capability(_) => true,
        Rich::Group(first, further) => {
            let is_allowed =
                |operator: &Operator| matches!(operator, Operator::Or | Operator::With | Operator::Without);
            concerns_one_package(first)
                && further.iter().all(|(operator, part)| is_allowed(operator) && concerns_one_package(part))
        }
    }
}
