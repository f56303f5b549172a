//! Lines of a table for spreadsheets.
//!
//! What people typed is hostile text: a spreadsheet calculates a cell that begins like a formula. Such a cell gets an
//! apostrophe in front, which spreadsheets show as text.

/// Signs that begin a formula, or slip one in.
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line, its end included.
pub(crate) fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        push_cell(&mut line, &cell);
    }
    line.push_str("\r\n");
    line
}

fn push_cell(line: &mut String, cell: &str) {
    let guard = if cell.starts_with(BEGINS_FORMULA) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\r', '\n']) {
        line.push_str(cell);
        return;
    }
    line.push('"');
    line.push_str(guard);
    line.push_str(&cell.replace('"', "\"\""));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_kept_apart_whatever_they_hold() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\nlines", ""];
        assert_eq!(line(cells.map(str::to_owned)), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n");
    }

    #[test]
    fn a_cell_that_begins_like_a_formula_is_shown_as_text() {
        for begin in BEGINS_FORMULA {
            let cell = format!("{begin}HYPERLINK(\"http://x\")");
            let shown = line([cell.clone()]);
            assert_eq!(shown, format!("\"'{}\"\r\n", cell.replace('"', "\"\"")), "{begin:?}");
        }
        assert_eq!(line(["1+1".to_owned()]), "1+1\r\n");
    }
}
