//! Reads the cells of one line into typed values, and says what is wrong with each.

use serde_json::{Map, Value as Json};

use super::sheet::{Column, RawLine, Sheet};
use super::{CELL_CHARS_MAX, Issue};
use crate::schema::known_table;
use crate::value::Value;

/// Everyday words for the species of DOMAIN.md §3.
const SPECIES_WORDS: &[(&str, &str)] = &[
    ("beef", "cattle"),
    ("dairy", "cattle"),
    ("steer", "cattle"),
    ("heifer", "cattle"),
    ("hog", "swine"),
    ("hogs", "swine"),
    ("pig", "swine"),
    ("pigs", "swine"),
    ("lamb", "sheep"),
    ("lambs", "sheep"),
    ("goats", "goat"),
    ("rabbits", "rabbit"),
];

const PROGRAM_WORDS: &[(&str, &str)] = &[("4-h", "4h"), ("4 h", "4h")];

/// A line whose cells could all be read. Blank cells are [`Value::Null`].
#[derive(Debug)]
pub(super) struct EntryLine {
    pub(super) row: usize,
    pub(super) back_number: Value,
    pub(super) first_name: Value,
    pub(super) last_name: Value,
    pub(super) club_chapter: Value,
    pub(super) county: Value,
    pub(super) program: Value,
    pub(super) species: Value,
    pub(super) sex: Value,
    pub(super) breed: Value,
    pub(super) pen: Value,
    pub(super) tag: Value,
    pub(super) official_id: Value,
    pub(super) init_weight_x10: Value,
    pub(super) init_weighed_on: Value,
    pub(super) weight_x10: Value,
    pub(super) class_name: Value,
}

/// The cells by the column as it was understood, for the preview.
pub(super) fn shown(sheet: &Sheet, raw: &RawLine) -> Map<String, Json> {
    let cells = sheet.columns.iter().map(|(column, index)| {
        let text: String = raw.cells.get(*index).map_or("", String::as_str).chars().take(CELL_CHARS_MAX).collect();
        (column.name().to_owned(), Json::String(text))
    });
    cells.collect()
}

/// Reads a line; if a cell cannot be read, everything that is wrong with the line.
pub(super) fn read(sheet: &Sheet, raw: &RawLine) -> Result<EntryLine, Vec<Issue>> {
    let beyond = raw.cells.get(sheet.width..).unwrap_or_default();
    if raw.cells.len() < sheet.width || beyond.iter().any(|cell| !cell.trim().is_empty()) {
        let message = format!("The row has {} cells; the header has {}.", raw.cells.len(), sheet.width);
        return Err(vec![Issue::error(raw.line, None, "ragged_row", message)]);
    }
    let mut reader = Reader { sheet, raw, issues: Vec::new() };
    let line = EntryLine {
        row: raw.line,
        back_number: reader.whole_number(Column::BackNumber, "exhibitors", "back_number"),
        first_name: reader.text(Column::FirstName, "exhibitors", "first_name"),
        last_name: reader.text(Column::LastName, "exhibitors", "last_name"),
        club_chapter: reader.text(Column::Club, "exhibitors", "club_chapter"),
        county: reader.text(Column::County, "exhibitors", "county"),
        program: reader.word(Column::Program, "exhibitors", "program", PROGRAM_WORDS),
        species: reader.word(Column::Species, "animals", "species", SPECIES_WORDS),
        sex: reader.text(Column::Sex, "animals", "sex"),
        breed: reader.text(Column::Breed, "animals", "breed"),
        pen: reader.text(Column::Pen, "animals", "pen"),
        tag: reader.text(Column::Tag, "animals", "tag"),
        official_id: reader.text(Column::OfficialId, "animals", "official_id"),
        init_weight_x10: reader.weight(Column::InitWeight, "animals", "init_weight_x10"),
        init_weighed_on: reader.text(Column::InitDate, "animals", "init_weighed_on"),
        weight_x10: reader.weight(Column::Weight, "weigh_ins", "weight_x10"),
        class_name: reader.text(Column::Class, "classes", "name"),
    };
    reader.required(Column::BackNumber);
    reader.required(Column::Species);
    reader.required(Column::Class);
    if reader.cell(Column::Tag).is_empty() && reader.cell(Column::OfficialId).is_empty() {
        reader.required(Column::Tag);
    }
    if reader.issues.is_empty() { Ok(line) } else { Err(reader.issues) }
}

