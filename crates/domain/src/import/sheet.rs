//! Cuts a text into lines and cells, and understands its header.
//!
//! An own reader of forty lines, because the usual ones take an unclosed quotation mark as one
//! long cell without a word; the office must be told where it was opened.

use super::{COLUMNS_MAX, FileError, Issue, ROWS_MAX};

const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// Cells of a column that are shown beside its header.
const SAMPLES: usize = 3;
/// Characters of a header or of a sample that are shown.
const SHOWN_CHARS: usize = 60;

/// A column of an entries file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The exhibitor's number.
    BackNumber,
    /// The exhibitor's first name.
    FirstName,
    /// The exhibitor's last name.
    LastName,
    /// The exhibitor's club or chapter.
    Club,
    /// The exhibitor's county.
    County,
    /// 4-H, FFA or open.
    Program,
    /// The animal's species.
    Species,
    /// Its sex.
    Sex,
    /// Its breed.
    Breed,
    /// Its fair tag.
    Tag,
    /// Its official identity.
    OfficialId,
    /// Its start weight.
    InitWeight,
    /// When that was weighed.
    InitDate,
    /// Its weight at arrival.
    Weight,
    /// The class it is entered in.
    Class,
    /// Its pen.
    Pen,
}

/// A column of the file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderCell {
    /// What the first line calls it.
    pub title: String,
    /// Its first texts that are not blank.
    pub samples: Vec<String>,
    /// What it is, as it was guessed or chosen; none if it is not used.
    pub column: Option<Column>,
}

impl Column {
    /// All columns, in the order of the handbook.
    pub const ALL: [Self; 16] = [
        Self::BackNumber,
        Self::FirstName,
        Self::LastName,
        Self::Club,
        Self::County,
        Self::Program,
        Self::Species,
        Self::Sex,
        Self::Breed,
        Self::Tag,
        Self::OfficialId,
        Self::InitWeight,
        Self::InitDate,
        Self::Weight,
        Self::Class,
        Self::Pen,
    ];
    pub(super) const FIRST: Self = Self::BackNumber;
    pub(super) const LAST: Self = Self::Pen;

    /// The column of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Whether every file needs it. Of tag and official identity it needs one.
    pub fn is_required(self) -> bool {
        matches!(self, Self::BackNumber | Self::Species | Self::Class | Self::Tag)
    }

    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::BackNumber => "back_number",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Club => "club",
            Self::County => "county",
            Self::Program => "program",
            Self::Species => "species",
            Self::Sex => "sex",
            Self::Breed => "breed",
            Self::Tag => "tag",
            Self::OfficialId => "official_id",
            Self::InitWeight => "init_weight",
            Self::InitDate => "init_date",
            Self::Weight => "weight",
            Self::Class => "class_code",
            Self::Pen => "pen",
        }
    }
}

/// Headers as people write them, in lower case without blanks, dots, dashes and underscores.
const HEADERS: &[(Column, &[&str])] = &[
    (
        Column::BackNumber,
        &[
            "backnumber",
            "backno",
            "back#",
            "exhibitor#",
            "exhibitorno",
            "exhibitornumber",
            "exhno",
            "exh#",
            "backtag",
            "number",
        ],
    ),
    (Column::FirstName, &["firstname", "first", "givenname", "forename"]),
    (Column::LastName, &["lastname", "last", "surname", "familyname"]),
    (Column::Club, &["club", "clubchapter", "club/chapter", "chapter", "ffachapter", "4hclub"]),
    (Column::County, &["county"]),
    (Column::Program, &["program", "programme"]),
    (Column::Species, &["species", "department", "livestocktype"]),
    (Column::Sex, &["sex", "gender"]),
    (Column::Breed, &["breed"]),
    (Column::OfficialId, &["officialid", "official#", "officialidentification", "840tag", "usdaid"]),
    (Column::Tag, &["tag", "tag#", "tagno", "tagnumber", "eartag", "eartag#", "fairtag"]),
    (Column::InitWeight, &["initweight", "initialweight", "beginningweight", "startweight", "startingweight"]),
    (Column::InitDate, &["initdate", "initweighedon", "initialdate", "beginningdate", "startdate", "initialweighdate"]),
    (Column::Weight, &["weight", "wt", "checkinweight"]),
    (Column::Class, &["class", "class#", "classcode", "classname", "lot#", "lot"]),
    (Column::Pen, &["pen", "pen#", "stall", "stall#"]),
];

/// Electronic and national numbers stand in for the tag; beside a tag column they are the official identity.
const TAG_STAND_INS: &[&str] = &["animalid", "eid", "840"];

/// A line of the file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawLine {
    /// The file line it begins on, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// A file whose header was understood.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Where each known column stands.
    pub(super) columns: Vec<(Column, usize)>,
    /// How many cells the header has.
    pub(super) width: usize,
    /// The lines after the header; blank ones are left out.
    pub(super) lines: Vec<RawLine>,
    /// What is to be said about the header.
    pub(super) issues: Vec<Issue>,
    /// The header's own cells.
    pub(super) header: Vec<HeaderCell>,
    /// Columns that an entry needs and the file has none for.
    pub(super) missing: Vec<Column>,
}

