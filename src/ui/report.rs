//! Diagnostics on the screen.

use std::error::Error;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::TerminalText;

/// How long a message may be, in bytes: rpm's words for what is wrong with a line quote it, and it may have megabytes.
const LONGEST_MESSAGE: usize = 2048;

/// How diagnostics look.
#[derive(Clone, Copy, Debug)]
pub struct ReportStyle {
    /// Whether they have colours.
    pub colors: bool,
    /// How wide they may be, in columns.
    pub width: usize,
}

/// A diagnostic with its code, place, excerpt and help.
pub fn report(diagnostic: &dyn Diagnostic, style: ReportStyle) -> String {
    let styles = if style.colors { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_links(false);
    let mut text = String::new();
    if handler.render_report(&mut text, &Clipped(diagnostic)).is_err() {
        text = format!("{}\n", Clipped(diagnostic));
    }
    // Manifests and specs are quoted, and may come from anywhere.
    let (mut cleaner, mut shown) = (TerminalText::default(), Vec::new());
    cleaner.clean(text.as_bytes(), &mut shown);
    cleaner.finish(&mut shown);
    String::from_utf8_lossy(&shown).lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A diagnostic, of whose message no more is shown than anybody reads.
#[derive(Debug)]
struct Clipped<'a>(&'a dyn Diagnostic);

impl fmt::Display for Clipped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0.to_string();
        if message.len() <= LONGEST_MESSAGE {
            return f.write_str(&message);
        }
        let shown: String =
            message.char_indices().take_while(|(at, _)| *at < LONGEST_MESSAGE).map(|(_, c)| c).collect();
        write!(f, "{shown}… ({} bytes in all)", message.len())
    }
}

impl Error for Clipped<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl Diagnostic for Clipped<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.url()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.0.related()
    }

    fn diagnostic_source(&self) -> Option<&dyn Diagnostic> {
        self.0.diagnostic_source()
    }
}
