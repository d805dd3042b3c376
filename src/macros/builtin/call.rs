//! Calls of built-in macros.

use std::rc::Rc;

use bstr::ByteSlice;

use super::super::Stop;
use super::super::arguments::QUOTE;
use super::super::call::{CallSite, Rest, is_blank, slice};
use super::super::define::{self, Extent, ParsedDefinition};
use super::super::expand::CallArguments;
use super::super::expression::TermExpansion;
use super::super::host::OpenMacro;
use super::super::language::Language;
use super::super::problem::MacroProblem;
use super::super::table::{Expansion, Level};
use super::{Builtin, Takes, strings};

impl Language {
    /// Calls a built-in macro, and gives where the text goes on.
    pub(in super::super) fn call_built_in(
        self: &Rc<Self>,
        builtin: Builtin,
        site: CallSite<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        let name = OpenMacro::BuiltIn(builtin.name());
        match builtin.takes() {
            Takes::Raw => self.with_open_macro(name, || self.call_raw(builtin, site, out)),
            Takes::Nothing => {
                let (given, end) = match site.rest {
                    Rest::Open => (CallArguments::empty(), site.end),
                    Rest::Nothing | Rest::Text(_) | Rest::Words(_) => self.read_arguments(site)?,
                };
                if !given.words.is_empty() {
                    return Err(self.fail(MacroProblem::ArgumentUnexpected { name: builtin.name() }));
                }
                self.with_open_macro(name, || self.run_built_in(builtin, &[], out))?;
                Ok(end)
            }
            Takes::Perhaps | Takes::Word | Takes::Words => {
                let (given, end) = self.read_arguments(site)?;
                if given.has_failed && !matches!(site.rest, Rest::Text(_)) {
                    return Err(Stop);
                }
                if given.words.is_empty() && builtin.takes() != Takes::Perhaps {
                    return Err(self.fail(MacroProblem::ArgumentExpected { name: builtin.name() }));
                }
                // What is quoted already keeps its quotes, as in rpm.
                let is_text = matches!(site.rest, Rest::Text(_)) && builtin == Builtin::Quote;
                let words = if is_text { vec![given.all] } else { given.words };
                self.with_open_macro(name, || self.run_built_in(builtin, &words, out))?;
                if given.has_failed { Err(Stop) } else { Ok(end) }
            }
        }
    }

    /// Calls a built-in macro with words that have been split, as Lua does.
    pub(in super::super) fn run_built_in(
        self: &Rc<Self>,
        builtin: Builtin,
        words: &[Vec<u8>],
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let word = words.first().map(Vec::as_slice).unwrap_or_default();
        match builtin {
            Builtin::Patch => self.expand_into(&[b"%PATCH", word].concat(), out)?,
            Builtin::Source => self.expand_into(&[b"%SOURCE", word].concat(), out)?,
            Builtin::Undefine => self.undefine(word)?,
            Builtin::Dump => {
                let macros = self.table.borrow().len();
                self.charge(macros)?;
                self.print_dump();
            }
            Builtin::Echo => self.host.print(&[word, b"\n"].concat()),
            Builtin::Warn => self.report(MacroProblem::Warning(word.into())),
            Builtin::Error => return Err(self.fail(MacroProblem::Error(word.into()))),
            Builtin::Expand if word.is_empty() => {}
            Builtin::Expand => self.expand_into(word, out)?,
            Builtin::Expr => out.extend(self.evaluate(word, TermExpansion::Before)?.into_text()),
            Builtin::Load => self.load(word, Level::MACRO_FILES)?,
            Builtin::Macrobody => out.extend(self.macro_body(word)?),
            Builtin::Quote => {
                self.has_quotes.set(true);
                for (number, word) in words.iter().enumerate() {
                    out.extend_from_slice(if number == 0 { b"" } else { b" " });
                    out.extend([&[QUOTE], word.as_slice(), &[QUOTE]].concat());
                }
            }
            Builtin::Gsub | Builtin::Rep | Builtin::Sub => {
                out.extend(self.call_lua_string(builtin.name(), words)?);
            }
            Builtin::Trace => self.begin_trace(),
            Builtin::Uncompress if word.is_empty() => {}
            Builtin::Uncompress => self.expand_into(&[b"%{__rpmuncompress} ", word].concat(), out)?,
            Builtin::Basename
            | Builtin::Dirname
            | Builtin::Len
            | Builtin::Lower
            | Builtin::Reverse
            | Builtin::Shescape
            | Builtin::Shrink
            | Builtin::Span
            | Builtin::Suffix
            | Builtin::Upper
            | Builtin::Url2path
            | Builtin::Url2path2 => out.extend(strings::apply(builtin, word, words)),
            Builtin::Exists
            | Builtin::Getconfdir
            | Builtin::Getenv
            | Builtin::Getncpus
            | Builtin::Rpmversion
            | Builtin::Xdg => out.extend(self.ask_machine(builtin, words)?),
            Builtin::Define | Builtin::Global => {
                self.define_from_text(builtin, &words.join(&b' '), Extent::Whole)?.1?;
            }
            Builtin::Lua => self.run_lua(word, out)?,
            Builtin::Verbose if words.is_empty() => {
                out.extend(if self.host.is_verbose() { b"1" } else { b"0" });
            }
            Builtin::Verbose if self.host.is_verbose() => self.expand_into(word, out)?,
            Builtin::Verbose => {}
            Builtin::Dnl => {}
        }
        Ok(())
    }

