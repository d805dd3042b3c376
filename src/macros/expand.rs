//! Expansion: text with calls → text.

use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice;

use super::Stop;
use super::arguments::{Arguments, split_words, strip_quotes};
use super::builtin::Builtin;
use super::call::{self, Call, CallSite, NamedCall, Rest, slice};
use super::expression::{self, ExpressionContext, ExpressionProblem, ExpressionValue, TermExpansion};
use super::host::{Access, OpenMacro};
use super::language::Language;
use super::limits::{BYTES_A_STEP, BYTES_OF_ARGUMENTS_A_STEP, BYTES_OF_CALL_A_STEP};
use super::problem::MacroProblem;
use super::table::{Definition, Expansion, Level};
use super::trace::TracedText;

/// What a name stands for.
enum FoundMacro {
    Automatic(Vec<u8>),
    Defined(Arc<Definition>),
    BuiltIn(Builtin),
}

/// What a macro is called with.
pub(super) struct CallArguments {
    /// All of it, with quotes.
    pub all: Vec<u8>,
    /// The single words, without.
    pub words: Vec<Vec<u8>>,
    /// Whether something in them could not be expanded: built-in macros take what came before it.
    pub has_failed: bool,
}

impl Language {
    /// Expands a text of its own: nothing around it sees its quotes.
    pub fn expand(self: &Rc<Self>, text: &[u8]) -> Result<Vec<u8>, Stop> {
        let outer = self.has_quotes.replace(false);
        let mut out = Vec::new();
        let result = self.expand_into(text, &mut out);
        if self.has_quotes.replace(outer) {
            strip_quotes(&mut out, 0);
        }
        result.map(|()| out)
    }

    /// Expands a text at the end of `out`.
    pub fn expand_into(self: &Rc<Self>, text: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.charge(text.len() / BYTES_A_STEP)?;
        self.descend(|| self.expand_calls(text, out))
    }

    fn expand_calls(self: &Rc<Self>, text: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut traced = TracedText::new(text, out.len());
        let was_traced = self.is_traced.get();
        let result = self.expand_each_call(&mut traced, out);
        // Of what has failed even without `%trace`, where every detail is wanted.
        if self.is_traced.get() || result.is_err() && self.host.is_verbose() {
            self.trace_result(&traced, out);
        }
        self.is_traced.set(was_traced || self.traces_all.get());
        result
    }

    fn expand_each_call(self: &Rc<Self>, traced: &mut TracedText<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        let text = traced.text;
        let mut at = 0;
        while let Some(ahead) = slice(text, at, text.len()).find_byte(b'%') {
            let percent = at + ahead;
            out.extend_from_slice(slice(text, at, percent));
            if self.is_traced.get() {
                self.trace_call(traced, percent, out.len());
            }
            at = self.expand_call(traced, percent, out)?;
            self.check_length(out)?;
        }
        out.extend_from_slice(slice(text, at, text.len()));
        self.check_length(out)
    }

    #[inline]
    fn check_length(&self, out: &[u8]) -> Result<(), Stop> {
        let limit = self.limits.output_bytes;
        if out.len() > limit { Err(self.fail(MacroProblem::TooLong { limit })) } else { Ok(()) }
    }

    /// Expands one call, and gives where the text goes on.
    fn expand_call(
        self: &Rc<Self>,
        traced: &mut TracedText<'_>,
        percent: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        let text = traced.text;
        let (call, length) = call::read(text, percent);
        self.charge(length / BYTES_OF_CALL_A_STEP)?;
        let end = percent + length;
        match call {
            Call::Sign { .. } => out.push(b'%'),
            Call::Shell(command) => self.expand_shell(command, out)?,
            Call::Expression(written) => {
                out.extend(self.evaluate(written, TermExpansion::WithTheTerm)?.into_text());
            }
            Call::Named(named) => {
                traced.last_named = Some(percent);
                return self.expand_named(&named, text, percent, out);
            }
            Call::Unterminated(bracket) => {
                let text = slice(text, percent + 1, text.len()).into();
                return Err(self.fail(MacroProblem::Unterminated { bracket, text }));
            }
        }
        Ok(end)
    }

