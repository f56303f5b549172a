//! Pieces of HTML. Every text that somebody typed goes through [`escaped`].

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Text as it stands in HTML, also within quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What turns the writing around would turn the page around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A table. Cells are texts; the columns named are numbers.
pub(super) fn table(caption: &str, columns: &[&str], numbers_from: usize, rows: &[Vec<String>]) -> String {
    let class = |column: usize| if column >= numbers_from { " class=\"n\"" } else { "" };
    let mut text = format!("<table><caption>{}</caption><thead><tr>", escaped(caption));
    for (column, heading) in columns.iter().enumerate() {
        let _ = write!(text, "<th scope=\"col\"{}>{}</th>", class(column), escaped(heading));
    }
    text.push_str("</tr></thead><tbody>");
    for row in rows {
        text.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            let _ = match column {
                0 => write!(text, "<th scope=\"row\">{cell}</th>"),
                _ => write!(text, "<td{}>{cell}</td>", class(column)),
            };
        }
        text.push_str("</tr>");
    }
    text + "</tbody></table>"
}

/// The letters of the page, so that it looks the same wherever it is opened.
pub(super) fn letters() -> String {
    let face = |(weight, font): (u16, &[u8])| {
        let font = STANDARD.encode(font);
        format!("@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/ttf;base64,{font})}}")
    };
    showdesk_charts::FONT_FILES.into_iter().map(face).collect()
}

/// A drawing without what only the desk's page reads.
pub(super) fn without_points(svg: &str) -> String {
    let Some((before, points)) = svg.split_once(" data-points=\"") else { return svg.to_owned() };
    let Some((_, after)) = points.split_once('"') else { return svg.to_owned() };
    format!("{before}{after}")
}