/// Reads the header and all lines. `chosen` says what each column is, in place of guessing.
pub(super) fn read(text: &str, chosen: Option<&[Option<Column>]>) -> Result<Sheet, FileError> {
    let mut lines = cut(text, delimiter_of(text))?;
    if lines.is_empty() {
        return Err(FileError::Empty);
    }
    let header = lines.remove(0);
    if header.cells.len() > COLUMNS_MAX {
        return Err(FileError::TooLarge);
    }
    let (columns, issues) = match chosen {
        Some(chosen) => (matched(chosen), Vec::new()),
        None => understand(&header),
    };
    let missing = missing_columns(&columns);
    if lines.is_empty() && missing.is_empty() {
        return Err(FileError::NoRows);
    }
    let shown = header_cells(&header, &columns, &lines);
    Ok(Sheet { columns, width: header.cells.len(), lines, issues, header: shown, missing })
}

/// What each column was chosen to be; of two that are the same the first.
fn matched(chosen: &[Option<Column>]) -> Vec<(Column, usize)> {
    let mut columns: Vec<(Column, usize)> = Vec::new();
    for (index, column) in chosen.iter().enumerate() {
        if let Some(column) = column.filter(|column| columns.iter().all(|(known, _)| known != column)) {
            columns.push((column, index));
        }
    }
    columns
}

fn header_cells(header: &RawLine, columns: &[(Column, usize)], lines: &[RawLine]) -> Vec<HeaderCell> {
    let shown = |cell: &str| cell.trim().chars().take(SHOWN_CHARS).collect::<String>();
    let cell = |(index, title): (usize, &String)| {
        let cells = lines.iter().filter_map(|line| line.cells.get(index)).filter(|cell| !cell.trim().is_empty());
        HeaderCell {
            title: shown(title),
            samples: cells.take(SAMPLES).map(|cell| shown(cell)).collect(),
            column: columns.iter().find(|(_, at)| *at == index).map(|(column, _)| *column),
        }
    };
    header.cells.iter().enumerate().map(cell).collect()
}

/// The delimiter that stands most often in the first line, outside quotes.
fn delimiter_of(text: &str) -> char {
    let mut quoted = false;
    let mut found = [0_usize; DELIMITERS.len()];
    for character in text.trim_start().chars() {
        match character {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|delimiter| *delimiter == character) {
                    found[index] += 1;
                }
            }
        }
    }
    let best = (0..DELIMITERS.len()).max_by_key(|index| (found[*index], std::cmp::Reverse(*index)));
    DELIMITERS[best.unwrap_or(0)]
}

/// RFC 4180, with any line ending; a quotation mark in the middle of an unquoted cell is a character.
fn cut(text: &str, delimiter: char) -> Result<Vec<RawLine>, FileError> {
    let mut lines: Vec<RawLine> = Vec::new();
    let mut current = RawLine { line: 1, cells: Vec::new() };
    let mut cell = String::new();
    let mut line = 1;
    let mut opened_at = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // A carriage return of its own ends a line as well as one before a line feed.
        let ends_line = character == '\n' || (character == '\r' && characters.peek() != Some(&'\n'));
        line += usize::from(ends_line);
        if opened_at.is_some() {
            match character {
                '"' if characters.peek() == Some(&'"') => {
                    characters.next();
                    cell.push('"');
                }
                '"' => opened_at = None,
                other => cell.push(other),
            }
        } else if character == '"' && cell.is_empty() {
            opened_at = Some(line);
        } else if character == delimiter {
            current.cells.push(std::mem::take(&mut cell));
        } else if ends_line {
            current.cells.push(std::mem::take(&mut cell));
            keep(&mut lines, std::mem::replace(&mut current, RawLine { line, cells: Vec::new() }))?;
        } else if character != '\r' {
            cell.push(character);
        }
    }
    if let Some(line) = opened_at {
        return Err(FileError::UnclosedQuote { line });
    }
    current.cells.push(cell);
    keep(&mut lines, current)?;
    Ok(lines)
}

fn keep(lines: &mut Vec<RawLine>, line: RawLine) -> Result<(), FileError> {
    if line.cells.iter().all(|cell| cell.trim().is_empty()) {
        return Ok(());
    }
    // The header is one of them.
    if lines.len() > ROWS_MAX {
        return Err(FileError::TooLarge);
    }
    lines.push(line);
    Ok(())
}

fn understand(header: &RawLine) -> (Vec<(Column, usize)>, Vec<Issue>) {
    let mut columns: Vec<(Column, usize)> = Vec::new();
    let mut left_over = Vec::new();
    for (index, cell) in header.cells.iter().enumerate() {
        match column_named(&plain(cell)) {
            Some(column) if columns.iter().all(|(known, _)| *known != column) => columns.push((column, index)),
            _ => left_over.push(index),
        }
    }
    let mut issues = Vec::new();
    for index in left_over {
        let cell = &header.cells[index];
        let stand_in = [Column::Tag, Column::OfficialId]
            .into_iter()
            .filter(|_| TAG_STAND_INS.contains(&plain(cell).as_str()))
            .find(|column| columns.iter().all(|(known, _)| known != column));
        if let Some(column) = stand_in {
            columns.push((column, index));
        } else if !cell.trim().is_empty() {
            let shown: String = cell.trim().chars().take(40).collect();
            issues.push(Issue::warning(
                header.line,
                None,
                "unknown_column",
                format!("The column “{shown}” is not used."),
            ));
        }
    }
    (columns, issues)
}