    fn expand_shell(self: &Rc<Self>, command: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut expanded = Vec::new();
        self.expand_into(command, &mut expanded)?;
        strip_quotes(&mut expanded, 0);
        if self.host.access() == Access::Closed {
            self.report(MacroProblem::Closed { what: "%(…)", text: expanded.as_slice().into() });
            return Ok(());
        }
        let output = self.host.shell(&expanded).map_err(|error| {
            self.fail(MacroProblem::NoShell {
                command: expanded.as_slice().into(),
                reason: crate::files::reason(&error),
            })
        })?;
        out.extend_from_slice(output.trim_end_with(|character| matches!(character, '\n' | '\r')));
        Ok(())
    }

    fn expand_named(
        self: &Rc<Self>,
        named: &NamedCall<'_>,
        text: &[u8],
        percent: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        let end = percent + named.length;
        let site = CallSite { rest: named.rest, text, end };
        if named.is_test {
            return self.expand_test(named, site, out).map(|()| end);
        }
        match self.find_macro(named.name) {
            None => {
                out.push(b'%');
                // What stands within braces is looked at once more; before a bare name `?` and `!` are gone.
                Ok(match named.rest {
                    Rest::Open => end - named.name.len(),
                    Rest::Nothing | Rest::Text(_) | Rest::Words(_) => percent + 1,
                })
            }
            Some(FoundMacro::BuiltIn(builtin)) => self.call_built_in(builtin, site, out),
            Some(FoundMacro::Defined(definition)) if definition.options.is_some() => {
                let (given, end) = self.read_arguments(site)?;
                self.charge(given.all.len() / BYTES_OF_ARGUMENTS_A_STEP)?;
                self.call_parametric(&definition, given, out)?;
                Ok(end)
            }
            Some(found) => {
                if matches!(named.rest, Rest::Text(_) | Rest::Words(_)) {
                    self.report(MacroProblem::NotParametric { name: named.name.into() });
                }
                self.expand_plain(found, site, out)
            }
        }
    }

    fn find_macro(&self, name: &[u8]) -> Option<FoundMacro> {
        if let Some(value) = self.automatic_value(name) {
            self.has_quotes.set(self.has_quotes.get() || name == b"**");
            return Some(FoundMacro::Automatic(value));
        }
        if let Some(definition) = self.table.borrow().use_definition(name) {
            if let Some(uses) = &mut *self.uses.borrow_mut() {
                uses.insert(definition.name.clone(), Arc::clone(definition));
            }
            return Some(FoundMacro::Defined(Arc::clone(definition)));
        }
        Builtin::from_name(name).map(FoundMacro::BuiltIn)
    }

    /// `%{?name}`, `%{!?name:…}`, `%{-f:…}`.
    fn expand_test(
        self: &Rc<Self>,
        named: &NamedCall<'_>,
        site: CallSite<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let found = self.find_macro(named.name);
        if found.is_some() == named.is_negated {
            return Ok(());
        }
        match (named.rest, found) {
            (Rest::Text(text), _) if !text.is_empty() => self.expand_into(text, out),
            (_, Some(found)) => self.expand_plain(found, site, out).map(drop),
            (_, None) => Ok(()),
        }
    }

