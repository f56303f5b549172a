//! Lines of a table for spreadsheets.
//!
//! What people typed is hostile text: a spreadsheet calculates a cell that begins like a formula. Such a cell gets an
//! apostrophe in front, which spreadsheets show as text. Where lists are kept apart by semicolons a spreadsheet takes
//! such a file apart by them, quotes in the middle or not, so what would begin a cell then gets one, too.

/// Signs that begin a formula, or slip one in.
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What other spreadsheets keep cells apart by.
const SEPARATORS: [char; 2] = [';', '\t'];

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
    if !cell.starts_with(BEGINS_FORMULA) && !cell.contains([',', '"', '\r', '\n']) && !cell.contains(SEPARATORS) {
        line.push_str(cell);
        return;
    }
    line.push('"');
    let mut begins_cell = true;
    for sign in cell.chars() {
        if begins_cell && BEGINS_FORMULA.contains(&sign) {
            line.push('\'');
        }
        if sign == '"' {
            line.push('"');
        }
        line.push(sign);
        begins_cell = SEPARATORS.contains(&sign) || begins_cell && (sign == ' ' || sign == '"');
    }
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

    #[test]
    fn what_begins_a_cell_between_semicolons_is_shown_as_text() {
        assert_eq!(line(["Pat;=HYPERLINK(1)".to_owned()]), "\"Pat;'=HYPERLINK(1)\"\r\n");
        assert_eq!(line(["a;\"=1\";b\t-2; @x".to_owned()]), "\"a;\"\"'=1\"\";b\t'-2; '@x\"\r\n");
        assert_eq!(line(["a; b".to_owned()]), "\"a; b\"\r\n");
    }
}
