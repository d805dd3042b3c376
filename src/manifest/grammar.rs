//! The form of the language as data: which nodes there are, what they take, what may stand in them.
//!
//! [`DOCUMENT`](super::rules::DOCUMENT) is the one statement of it. The checker reads it, the schema
//! in `schemas/` is written from it, and so is the reference, so that none of them can say another thing.

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Letters, digits and `._+-`, beginning with a letter or digit.
    Name,
    /// Any text; `(env)"NAME"` takes it from the environment.
    Text,
    /// A pattern of globset's syntax: `*`, `?`, `[…]`, `{a,b}`, `**`.
    Glob,
    /// A path, relative to the file that says it.
    Path,
    /// A duration with its unit: `90m`, `5h`, `14d`.
    Duration,
    /// A duration with its unit, or `forever`.
    Age,
    /// A size with its unit: `500MB`, `8GiB`.
    Size,
    /// A whole number from 0.
    Count,
    /// A whole number from 1.
    Number,
    /// `#true` or `#false`.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A version of rpm whose language is known.
    RpmVersion,
    /// An architecture of packages.
    Arch,
    /// 64 hexadecimal digits.
    Sha256,
    /// A text, number or boolean that is kept as it is spelt, or `#null`.
    Spelling,
}

impl ValueKind {
    /// What it is called in messages and in the reference.
    pub fn description(self) -> String {
        match self {
            Self::Name => "a name of letters, digits and `._+-`".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Glob => "a pattern".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Duration => "a duration such as `90m` or `5h`".to_owned(),
            Self::Age => "a duration such as `14d`, or `forever`".to_owned(),
            Self::Size => "a size such as `500MB` or `8GiB`".to_owned(),
            Self::Count => "a whole number".to_owned(),
            Self::Number => "a whole number from 1 on".to_owned(),
            Self::Boolean => "`#true` or `#false`".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::RpmVersion => "a version of rpm such as `4.18`".to_owned(),
            Self::Arch => "an architecture such as `x86_64`".to_owned(),
            Self::Sha256 => "a SHA-256 checksum of 64 hexadecimal digits".to_owned(),
            Self::Spelling => "a value".to_owned(),
        }
    }
}

/// Whether builds do what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// They do.
    Full,
    /// What is said is read and checked, and has no effect yet.
    NotYet,
}

/// An argument: a value by its position.
#[derive(Clone, Copy, Debug)]
pub struct ArgumentRule {
    /// What it is called in messages.
    pub name: &'static str,
    /// What it must be.
    pub kind: ValueKind,
    /// How many of it: at least, and at most (`None`: any number).
    pub count: (usize, Option<usize>),
}

/// A property: a value by its name.
#[derive(Clone, Copy, Debug)]
pub struct PropertyRule {
    /// Its name.
    pub name: &'static str,
    /// What it must be.
    pub kind: ValueKind,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// How often a node may stand in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// Once at the most.
    Once,
    /// Any number of times.
    Often,
}

/// What may stand in a node's block.
#[derive(Clone, Copy, Debug)]
pub enum Block {
    /// Nothing: it has none.
    None,
    /// These nodes.
    Nodes(&'static [NodeRule]),
    /// Nodes whose names the user chooses, each with the one rule.
    Free(&'static NodeRule),
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct NodeRule {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether it has an effect.
    pub support: Support,
    /// How often it may stand in its block.
    pub occurs: Occurs,
    /// Its arguments, in order.
    pub arguments: &'static [ArgumentRule],
    /// Its properties.
    pub properties: &'static [PropertyRule],
    /// What may stand in its block.
    pub block: Block,
}

impl NodeRule {
    /// The same node, which has no effect yet, or has none with some words.
    pub const fn with_support(mut self, support: Support) -> Self {
        self.support = support;
        self
    }

    /// The same node with properties.
    pub const fn with_properties(mut self, properties: &'static [PropertyRule]) -> Self {
        self.properties = properties;
        self
    }

    /// The same node with a block.
    pub const fn with_block(mut self, block: Block) -> Self {
        self.block = block;
        self
    }

    /// The rules of the nodes in its block.
    pub fn children(&self) -> &'static [NodeRule] {
        match self.block {
            Block::Nodes(rules) => rules,
            Block::None | Block::Free(_) => &[],
        }
    }
}

/// One argument.
pub(super) const fn one(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (1, Some(1)) }
}

/// Any number of arguments.
pub(super) const fn any(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (0, None) }
}

/// One argument or several.
pub(super) const fn some(name: &'static str, kind: ValueKind) -> ArgumentRule {
    ArgumentRule { name, kind, count: (1, None) }
}

/// A property that may be left out.
pub(super) const fn property(name: &'static str, kind: ValueKind, doc: &'static str) -> PropertyRule {
    PropertyRule { name, kind, required: false, doc }
}

/// A property that must be there.
pub(super) const fn required(name: &'static str, kind: ValueKind, doc: &'static str) -> PropertyRule {
    PropertyRule { name, kind, required: true, doc }
}

/// A node without properties and block.
pub(super) const fn node(
    name: &'static str,
    occurs: Occurs,
    arguments: &'static [ArgumentRule],
    doc: &'static str,
) -> NodeRule {
    NodeRule { name, doc, support: Support::Full, occurs, arguments, properties: &[], block: Block::None }
}