fn column_named(plain: &str) -> Option<Column> {
    HEADERS.iter().find(|(_, words)| words.contains(&plain)).map(|(column, _)| *column)
}

fn plain(header: &str) -> String {
    header
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn missing_columns(columns: &[(Column, usize)]) -> Vec<Column> {
    let has = |column: Column| columns.iter().any(|(known, _)| *known == column);
    let mut missing: Vec<Column> =
        [Column::BackNumber, Column::Species, Column::Class].into_iter().filter(|column| !has(*column)).collect();
    if !has(Column::Tag) && !has(Column::OfficialId) {
        missing.push(Column::Tag);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Vec<(Column, usize)> {
        let line = RawLine { line: 1, cells: header.split(',').map(str::to_owned).collect() };
        understand(&line).0
    }

    #[test]
    fn every_synonym_of_the_handbook_is_understood() {
        for header in ["Tag #", "Tag", "Ear Tag", "Eartag", "Animal ID", "EID", "840"] {
            assert_eq!(columns(header), [(Column::Tag, 0)], "{header}");
        }
        for header in ["Exhibitor #", "Exh No", "Back Tag", "Number", "back_number"] {
            assert_eq!(columns(header), [(Column::BackNumber, 0)], "{header}");
        }
        for header in ["Class", "Class #", "Lot#", "class_code"] {
            assert_eq!(columns(header), [(Column::Class, 0)], "{header}");
        }
        for header in ["Weight", "Wt", "Check-in Weight"] {
            assert_eq!(columns(header), [(Column::Weight, 0)], "{header}");
        }
        for header in ["Beginning Weight", "Start Weight", "init_weight"] {
            assert_eq!(columns(header), [(Column::InitWeight, 0)], "{header}");
        }
    }

    #[test]
    fn an_electronic_number_beside_a_tag_is_the_official_identity() {
        assert_eq!(columns("EID,Tag"), [(Column::Tag, 1), (Column::OfficialId, 0)]);
    }

    #[test]
    fn cells_may_hold_delimiters_quotes_and_line_ends() {
        let lines = cut("a,b\r\n\"x, \"\"y\"\"\",\"1\n2\"\n\n5' 6\",z", ',').expect("readable");
        let cells: Vec<(usize, Vec<&str>)> =
            lines.iter().map(|line| (line.line, line.cells.iter().map(String::as_str).collect())).collect();
        assert_eq!(cells, [(1, vec!["a", "b"]), (2, vec!["x, \"y\"", "1\n2"]), (5, vec!["5' 6\"", "z"])]);
    }

    #[test]
    fn the_line_of_an_unclosed_quote_is_told() {
        assert_eq!(cut("a,b\n1,2\n\"3,4\n5,6\n", ','), Err(FileError::UnclosedQuote { line: 3 }));
    }

    #[test]
    fn the_delimiter_is_the_one_the_header_uses() {
        for (text, delimiter) in
            [("a,b\n1;2;3", ','), ("a;b\n1,5;2,5", ';'), ("a\tb\tc,d\n", '\t'), ("\"a;b;c\",d", ','), ("a", ',')]
        {
            assert_eq!(delimiter_of(text), delimiter, "{text}");
        }
    }

    #[test]
    fn a_header_that_names_no_animal_is_refused() {
        let missing = [Column::BackNumber, Column::Species, Column::Class, Column::Tag];
        assert_eq!(read("a,b\n1,2", None).expect("readable").missing, missing);
        assert_eq!(read("number,species,class,tag\n", None).err(), Some(FileError::NoRows));
    }

    #[test]
    fn columns_may_be_chosen_in_place_of_the_header() {
        let chosen = [Some(Column::Tag), None, Some(Column::Tag), Some(Column::Class)];
        let sheet = read("a,tag,c,d\n0412,x,,Market Hog\n ,y\n1188,,z,", Some(&chosen)).expect("readable");
        assert_eq!(sheet.columns, [(Column::Tag, 0), (Column::Class, 3)]);
        assert_eq!(sheet.missing, [Column::BackNumber, Column::Species]);
        let shown: Vec<_> = sheet.header.iter().map(|cell| (cell.title.as_str(), cell.column)).collect();
        assert_eq!(shown, [("a", Some(Column::Tag)), ("tag", None), ("c", None), ("d", Some(Column::Class))]);
        assert_eq!(sheet.header[0].samples, ["0412", "1188"]);
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        for column in Column::ALL {
            assert_eq!(Column::parse(column.name()), Some(column));
        }
        assert_eq!(Column::parse("Tag"), None);
        assert!(Column::ALL.is_sorted() && Column::ALL[0] == Column::FIRST && Column::ALL[15] == Column::LAST);
    }
}
