//! Tables for people: columns as wide as their widest cell.

use super::screen::{Colour, Screen, plain};

/// A cell, and how to paint it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// A cell in a colour.
    pub(crate) fn painted(colour: Colour, text: &str) -> Self {
        Self {
            colour: Some(colour),
            ..Self::from(text)
        }
    }
}

impl From<&str> for Cell {
    /// Empty texts are shown as a dash, so that a column is never mistaken for the next.
    fn from(text: &str) -> Self {
        let text = if text.is_empty() {
            "-".to_owned()
        } else {
            plain(text)
        };
        Self { text, colour: None }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// The lines of a table with a head.
pub(crate) fn table<const N: usize>(
    screen: Screen,
    head: [&str; N],
    rows: &[[Cell; N]],
) -> Vec<String> {
    let mut widths = head.map(|title| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    let line = |cells: &[Cell; N]| {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let text = match cell.colour {
                Some(colour) => screen.paint(colour, &cell.text),
                None => cell.text.clone(),
            };
            line.push_str(&text);
            // Nothing stands after the last column.
            if at + 1 < N {
                let gap = width - cell.text.chars().count() + 2;
                line.extend(std::iter::repeat_n(' ', gap));
            }
        }
        line
    };
    let head = head.map(|title| Cell::painted(Colour::Dim, title));
    std::iter::once(&head).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            [
                "1".into(),
                Cell::painted(Colour::Green, "delivered"),
                "a".into(),
            ],
            ["22222".into(), "".into(), "b\x1b".into()],
        ];
        let lines = table(Screen::plain(false), ["ID", "STATUS", "TYPE"], &rows);
        assert_eq!(
            lines,
            [
                "ID     STATUS     TYPE",
                "1      delivered  a",
                "22222  -          b\u{fffd}",
            ]
        );
    }
}