    /// Expands what takes no arguments, or has got none.
    fn expand_plain(
        self: &Rc<Self>,
        found: FoundMacro,
        site: CallSite<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, Stop> {
        match found {
            FoundMacro::Automatic(value) => out.extend(value),
            FoundMacro::Defined(definition) => self.expand_body(&definition, out)?,
            FoundMacro::BuiltIn(builtin) => {
                return self.call_built_in(builtin, CallSite { rest: Rest::Nothing, ..site }, out);
            }
        }
        Ok(site.end)
    }

    fn expand_body(self: &Rc<Self>, definition: &Arc<Definition>, out: &mut Vec<u8>) -> Result<(), Stop> {
        let name = OpenMacro::Defined(Arc::clone(definition));
        match definition.expansion {
            Expansion::Always => self.with_open_macro(name, || self.expand_into(&definition.body, out)),
            Expansion::Never => {
                out.extend_from_slice(&definition.body);
                Ok(())
            }
            Expansion::Extension => self.with_open_macro(name, || self.call_extension(definition, out)),
            Expansion::Once => {
                let mut expanded = Vec::new();
                self.with_open_macro(name, || self.expand_into(&definition.body, &mut expanded))?;
                out.extend_from_slice(&expanded);
                strip_quotes(&mut expanded, 0);
                self.check_defined()?;
                self.table.borrow_mut().replace_expanded(definition, &expanded);
                self.check_defined()
            }
        }
    }

    /// What follows a name, expanded, and where the text goes on.
    pub fn read_arguments(self: &Rc<Self>, site: CallSite<'_>) -> Result<(CallArguments, usize), Stop> {
        let end = site.end;
        match site.rest {
            Rest::Nothing => Ok((CallArguments::empty(), end)),
            Rest::Text(written) => {
                let mut all = Vec::new();
                let has_failed = self.expand_into(written, &mut all).is_err();
                let mut word = all.clone();
                strip_quotes(&mut word, 0);
                Ok((CallArguments { all, words: vec![word], has_failed }, end))
            }
            Rest::Words(written) => Ok((self.expand_words(written), end)),
            Rest::Open => {
                let line = site.rest_of_line();
                let end = end + line.len();
                // A backslash is a word like any other, but the line feed after it is gone.
                let is_hidden = line.ends_with(b"\\") && site.text.get(end) == Some(&b'\n');
                Ok((self.expand_words(line), end + usize::from(is_hidden)))
            }
        }
    }

    fn expand_words(self: &Rc<Self>, written: &[u8]) -> CallArguments {
        let mut expanded = Vec::new();
        let has_failed = self.expand_into(written, &mut expanded).is_err();
        CallArguments { has_failed, ..CallArguments::from_words(split_words(&expanded)) }
    }

    /// Calls a macro by its name; gives nothing where there is none.
    pub fn call(self: &Rc<Self>, name: &[u8], words: Vec<Vec<u8>>) -> Result<Vec<u8>, Stop> {
        let definition = self.table.borrow().get(name).map(Arc::clone);
        let mut out = Vec::new();
        if let Some(definition) = definition {
            self.call_parametric(&definition, CallArguments::from_words(words), &mut out)?;
            strip_quotes(&mut out, 0);
        }
        Ok(out)
    }

    /// Calls a parametric macro.
    pub fn call_parametric(
        self: &Rc<Self>,
        definition: &Arc<Definition>,
        given: CallArguments,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        if definition.body.is_empty() {
            // rpm does not even look at the options then.
            return if given.has_failed { Err(Stop) } else { Ok(()) };
        }
        let has_failed = given.has_failed;
        let options = definition.options.as_deref().unwrap_or_default();
        let parsed = Arguments::parse(&definition.name, options, given.all, given.words);
        let mut arguments = parsed.map_err(|problem| self.fail(problem))?;
        if has_failed {
            // rpm begins with the body, and ends at once: if it lies too deep, that is told as well.
            return self.descend(|| Err(Stop));
        }
        let level = self.level() + 1;
        arguments.level = level;
        let arguments = Rc::new(arguments);
        self.calls.borrow_mut().push(Rc::clone(&arguments));
        let result = self.expand_body(definition, out);
        for name in arguments.locals.take() {
            let unused = self.table.borrow_mut().end_scope(&name, Level(level));
            if unused > 0 {
                self.report(MacroProblem::Unused { name: name.as_slice().into() });
            }
        }
        self.calls.borrow_mut().pop();
        result
    }

    /// Works out an expression.
    pub fn evaluate(
        self: &Rc<Self>,
        written: &[u8],
        expansion: TermExpansion,
    ) -> Result<ExpressionValue, Stop> {
        expression::evaluate(written, expansion, &LanguageContext(self), &self.parentheses)
    }
}

impl CallArguments {
    /// No arguments.
    pub fn empty() -> Self {
        Self { all: Vec::new(), words: Vec::new(), has_failed: false }
    }

    /// Words that have been split.
    pub fn from_words(words: Vec<Vec<u8>>) -> Self {
        Self { all: super::arguments::quote_words(&words), words, has_failed: false }
    }
}

/// The language around an expression.
struct LanguageContext<'a>(&'a Rc<Language>);

impl ExpressionContext for LanguageContext<'_> {
    fn expand(&self, text: &[u8]) -> Result<Vec<u8>, Stop> {
        self.0.expand(text)
    }

    fn end_of_macro(&self, text: &[u8], at: usize) -> usize {
        call::find_end(text, at)
    }

    fn call_lua(
        &self,
        function: &[u8],
        arguments: &[ExpressionValue],
    ) -> Result<ExpressionValue, Result<Stop, Vec<u8>>> {
        self.0.call_lua_function(function, arguments)
    }

    fn takes_bare_words(&self) -> bool {
        self.0.takes_bare_words()
    }

    fn fail(&self, problem: ExpressionProblem) -> Stop {
        self.0.fail(MacroProblem::Expression(problem))
    }
}