    /// The body of a macro.
    fn macro_body(&self, name: &[u8]) -> Result<Vec<u8>, Stop> {
        if name.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(value) = self.automatic_value(name) {
            return Ok(value);
        }
        if let Some(definition) = self.table.borrow().get(name) {
            return Ok(definition.body.to_vec());
        }
        match Builtin::from_name(name) {
            Some(_) => Ok(b"<builtin>".to_vec()),
            None => Err(self.fail(MacroProblem::NoSuchMacro { name: name.into() })),
        }
    }

    /// Those that take text as it was written.
    fn call_raw(
        self: &Rc<Self>,
        builtin: Builtin,
        site: CallSite<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        let missing = || Err(self.fail(MacroProblem::ArgumentExpected { name: builtin.name() }));
        let end = site.end;
        match (builtin, site.rest) {
            (Builtin::Define | Builtin::Global, Rest::Open) => {
                let (length, result) = self.define_from_text(builtin, site.text_behind(), Extent::Line)?;
                result.map(|()| end + length)
            }
            (Builtin::Define | Builtin::Global, Rest::Text(written) | Rest::Words(written)) => {
                self.define_from_text(builtin, written, Extent::Whole)?.1.map(|()| end)
            }
            (Builtin::Lua, Rest::Text(code) | Rest::Words(code)) => self.run_lua(code, out).map(|()| end),
            // rpm runs the rest of the line, and then keeps it in the text.
            (Builtin::Lua, Rest::Open) => {
                let line = site.text_behind().split(|byte| *byte == b'\n').next();
                self.run_lua(line.unwrap_or_default(), out).map(|()| end)
            }
            (Builtin::Dnl, Rest::Open) => {
                let line = site.text_behind().find_byte(b'\n');
                Ok(line.map_or(site.text.len(), |length| end + length + 1))
            }
            (Builtin::Dnl, Rest::Text(_) | Rest::Words(_)) => Ok(end),
            (Builtin::Verbose, Rest::Text(written) | Rest::Words(written)) => {
                if self.host.is_verbose() {
                    self.expand_into(written, out)?;
                }
                Ok(end)
            }
            (Builtin::Verbose, _) => self.run_built_in(builtin, &[], out).map(|()| end),
            (_, _) => missing(),
        }
    }

    /// `%define` and `%global`: how much of the text they take, and how it went.
    fn define_from_text(
        self: &Rc<Self>,
        builtin: Builtin,
        text: &[u8],
        extent: Extent,
    ) -> Result<(usize, Result<(), Stop>), Stop> {
        let is_global = builtin == Builtin::Global;
        let mut options = DefineOptions { now: is_global, globally: is_global };
        let begin = if is_global { 0 } else { options.read(text).map_err(|problem| self.fail(problem))? };
        let primitive = if is_global { "%global" } else { "%define" };
        let (length, written) =
            define::read(slice(text, begin, text.len()), extent, primitive, |name| self.has_built_in(name));
        let result = match written {
            Ok(written) => self.add_expanded(written, &options),
            Err(problem) => Err(self.fail(problem)),
        };
        Ok((begin + length, result))
    }

    fn add_expanded(
        self: &Rc<Self>,
        mut written: ParsedDefinition,
        options: &DefineOptions,
    ) -> Result<(), Stop> {
        if options.now && written.expansion != Expansion::Never {
            let expanded = self.expand(&written.body);
            written.body = expanded.map_err(|Stop| {
                self.fail(MacroProblem::NotExpanded { name: written.name.as_slice().into() })
            })?;
        }
        let level = if options.globally { Level::GLOBAL } else { Level(self.level()) };
        self.add(written, level, self.current_origin())
    }
}

/// The options of `%define`.
struct DefineOptions {
    /// `-e`: the body is expanded now.
    now: bool,
    /// `-g`: not only within this call.
    globally: bool,
}

impl DefineOptions {
    /// Reads options, and gives where the name begins.
    fn read(&mut self, text: &[u8]) -> Result<usize, MacroProblem> {
        let mut at = 0;
        loop {
            let blanks = slice(text, at, text.len()).iter().take_while(|byte| is_blank(**byte)).count();
            at += blanks;
            if text.get(at) != Some(&b'-') {
                return Ok(at);
            }
            let letters = slice(text, at + 1, text.len());
            let length = letters.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
            for letter in slice(letters, 0, length) {
                match letter {
                    b'e' => self.now = true,
                    b'g' => self.globally = true,
                    _ => return Err(MacroProblem::DefineOption { option: char::from(*letter) }),
                }
            }
            if length == 0 {
                return Err(MacroProblem::DefineDash);
            }
            at += 1 + length;
        }
    }
}
