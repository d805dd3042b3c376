//! How the parser defines macros, and asks them.

use bstr::BString;

use crate::macros::{Definition, Expansion, Level, Macros, Origin};

/// Defines a macro as the spec does.
pub(super) fn push(macros: &Macros, name: &[u8], body: &[u8]) {
    macros.push(Definition { expansion: Expansion::Always, ..Definition::literal_of_spec(name, body) });
}

/// Defines a macro that stands for itself.
pub(super) fn define_literal(macros: &Macros, name: &[u8], body: &[u8]) {
    macros.push(Definition::literal_of_spec(name, body));
}

/// Defines it in the place of what the spec has defined before.
pub(super) fn redefine(macros: &Macros, name: &[u8], body: &[u8]) {
    let is_ours = macros.with_table(|table| table.get(name).is_some_and(|old| old.level == Level::SPEC));
    if is_ours {
        macros.pop(name);
    }
    push(macros, name, body);
}

/// What a text expands to; nothing where it can't be expanded.
pub(super) fn expand_text(macros: &Macros, text: &str) -> BString {
    macros.set_place(Origin::named("<spec>"));
    macros.expand_piece(text.as_bytes()).unwrap_or_default().into()
}
