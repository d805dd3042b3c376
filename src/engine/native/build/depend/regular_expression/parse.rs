//! Text → parts, by the rules of glibc's `RE_SYNTAX_POSIX_EXTENDED`.

use std::iter::Peekable;
use std::str::Chars;

use super::syntax::{Class, Edge, Malformed, Node, Set, SetItem};

/// An expression in parts.
pub(super) struct Parsed {
    pub node: Node,
    pub has_back_references: bool,
}

/// How often something can be repeated (`RE_DUP_MAX`).
const MOST_REPETITIONS: u32 = 0x7fff;

/// How deep parentheses may lie within each other, and how many signs of repetition may follow each other: the parser calls
/// itself, as glibc's does, which runs out of stack.
const DEEPEST: usize = 200;

struct Parser<'t> {
    text: Peekable<Chars<'t>>,
    depth: usize,
    groups: usize,
    /// The groups whose parenthesis has been closed.
    closed: Vec<usize>,
    has_back_references: bool,
}

pub(super) fn parse(text: &str) -> Result<Parsed, Malformed> {
    let text = text.chars().peekable();
    let mut parser = Parser { text, depth: 0, groups: 0, closed: Vec::new(), has_back_references: false };
    let node = parser.parse_choice()?;
    Ok(Parsed { node, has_back_references: parser.has_back_references })
}

