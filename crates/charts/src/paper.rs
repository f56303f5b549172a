//! The SVG text, written by a plotters backend of our own.
//!
//! plotters counts whole pixels. On this paper one of them is a tenth, so a line keeps its exact way; colours arrive as
//! [`Role`]s and leave as CSS variables or fixed colours. Groups, corners and dashes, which plotters does not know, are
//! opened on the same paper between two drawings.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::rc::Rc;

use plotters::prelude::{Cartesian2d, DrawingArea, IntoDrawingArea, Ranged};
use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};

use crate::ink::{Ink, Role};
use crate::text::{Weight, width};

/// Places on the paper in one pixel.
pub(crate) const FINE: f64 = 10.0;

/// The size of most words, in pixels.
pub(crate) const SIZE: f64 = 12.0;

/// A place on the paper.
pub(crate) fn fine(pixels: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a chart is a few thousand pixels wide at most")]
    let place = (pixels * FINE).round() as i32;
    place
}

/// What is being written.
#[derive(Debug)]
struct Sheet {
    text: String,
    ink: Ink,
    width: u16,
    height: u16,
    /// How round the corners of rectangles are, in pixels.
    corner: u8,
}

/// A hand on the paper: plotters holds one, and who draws holds another.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    sheet: Rc<RefCell<Sheet>>,
}

/// A plot on the paper, with its axes.
pub(crate) type Plot<X, Y> = DrawingArea<Paper, Cartesian2d<X, Y>>;

impl Paper {
    pub(crate) fn new(width: u16, height: u16, ink: Ink) -> Self {
        let sheet = Sheet { text: String::with_capacity(16 * 1024), ink, width, height, corner: 0 };
        Self { sheet: Rc::new(RefCell::new(sheet)) }
    }

    /// Where plotters draws: all of the paper, in its own places.
    pub(crate) fn area(&self) -> DrawingArea<Self, plotters::coord::Shift> {
        self.clone().into_drawing_area()
    }

    /// All of the paper with axes that end at these pixels.
    pub(crate) fn plot<X: Ranged, Y: Ranged>(&self, x: X, y: Y, across: (f64, f64), up: (f64, f64)) -> Plot<X, Y> {
        let places = (fine(across.0)..fine(across.1), fine(up.0)..fine(up.1));
        self.area().apply_coord_spec(Cartesian2d::new(x, y, places))
    }

    /// Begins a group with a class and more attributes, each with its colour or text written as SVG.
    pub(crate) fn open(&self, class: &str, attributes: &[(&str, &str)]) {
        self.write(format_args!("<g class=\"{}\"", Escaped(class)));
        for (name, value) in attributes {
            self.write(format_args!(" {name}=\"{}\"", Escaped(value)));
        }
        self.write(format_args!(">"));
    }

    /// Ends the last group that is open.
    pub(crate) fn close(&self) {
        self.write(format_args!("</g>"));
    }

    /// Makes the corners of rectangles round from here on.
    pub(crate) fn round_corners(&self, pixels: u8) {
        self.sheet.borrow_mut().corner = pixels;
    }

    /// A colour as SVG writes it.
    pub(crate) fn paint(&self, role: Role) -> String {
        self.sheet.borrow().ink.paint(role)
    }

    /// What stands on the paper inside its outermost element.
    pub(crate) fn finish(self, attributes: &[(&str, &str)], title: &str) -> String {
        let sheet = self.sheet.borrow();
        let Sheet { text, ink, width, height, .. } = &*sheet;
        let quiet = ink.paint(Role::Quiet);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"Inter, system-ui, sans-serif\" \
             font-size=\"{SIZE}\" fill=\"{quiet}\""
        );
        for (name, value) in attributes {
            write!(svg, " {name}=\"{}\"", Escaped(value)).expect(NEVER_FAILS);
        }
        write!(svg, "><title>{}</title>", Escaped(title)).expect(NEVER_FAILS);
        if *ink != Ink::Variables {
            let ground = ink.paint(Role::Background);
            write!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/>").expect(NEVER_FAILS);
        }
        svg + text + "</svg>"
    }

    /// A `<title>` of the group that is open: what a pointer that rests there is told.
    pub(crate) fn name_group(&self, words: &str) {
        self.write(format_args!("<title>{}</title>", Escaped(words)));
    }

    fn write(&self, words: fmt::Arguments<'_>) {
        self.sheet.borrow_mut().text.write_fmt(words).expect(NEVER_FAILS);
    }

    fn fill(&self, color: BackendColor) -> String {
        self.coloured("fill", color)
    }

    fn stroke<S: BackendStyle>(&self, style: &S) -> String {
        let thick = Number(f64::from(style.stroke_width()) / FINE);
        format!("{} stroke-width=\"{thick}\"", self.coloured("stroke", style.color()))
    }

    fn coloured(&self, attribute: &str, color: BackendColor) -> String {
        let paint = self.paint(Role::of(color.rgb));
        if color.alpha >= 1.0 {
            return format!("{attribute}=\"{paint}\"");
        }
        format!("{attribute}=\"{paint}\" {attribute}-opacity=\"{}\"", Number((color.alpha * 100.0).round() / 100.0))
    }
}

const NEVER_FAILS: &str = "a String takes every text";

/// Drawing on this paper has no way to fail.
pub(crate) fn drawn<T, E: fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("the paper takes everything, and nothing is drawn while it is borrowed")
}

