//! Parts → an expression of the crate `regex`.

use super::syntax::{Class, Edge, Malformed, Node, Set, SetItem};

/// How much memory a compiled expression may take, in bytes.
const LARGEST: usize = 16 << 20;

pub(super) fn compile(node: &Node) -> Result<regex::bytes::Regex, Malformed> {
    let mut out = String::new();
    write(node, &mut out);
    let compiled = regex::bytes::RegexBuilder::new(&out)
        .dot_matches_new_line(true)
        .size_limit(LARGEST)
        .nest_limit(1000)
        .build();
    compiled.map_err(|_| Malformed::TooBig)
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Character(character) => write_character(*character, out),
        Node::Any => out.push('.'),
        Node::Set(set) => write_set(set, out),
        Node::Edge(edge) => out.push_str(match edge {
            Edge::Start => r"\A",
            Edge::End => r"\z",
            Edge::WordStart => r"\b{start}",
            Edge::WordEnd => r"\b{end}",
            Edge::Word => r"\b",
            Edge::NotWord => r"\B",
        }),
        Node::Group(_, inside) => write_within(std::slice::from_ref(&**inside), "", out),
        Node::Sequence(parts) => parts.iter().for_each(|part| write(part, out)),
        Node::Choice(branches) => write_within(branches, "|", out),
        Node::Repeated { node, least, most } => {
            write_within(std::slice::from_ref(&**node), "", out);
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            out.push_str(&format!("{{{least},{most}}}"));
        }
        // These are matched otherwise.
        Node::SameAs(_) => {}
    }
}

fn write_within(nodes: &[Node], between: &str, out: &mut String) {
    out.push_str("(?:");
    for (index, node) in nodes.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { between });
        write(node, out);
    }
    out.push(')');
}

fn write_character(character: char, out: &mut String) {
    out.push_str(&regex_syntax::escape(character.encode_utf8(&mut [0; 4])));
}

fn write_set(set: &Set, out: &mut String) {
    out.push_str(if set.is_negated { "[^" } else { "[" });
    for item in &set.items {
        match *item {
            SetItem::Range(first, last) => {
                out.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(first), u32::from(last)));
            }
            SetItem::Class(class) => out.push_str(class_pattern(class)),
        }
    }
    out.push(']');
}

/// The characters of a class in the locale C.UTF-8.
fn class_pattern(class: Class) -> &'static str {
    match class {
        Class::Alnum => r"[\p{Alphabetic}\p{N}]",
        Class::Alpha => r"[[\p{Alphabetic}\p{N}]--[0-9]]",
        Class::Blank => r"[ \t\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{205f}\x{3000}]",
        Class::Cntrl => r"[\p{Cc}\x{2028}\x{2029}]",
        Class::Digit => "[0-9]",
        Class::Graph => {
            r"[^\p{Cc}\x{2028}\x{2029} \x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{205f}\x{3000}]"
        }
        Class::Lower => r"\p{Lowercase}",
        Class::Print => r"[^\p{Cc}\x{2028}\x{2029}]",
        Class::Punct => {
            r"[^\p{Cc}\x{2028}\x{2029} \x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{205f}\x{3000}\p{Alphabetic}\p{N}]"
        }
        Class::Space => r"[ \t-\r\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{2028}\x{2029}\x{205f}\x{3000}]",
        Class::Upper => r"\p{Uppercase}",
        Class::Xdigit => "[0-9A-Fa-f]",
    }
}
