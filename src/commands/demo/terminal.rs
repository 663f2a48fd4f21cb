//! The panel that echoes what is typed, as a terminal would.

use std::collections::VecDeque;

use super::keys::Key;

/// Characters in a row.
pub(super) const COLUMNS: usize = 58;
/// Rows in the panel; what scrolls out above is gone.
pub(super) const ROWS: usize = 13;

/// Why a character stands there, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// The machine said it.
    Said,
    /// It invites to type.
    Prompt,
    /// It was typed.
    Typed,
    /// It names a key that types no character.
    Named,
}

/// A character and its ink.
pub(super) type Cell = (char, Ink);

/// A row of at most [`COLUMNS`] cells.
#[derive(Clone, Debug, Default)]
struct Row {
    cells: Vec<Cell>,
    /// Whether the line goes on in the next row because this one was full.
    goes_on: bool,
}

/// The rows on the panel.
#[derive(Clone, Debug, Default)]
pub(super) struct Terminal {
    above: VecDeque<Row>,
    /// The last row, which is being typed into.
    current: Row,
    revision: u64,
}

const PROMPT: &str = "> ";

impl Terminal {
    /// Says `greeting`, a line each, and invites to type.
    pub(super) fn new(greeting: &[&str]) -> Self {
        let mut terminal = Self::default();
        for line in greeting {
            terminal.put(line, Ink::Said);
            terminal.new_row(false);
        }
        terminal.put(PROMPT, Ink::Prompt);
        terminal
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: Key) {
        match key {
            Key::Text(char) => self.put(char.encode_utf8(&mut [0; 4]), Ink::Typed),
            Key::Named(name) => self.put(&format!("<{name}>"), Ink::Named),
            Key::Enter => {
                self.new_row(false);
                self.put(PROMPT, Ink::Prompt);
            }
            Key::Backspace => self.take_back(),
            Key::Shift(_) | Key::Unknown => {}
        }
    }

    /// Changes whenever what the panel shows may have changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The rows from the top, at most [`ROWS`].
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        let rows = self.above.iter().chain([&self.current]);
        rows.map(|row| row.cells.as_slice())
    }

    /// Column and row of the next character.
    pub(super) fn cursor(&self) -> (usize, usize) {
        (self.current.cells.len().min(COLUMNS - 1), self.above.len())
    }

    fn put(&mut self, text: &str, ink: Ink) {
        self.revision += 1;
        for char in text.chars() {
            if self.current.cells.len() >= COLUMNS {
                self.new_row(true);
            }
            self.current.cells.push((char, ink));
        }
    }

    fn take_back(&mut self) {
        self.revision += 1;
        let wrapped = self.above.back().is_some_and(|row| row.goes_on);
        if wrapped && self.current.cells.is_empty() {
            self.current = self.above.pop_back().unwrap_or_default();
        }
        let cells = &mut self.current.cells;
        cells.pop_if(|(_, ink)| matches!(ink, Ink::Typed | Ink::Named));
    }

    fn new_row(&mut self, goes_on: bool) {
        let mut row = std::mem::take(&mut self.current);
        row.goes_on = goes_on;
        self.above.push_back(row);
        while self.above.len() >= ROWS {
            self.above.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(terminal: &mut Terminal, text: &str) {
        for char in text.chars() {
            terminal.press(Key::Text(char));
        }
    }

    fn lines(terminal: &Terminal) -> Vec<String> {
        let line = |row: &[Cell]| row.iter().map(|(char, _)| char).collect();
        terminal.rows().map(line).collect()
    }

    #[test]
    fn echoes_text_names_and_lines() {
        let mut terminal = Terminal::new(&["hello"]);
        typed(&mut terminal, "ab");
        terminal.press(Key::Shift("Shift"));
        terminal.press(Key::Named("F1"));
        terminal.press(Key::Enter);
        typed(&mut terminal, "c");
        assert_eq!(lines(&terminal), ["hello", "> ab<F1>", "> c"]);
        assert_eq!(terminal.cursor(), (3, 2));
    }

    #[test]
    fn backspace_stops_at_the_prompt_and_crosses_a_wrap() {
        let mut terminal = Terminal::new(&[]);
        for _ in 0..3 {
            terminal.press(Key::Backspace);
        }
        assert_eq!(lines(&terminal), ["> "]);

        typed(&mut terminal, &"x".repeat(COLUMNS));
        assert_eq!(lines(&terminal)[1], "xx", "it wrapped");
        for _ in 0..3 {
            terminal.press(Key::Backspace);
        }
        assert_eq!(
            lines(&terminal),
            ["> ".to_owned() + &"x".repeat(COLUMNS - 3)]
        );
        for _ in 0..COLUMNS {
            terminal.press(Key::Backspace);
        }
        assert_eq!(lines(&terminal), ["> "]);
    }

    #[test]
    fn scrolls_and_never_grows_beyond_the_panel() {
        let mut terminal = Terminal::new(&["gone"]);
        for line in 0..1000 {
            typed(&mut terminal, &line.to_string());
            terminal.press(Key::Enter);
        }
        let lines = lines(&terminal);
        assert_eq!(lines.len(), ROWS);
        assert_eq!(lines[ROWS - 2..], ["> 999", "> "]);
    }
}