struct Reader<'a> {
    sheet: &'a Sheet,
    raw: &'a RawLine,
    issues: Vec<Issue>,
}

impl Reader<'_> {
    /// The cell without the blanks around it; empty if the file has no such column.
    fn cell(&self, column: Column) -> &str {
        let index = self.sheet.columns.iter().find(|(known, _)| *known == column).map(|(_, index)| *index);
        index.and_then(|index| self.raw.cells.get(index)).map_or("", |cell| cell.trim())
    }

    fn fault(&mut self, column: Column, code: &'static str, message: impl Into<String>) -> Value {
        self.issues.push(Issue::error(self.raw.line, Some(column.name()), code, message));
        Value::Null
    }

    fn required(&mut self, column: Column) {
        if self.cell(column).is_empty() {
            self.fault(column, "required", "This cell must not be blank.");
        }
    }

    /// Reads the cell as the schema's field does, so that what is planned here is accepted there.
    fn decode(&mut self, column: Column, table: &str, field: &str, json: &Json) -> Value {
        let table = known_table(table);
        match table.fields[table.index(field)].kind.decode(json) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("“{}”: {}.", shorten(self.cell(column)), error.detail);
                self.fault(column, error.code, message)
            }
        }
    }

    fn text(&mut self, column: Column, table: &str, field: &str) -> Value {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Value::Null;
        }
        if cell.chars().count() > CELL_CHARS_MAX {
            return self.fault(column, "too_large", format!("A cell may have {CELL_CHARS_MAX} characters."));
        }
        let json = Json::String(cell.to_owned());
        self.decode(column, table, field, &json)
    }

    /// A word of a fixed list, in any case, or an everyday word for one.
    fn word(&mut self, column: Column, table: &str, field: &str, everyday: &[(&str, &str)]) -> Value {
        let word = self.cell(column).to_lowercase();
        if word.is_empty() {
            return Value::Null;
        }
        let word = everyday.iter().find(|(said, _)| *said == word).map_or(word.as_str(), |(_, meant)| *meant);
        let json = Json::String(word.to_owned());
        self.decode(column, table, field, &json)
    }

    fn whole_number(&mut self, column: Column, table: &str, field: &str) -> Value {
        let cell = self.cell(column).trim_start_matches('#');
        if cell.is_empty() {
            return Value::Null;
        }
        match tenths(cell).filter(|tenths| tenths % 10 == 0) {
            Some(tenths) => self.decode(column, table, field, &Json::from(tenths / 10)),
            None => self.not_a_number(column, "a whole number"),
        }
    }

    fn weight(&mut self, column: Column, table: &str, field: &str) -> Value {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Value::Null;
        }
        match tenths(cell) {
            Some(tenths) => self.decode(column, table, field, &Json::from(tenths)),
            None => self.not_a_number(column, "a weight like 1262 or 1262.5"),
        }
    }

    fn not_a_number(&mut self, column: Column, wanted: &str) -> Value {
        let message = format!("“{}” cannot be read: {wanted} is expected.", shorten(self.cell(column)));
        self.fault(column, "invalid_number", message)
    }
}

/// Digits, perhaps a point and one more digit (or zeros after it): the number of tenths.
fn tenths(cell: &str) -> Option<i64> {
    let (whole, part) = cell.split_once('.').unwrap_or((cell, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part[1..].bytes().any(|byte| byte != b'0') {
        return None;
    }
    let tenth = i64::from(part.as_bytes()[0] - b'0');
    whole.parse::<i64>().ok().map(|whole| whole * 10 + tenth)
}

fn shorten(cell: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let mut text: String = cell.chars().take(SHOWN_CHARS).collect();
    if cell.chars().nth(SHOWN_CHARS).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::tenths;

    #[test]
    fn weights_are_whole_or_have_one_decimal() {
        for (cell, expected) in
            [("1262", Some(12_620)), ("138.5", Some(1_385)), ("84.0", Some(840)), ("84.50", Some(845)), ("0", Some(0))]
        {
            assert_eq!(tenths(cell), expected, "{cell}");
        }
        for cell in ["12,5", "½", "1262.55", ".5", "5.", "-3", "1e3", "12 5", "", "9999999999", "٣"] {
            assert_eq!(tenths(cell), None, "{cell}");
        }
    }
}
