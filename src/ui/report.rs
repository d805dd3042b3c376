//! Diagnostics on the screen.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};

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
    if handler.render_report(&mut text, diagnostic).is_err() {
        return format!("{diagnostic}\n");
    }
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}