/// A number as short as it can be written; places become pixels before.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

fn pixels(place: i32) -> Number {
    Number(f64::from(place) / FINE)
}

/// Text between tags or quotes. What XML cannot hold becomes a space.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sign in self.0.chars() {
            match sign {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => out.write_char(' ')?,
                sign => out.write_char(sign)?,
            }
        }
        Ok(())
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Paper {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let sheet = self.sheet.borrow();
        let places = |pixels: u16| u32::from(pixels) * 10;
        (places(sheet.width), places(sheet.height))
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        let (x1, y1, x2, y2) = (pixels(from.0), pixels(from.1), pixels(to.0), pixels(to.1));
        let stroke = self.stroke(style);
        self.write(format_args!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {stroke}/>"));
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let (left, right) = (from.0.min(to.0), from.0.max(to.0));
        let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
        let look = if fill { self.fill(style.color()) } else { format!("fill=\"none\" {}", self.stroke(style)) };
        let (x, y, width, height) = (pixels(left), pixels(top), pixels(right - left), pixels(bottom - top));
        let corner = self.sheet.borrow().corner;
        let rounded = if corner == 0 { String::new() } else { format!(" rx=\"{corner}\"") };
        self.write(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{rounded} {look}/>"));
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let places: Vec<BackendCoord> = path.into_iter().collect();
        if let [from, to] = places[..] {
            return self.draw_line(from, to, style);
        }
        let stroke = self.stroke(style);
        self.write(format_args!("<path d=\"{}\" fill=\"none\" {stroke}/>", Way(&places)));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let look = if fill { self.fill(style.color()) } else { format!("fill=\"none\" {}", self.stroke(style)) };
        let (cx, cy, r) = (pixels(center.0), pixels(center.1), Number(f64::from(radius) / FINE));
        self.write(format_args!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{r}\" {look}/>"));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, places: I, style: &S) -> Drawn {
        let places: Vec<BackendCoord> = places.into_iter().collect();
        let fill = self.fill(style.color());
        self.write(format_args!("<path d=\"{}Z\" {fill}/>", Way(&places)));
        Ok(())
    }

    /// The place is where the line of writing begins, ends or has its middle; letters stand on it.
    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, place: BackendCoord) -> Drawn {
        let (x, y) = (pixels(place.0), pixels(place.1));
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let size = style.size() / FINE;
        let sized = if (size - SIZE).abs() < f64::EPSILON { String::new() } else { format!(" font-size=\"{size}\"") };
        let weight = if weight_of(style) == Weight::SemiBold { " font-weight=\"600\"" } else { "" };
        let color = style.color();
        let fill = match Role::of(color.rgb) {
            Role::Quiet => String::new(),
            _ => format!(" {}", self.fill(color)),
        };
        self.write(format_args!("<text x=\"{x}\" y=\"{y}\"{anchor}{sized}{weight}{fill}>{}</text>", Escaped(text)));
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Self::ErrorType>> {
        let wide = fine(width(text, style.size() / FINE, weight_of(style)));
        let high = fine(style.size() / FINE);
        Ok((wide.unsigned_abs(), high.unsigned_abs()))
    }
}

fn weight_of<T: BackendTextStyle>(style: &T) -> Weight {
    if matches!(style.style(), FontStyle::Bold) { Weight::SemiBold } else { Weight::Regular }
}

/// The way of a path through places.
struct Way<'a>(&'a [BackendCoord]);

impl fmt::Display for Way<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (x, y)) in self.0.iter().enumerate() {
            let step = match index {
                0 => "M",
                1 => "L",
                _ => " ",
            };
            write!(out, "{step}{} {}", pixels(*x), pixels(*y))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::*;

    use super::*;

    fn svg_of(draw: impl FnOnce(&Paper)) -> String {
        let paper = Paper::new(40, 20, Ink::Variables);
        draw(&paper);
        paper.finish(&[], "T")
    }

    #[test]
    fn places_are_tenths_and_colours_are_variables() {
        let svg = svg_of(|paper| {
            let style = ShapeStyle::from(Role::P95.carried().mix(0.25)).stroke_width(15);
            drawn(paper.area().draw(&PathElement::new(vec![(0, 5), (10, 15), (13, 200)], style)));
        });
        let path = "<path d=\"M0 0.5L1 1.5 1.3 20\" fill=\"none\" stroke=\"var(--p95,#d97706)\" \
                    stroke-opacity=\"0.25\" stroke-width=\"1.5\"/>";
        assert!(svg.contains(path), "{svg}");
    }

    #[test]
    fn what_people_typed_cannot_leave_its_place() {
        let svg = svg_of(|paper| {
            paper.open("event", &[("data-words", "\"><script>&\u{0}")]);
            paper.name_group("</title><script>");
            paper.close();
        });
        assert!(svg.contains("data-words=\"&quot;&gt;&lt;script&gt;&amp; \""), "{svg}");
        assert!(!svg.contains("<script"), "{svg}");
    }

    #[test]
    fn only_files_have_a_ground_of_their_own() {
        let ground = "<rect width=\"40\" height=\"20\" fill=\"#12130f\"/>";
        assert!(!svg_of(|_| {}).contains("<rect"));
        assert!(Paper::new(40, 20, Ink::Dark).finish(&[], "T").contains(ground));
    }
}
