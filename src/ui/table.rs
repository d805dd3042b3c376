//! Tables.

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};

use super::terminal_text::plain_text;
use crate::event::State;

/// A column: its title, and on which side its content stands.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Text.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Left(title) | Self::Right(title) => title,
        }
    }
}

/// A table of plain cells, which show no more of others' texts than a terminal may be given; a cell that is the name of a state has its colour. Lines carry no trailing space.
pub fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.enforce_styling();
    table.style_text_only();
    table.set_header(
        columns.iter().map(|column| Cell::new(column.title().to_uppercase()).fg(Color::DarkGrey)),
    );
    for row in rows {
        table.add_row(row.iter().zip(columns).map(|(text, column)| cell(text, *column)));
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// How many characters of the last column are shown however narrow the terminal is.
const LEAST_OF_LAST: usize = 20;

/// As [`table`], with as much of the last column as fits so many characters; all of it where that is not known.
pub fn table_within(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> String {
    let Some((width, last)) = width.zip(columns.len().checked_sub(1)) else {
        return table(columns, rows);
    };
    let length = |text: &str| plain_text(text).chars().count();
    let room = room_of_last(columns, rows, width);
    let cut = |row: &Vec<String>| {
        let mut row = row.clone();
        if let Some(cell) = row.get_mut(last).filter(|cell| length(cell) > room) {
            *cell = plain_text(cell).chars().take(room - 1).chain(['…']).collect();
        }
        row
    };
    table(columns, &rows.iter().map(cut).collect::<Vec<_>>())
}

/// As [`table`], with the last column broken into lines that fit so many characters; as it is where that is not known.
pub fn table_wrapped(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> String {
    let Some((width, last)) = width.zip(columns.len().checked_sub(1)) else {
        return table(columns, rows);
    };
    let room = room_of_last(columns, rows, width);
    let broken = rows.iter().flat_map(|row| {
        let lines = row.get(last).map(|text| break_lines(text, room)).unwrap_or_default();
        let first_cells = row.iter().take(last).cloned().collect::<Vec<_>>();
        lines.into_iter().enumerate().map(move |(number, line)| {
            let before =
                first_cells.iter().map(|cell| if number == 0 { cell.clone() } else { String::new() });
            before.chain([line]).collect::<Vec<_>>()
        })
    });
    table(columns, &broken.collect::<Vec<_>>())
}

/// A text in lines of at most so many characters, broken between words where there are any.
fn break_lines(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= most {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// How many characters of the last column fit a width.
fn room_of_last(columns: &[Column], rows: &[Vec<String>], width: usize) -> usize {
    let length = |text: &str| plain_text(text).chars().count();
    let widest = |(at, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| length(cell));
        cells.max().unwrap_or_default().max(length(column.title())) + 2
    };
    let before: usize = columns.iter().enumerate().take(columns.len().saturating_sub(1)).map(widest).sum();
    width.saturating_sub(before + 1).max(LEAST_OF_LAST)
}

fn cell(text: &str, column: Column) -> Cell {
    let text = plain_text(text);
    let cell = match color_of(&text) {
        Some(color) => Cell::new(text).fg(color),
        None => Cell::new(text),
    };
    match column {
        Column::Left(_) => cell,
        Column::Right(_) => cell.set_alignment(CellAlignment::Right),
    }
}

fn color_of(text: &str) -> Option<Color> {
    let states = [
        (State::Succeeded, Color::Green),
        (State::Cached, Color::DarkGreen),
        (State::Failed, Color::Red),
        (State::Canceled, Color::Yellow),
        (State::Skipped, Color::Yellow),
        (State::Running, Color::Blue),
    ];
    let words = [
        ("build", Color::Blue),
        ("changed", Color::Blue),
        ("maybe", Color::Cyan),
        ("new", Color::Blue),
        ("skip", Color::Yellow),
        ("up to date", Color::DarkGreen),
        ("can't build", Color::Red),
    ];
    let state = states.iter().find(|(state, _)| state.name() == text).map(|(_, color)| *color);
    state.or_else(|| words.iter().find(|(word, _)| *word == text).map(|(_, color)| *color))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_is_cut_to_what_fits() {
        let rows = [vec!["curl".to_owned(), "because of this and of that and of much more".to_owned()]];
        let columns = [Column::Left("package"), Column::Left("why")];
        let shown = table_within(&columns, &rows, Some(40));
        assert!(shown.lines().all(|line| line.chars().filter(|c| !c.is_control()).count() <= 60), "{shown}");
        assert!(
            shown.contains("because of this and") && shown.contains('…') && !shown.contains("more"),
            "{shown}"
        );
        assert!(table_within(&columns, &rows, None).contains("much more"));
    }

    #[test]
    fn the_last_column_is_broken_between_words_where_it_is_to_be_whole() {
        let why = "because of this and of that and of much more";
        let rows = [vec!["curl".to_owned(), why.to_owned()], vec!["a-name".to_owned(), "this".to_owned()]];
        let columns = [Column::Left("package"), Column::Left("why")];
        let shown = anstream::adapter::strip_str(&table_wrapped(&columns, &rows, Some(35))).to_string();
        insta::assert_snapshot!(shown, @r"
        PACKAGE  WHY
        curl     because of this and of
                 that and of much more
        a-name   this
        ");
        assert!(table_wrapped(&columns, &rows, None).contains(why));
    }

    #[test]
    fn a_cell_can_not_steer_the_terminal() {
        let rows = [vec!["bad \u{1b}[2Jtext\u{1b}]0;title\u{7}".to_owned()]];
        let shown = table(&[Column::Right("why")], &rows);
        assert!(
            shown.contains("bad text") && !shown.contains("[2J") && !shown.contains("title"),
            "{shown:?}"
        );
    }
}