impl Parser<'_> {
    fn parse_choice(&mut self) -> Result<Node, Malformed> {
        let mut branches = vec![self.parse_branch()?];
        while self.text.next_if_eq(&'|').is_some() {
            branches.push(self.parse_branch()?);
        }
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => Node::Choice(branches.into_iter().chain(last).collect()),
        })
    }

    fn parse_branch(&mut self) -> Result<Node, Malformed> {
        let mut parts = Vec::new();
        while let Some(next) = self.text.peek() {
            // A parenthesis that closes none stands for itself.
            if *next == '|' || *next == ')' && self.depth > 0 {
                break;
            }
            parts.push(self.parse_part()?);
        }
        Ok(if parts.is_empty() { Node::Empty } else { Node::Sequence(parts) })
    }

    fn parse_part(&mut self) -> Result<Node, Malformed> {
        let first = self.text.next().unwrap_or_default();
        let node = match first {
            '*' | '+' | '?' | '{' => return Err(Malformed::Repetition),
            // Nothing repeats these.
            '^' => return Ok(Node::Edge(Edge::Start)),
            '$' => return Ok(Node::Edge(Edge::End)),
            '.' => Node::Any,
            '[' => Node::Set(self.parse_set()?),
            '(' => self.parse_group()?,
            '\\' => self.parse_escape()?,
            other => Node::Character(other),
        };
        if matches!(node, Node::Edge(_)) {
            return Ok(node);
        }
        self.parse_repetition(node)
    }

    fn parse_group(&mut self) -> Result<Node, Malformed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed::TooBig);
        }
        self.groups += 1;
        let number = self.groups;
        let inside = self.parse_choice()?;
        self.text.next_if_eq(&')').ok_or(Malformed::OpenGroup)?;
        self.depth -= 1;
        self.closed.push(number);
        Ok(Node::Group(number, Box::new(inside)))
    }

    fn parse_escape(&mut self) -> Result<Node, Malformed> {
        let word = |is_negated, class, underscore: &[SetItem]| {
            let items = [&[SetItem::Class(class)], underscore].concat();
            Node::Set(Set { is_negated, items })
        };
        let underscore = [SetItem::Range('_', '_')];
        Ok(match self.text.next().ok_or(Malformed::Backslash)? {
            digit @ '1'..='9' => {
                let number = digit.to_digit(10).unwrap_or_default() as usize;
                if !self.closed.contains(&number) {
                    return Err(Malformed::BackReference);
                }
                self.has_back_references = true;
                Node::SameAs(number)
            }
            '<' => Node::Edge(Edge::WordStart),
            '>' => Node::Edge(Edge::WordEnd),
            'b' => Node::Edge(Edge::Word),
            'B' => Node::Edge(Edge::NotWord),
            '`' => Node::Edge(Edge::Start),
            '\'' => Node::Edge(Edge::End),
            'w' => word(false, Class::Alnum, &underscore),
            'W' => word(true, Class::Alnum, &underscore),
            's' => word(false, Class::Space, &[]),
            'S' => word(true, Class::Space, &[]),
            other => Node::Character(other),
        })
    }

    fn parse_repetition(&mut self, mut node: Node) -> Result<Node, Malformed> {
        for signs in 0.. {
            let (least, most) = match self.text.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => (0, Some(0)),
                _ => break,
            };
            if signs >= DEEPEST {
                return Err(Malformed::TooBig);
            }
            let is_interval = self.text.next() == Some('{');
            let (least, most) = if is_interval { self.parse_interval()? } else { (least, most) };
            node = Node::Repeated { node: Box::new(node), least, most };
        }
        Ok(node)
    }

    /// `n}`, `n,}`, `,m}`, `n,m}`
    fn parse_interval(&mut self) -> Result<(u32, Option<u32>), Malformed> {
        let least = self.parse_number()?;
        let (least, most) = match (least, self.text.next()) {
            (_, None) => return Err(Malformed::OpenInterval),
            (Some(least), Some('}')) => (least, Some(least)),
            (least, Some(',')) => {
                let most = self.parse_number()?;
                match self.text.next() {
                    Some('}') => (least.unwrap_or(0), most),
                    Some(_) => return Err(Malformed::Interval),
                    None => return Err(Malformed::OpenInterval),
                }
            }
            (_, Some(_)) => return Err(Malformed::Interval),
        };
        if most.is_some_and(|most| least > most) {
            return Err(Malformed::Interval);
        }
        if most.unwrap_or(least) > MOST_REPETITIONS {
            return Err(Malformed::TooBig);
        }
        Ok((least, most))
    }

    fn parse_number(&mut self) -> Result<Option<u32>, Malformed> {
        let mut number = None;
        while let Some(digit) = self.text.peek().and_then(|next| next.to_digit(10)) {
            self.text.next();
            let before = number.unwrap_or(0_u32);
            number = Some(before.saturating_mul(10).saturating_add(digit).min(MOST_REPETITIONS + 1));
        }
        Ok(number)
    }

    /// What follows a `[`.
    fn parse_set(&mut self) -> Result<Set, Malformed> {
        let is_negated = self.text.next_if_eq(&'^').is_some();
        let mut items = Vec::new();
        let mut is_first = true;
        loop {
            let next = *self.text.peek().ok_or(Malformed::OpenSet)?;
            if next == ']' && !is_first {
                self.text.next();
                return Ok(Set { is_negated, items });
            }
            items.push(self.parse_item(is_first)?);
            is_first = false;
        }
    }

    fn parse_item(&mut self, is_first: bool) -> Result<SetItem, Malformed> {
        let first = match self.parse_element(is_first)? {
            Element::Class(class) => return Ok(SetItem::Class(class)),
            Element::Equivalent(character) => return Ok(SetItem::Range(character, character)),
            Element::Character(character) => character,
        };
        let mut ahead = self.text.clone();
        match (ahead.next(), ahead.next()) {
            (None, _) | (Some('-'), None) => Err(Malformed::OpenSet),
            (Some('-'), Some(']')) => Ok(SetItem::Range(first, first)),
            (Some('-'), Some(_)) => {
                self.text.next();
                match self.parse_element(true)? {
                    Element::Character(last) if first <= last => Ok(SetItem::Range(first, last)),
                    Element::Character(_) | Element::Equivalent(_) | Element::Class(_) => {
                        Err(Malformed::Range)
                    }
                }
            }
            _ => Ok(SetItem::Range(first, first)),
        }
    }

    /// One character, or what a bracket within the brackets stands for.
    fn parse_element(&mut self, takes_hyphen: bool) -> Result<Element, Malformed> {
        let first = self.text.next().ok_or(Malformed::OpenSet)?;
        if first == '-' && !takes_hyphen {
            return match self.text.peek() {
                Some(']') => Ok(Element::Character('-')),
                _ => Err(Malformed::Range),
            };
        }
        if first != '[' {
            return Ok(Element::Character(first));
        }
        let Some(kind) = self.text.next_if(|next| matches!(next, '.' | '=' | ':')) else {
            return Ok(Element::Character('['));
        };
        let name = self.parse_name(kind)?;
        let mut characters = name.chars();
        match (kind, characters.next(), characters.next()) {
            (':', ..) => class(&name).map(Element::Class).ok_or(Malformed::Class),
            ('.', Some(only), None) => Ok(Element::Character(only)),
            ('=', Some(only), None) => Ok(Element::Equivalent(only)),
            _ => Err(Malformed::Collation),
        }
    }

    /// Up to `:]`.
    fn parse_name(&mut self, kind: char) -> Result<String, Malformed> {
        let mut name = String::new();
        loop {
            let next = self.text.next().ok_or(Malformed::OpenSet)?;
            if next == kind && self.text.next_if_eq(&']').is_some() {
                return Ok(name);
            }
            name.push(next);
        }
    }
}

/// What a set lists.
enum Element {
    Character(char),
    Equivalent(char),
    Class(Class),
}

fn class(name: &str) -> Option<Class> {
    Some(match name {
        "alnum" => Class::Alnum,
        "alpha" => Class::Alpha,
        "blank" => Class::Blank,
        "cntrl" => Class::Cntrl,
        "digit" => Class::Digit,
        "graph" => Class::Graph,
        "lower" => Class::Lower,
        "print" => Class::Print,
        "punct" => Class::Punct,
        "space" => Class::Space,
        "upper" => Class::Upper,
        "xdigit" => Class::Xdigit,
        _ => return None,
    })
}
