//! The macros that are part of the language (rpm-macros(7), "Built-in macros").

mod call;
mod machine;
mod strings;

/// How a built-in macro takes what follows its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Nothing.
    Nothing,
    /// A word, or nothing.
    Perhaps,
    /// A word; in braces after a colon all that is there.
    Word,
    /// All words.
    Words,
    /// Text that it expands itself, if at all.
    Raw,
}

macro_rules! builtins {
    ($($variant:ident $name:literal $takes:ident $doc:literal,)*) => {
        /// A built-in macro.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Builtin { $(#[doc = $doc] $variant,)* }

        impl Builtin {
            /// The built-in macro of that name.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                let name = std::str::from_utf8(name).ok()?;
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// All names.
            pub fn names() -> &'static [&'static str] {
                &[$($name,)*]
            }

            fn takes(self) -> Takes {
                match self { $(Self::$variant => Takes::$takes,)* }
            }
        }
    };
}

impl Builtin {
    /// Whether anything can be said to it.
    pub fn takes_arguments(self) -> bool {
        self.takes() != Takes::Nothing
    }
}

builtins! {
    Patch "P" Word "`%{P:n}`: the file of patch n.",
    Source "S" Word "`%{S:n}`: the file of source n.",
    Basename "basename" Word "The part of a path after its last slash.",
    Define "define" Raw "Defines a macro.",
    Dirname "dirname" Word "The part of a path before its last slash.",
    Dnl "dnl" Raw "A comment, up to the end of the line.",
    Dump "dump" Nothing "Shows the whole table.",
    Echo "echo" Word "Writes to standard output.",
    Error "error" Word "Ends the expansion with a message.",
    Exists "exists" Word "1 if there is such a file, else 0.",
    Expand "expand" Word "Expands its argument once more.",
    Expr "expr" Word "Works out an expression whose macros have been expanded.",
    Getconfdir "getconfdir" Nothing "Where rpm's own files are.",
    Getenv "getenv" Word "A variable of the environment.",
    Getncpus "getncpus" Perhaps "How many processors a build may use.",
    Global "global" Raw "Defines a macro globally, its body expanded now.",
    Gsub "gsub" Words "Lua's `string.gsub`.",
    Len "len" Word "How many bytes.",
    Load "load" Word "Loads a macro file.",
    Lower "lower" Word "In small letters.",
    Lua "lua" Raw "Runs Lua code.",
    Macrobody "macrobody" Word "The body of a macro, as it is.",
    Quote "quote" Words "Keeps text together as one argument.",
    Rep "rep" Words "Lua's `string.rep`.",
    Reverse "reverse" Word "Backwards.",
    Rpmversion "rpmversion" Nothing "The version of rpm whose language this is.",
    Shescape "shescape" Words "Quotes for the shell.",
    Shrink "shrink" Word "Without surplus white space.",
    Span "span" Word "Its argument, which may span lines.",
    Sub "sub" Words "Lua's `string.sub`.",
    Suffix "suffix" Word "What follows the last dot.",
    Trace "trace" Nothing "Shows every call from now on.",
    Url2path2 "u2p" Word "The path of a URL.",
    Uncompress "uncompress" Word "The command that unpacks a file.",
    Undefine "undefine" Word "Takes the newest definition away.",
    Upper "upper" Word "In capital letters.",
    Url2path "url2path" Word "The path of a URL.",
    Verbose "verbose" Raw "1 if every detail is wanted, else 0; its argument, only then.",
    Warn "warn" Word "A message that ends nothing.",
    Xdg "xdg" Word "A folder of the XDG Base Directory Specification.",
}
