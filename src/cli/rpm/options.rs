//! Command lines of rpm's programs, as popt(3) reads them.

/// An option: its long name, its letter, what it means, and whether it has a value.
pub struct Row<W: 'static> {
    /// The name after two hyphens.
    pub long: &'static str,
    /// The letter after one.
    pub short: Option<char>,
    /// What it means.
    pub wanted: W,
    /// Whether a value follows.
    pub has_value: bool,
}

impl<W> Row<W> {
    /// An option that stands alone.
    pub const fn bare(long: &'static str, short: Option<char>, wanted: W) -> Self {
        Self { long, short, wanted, has_value: false }
    }

    /// An option with a value.
    pub const fn valued(long: &'static str, short: Option<char>, wanted: W) -> Self {
        Self { long, short, wanted, has_value: true }
    }
}

/// A word of the command line, or an option with its value.
pub enum CommandWord<W> {
    /// An option, as it was written, and its value.
    Option {
        /// Its name, as it was written.
        name: String,
        /// What it means.
        wanted: W,
        /// Its value; empty where it has none.
        value: Vec<u8>,
    },
    /// Anything else: a file, mostly.
    Word(Vec<u8>),
}

impl<W> CommandWord<W> {
    /// The same with another meaning.
    pub fn meaning<V>(self, convert: impl FnOnce(W) -> V) -> CommandWord<V> {
        match self {
            Self::Option { name, wanted, value } => {
                CommandWord::Option { name, wanted: convert(wanted), value }
            }
            Self::Word(word) => CommandWord::Word(word),
        }
    }
}

/// The command line of a program.
pub struct CommandLine<W: 'static> {
    /// The program's name, for its messages.
    pub program: &'static str,
    /// Its options.
    pub options: &'static [&'static [Row<W>]],
}

impl<W: Copy> CommandLine<W> {
    /// Whether an argument is an option of this table, by its name or its first letter.
    pub fn knows(&self, argument: &[u8]) -> bool {
        let mut rows = self.options.iter().flat_map(|rows| rows.iter());
        match (argument.strip_prefix(b"--"), argument.get(1)) {
            (Some(long), _) => {
                let name = long.split(|byte| *byte == b'=').next().unwrap_or_default();
                rows.any(|row| row.long.as_bytes() == name)
            }
            (None, Some(letter)) if argument.starts_with(b"-") => {
                rows.any(|row| row.short == Some(char::from(*letter)))
            }
            _ => false,
        }
    }

    /// Reads one argument, and the next one where it is its value.
    ///
    /// # Errors
    /// There is no such option, or it lacks its value; what the program says then.
    pub fn read(
        &self,
        argument: Vec<u8>,
        next: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<Vec<CommandWord<W>>, Vec<u8>> {
        if argument == b"--" {
            return Ok(next.map(CommandWord::Word).collect());
        }
        if let Some(long) = argument.strip_prefix(b"--") {
            let (name, value) = match long.iter().position(|byte| *byte == b'=') {
                Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(<[u8]>::to_vec)),
                None => (long, None),
            };
            let name = format!("--{}", String::from_utf8_lossy(name));
            let row = self.find(|row| name.get(2..) == Some(row.long), &name)?;
            return Ok(vec![self.take_value(name, row, value, next)?]);
        }
        let mut left = match argument.strip_prefix(b"-") {
            Some(letters) if !letters.is_empty() => letters,
            _ => return Ok(vec![CommandWord::Word(argument)]),
        };
        let mut all = Vec::new();
        while let Some((letter, rest)) = left.split_first() {
            left = rest;
            let name = format!("-{}", char::from(*letter));
            let row = self.find(|row| row.short == Some(char::from(*letter)), &name)?;
            let attached = (row.has_value && !rest.is_empty()).then(|| {
                left = &[];
                rest.strip_prefix(b"=").unwrap_or(rest).to_vec()
            });
            all.push(self.take_value(name, row, attached, next)?);
        }
        Ok(all)
    }

    /// Reads one as an option of another table, if it `is_other`.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_either<O: Copy>(
        &self,
        (other, is_other): (&CommandLine<O>, bool),
        meaning: impl Fn(O) -> W,
        argument: Vec<u8>,
        next: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<Vec<CommandWord<W>>, Vec<u8>> {
        if is_other {
            let all = other.read(argument, next)?.into_iter();
            return Ok(all.map(|said| said.meaning(&meaning)).collect());
        }
        self.read(argument, next)
    }

    fn find(&self, is_meant: impl Fn(&Row<W>) -> bool, name: &str) -> Result<&'static Row<W>, Vec<u8>> {
        let mut rows = self.options.iter().flat_map(|rows| rows.iter());
        rows.find(|row| is_meant(row)).ok_or_else(|| self.complaint(name, "unknown option"))
    }

    fn take_value(
        &self,
        name: String,
        row: &Row<W>,
        value: Option<Vec<u8>>,
        next: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<CommandWord<W>, Vec<u8>> {
        let value = match (row.has_value, value) {
            (false, _) => Vec::new(),
            (true, Some(value)) => value,
            (true, None) => next.next().ok_or_else(|| self.complaint(&name, "missing argument"))?,
        };
        Ok(CommandWord::Option { name, wanted: row.wanted, value })
    }

    /// The program's message about an option or another word.
    pub fn complaint(&self, option: &str, what: &str) -> Vec<u8> {
        format!("{}: {option}: {what}\n", self.program).into_bytes()
    }
}
