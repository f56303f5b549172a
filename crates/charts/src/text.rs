//! The bundled font: how wide words are.
//!
//! Inter's figures are of equal width here, so numbers stand under each other (`fonts/README.md`).

use std::sync::LazyLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

/// For all words but titles.
pub(crate) const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.ttf");

/// For titles.
pub(crate) const SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.ttf");

/// The letters of the charts for pages that stand alone: weights, and files that hold them.
pub const FONT_FILES: [(u16, &[u8]); 2] = [(400, REGULAR), (600, SEMI_BOLD)];

/// The width of signs the font does not have, in parts of the size.
const UNKNOWN: f32 = 0.6;

/// A weight of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    SemiBold,
}

static FONTS: LazyLock<[Face; 2]> = LazyLock::new(|| [REGULAR, SEMI_BOLD].map(Face::read));

/// A font that is ready to be measured.
struct Face {
    metrics: GlyphMetrics<'static>,
    font: FontRef<'static>,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Self {
        let font = FontRef::new(bytes).expect("the bundled fonts are fonts, and tests measure with them");
        // For a size of one pixel: widths are parts of the size.
        Self { metrics: font.glyph_metrics(Size::new(1.0), LocationRef::default()), font }
    }
}

/// How wide a text is, in pixels.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let face = &FONTS[weight as usize];
    let chars = face.font.charmap();
    let advance = |sign| chars.map(sign).and_then(|glyph| face.metrics.advance_width(glyph)).unwrap_or(UNKNOWN);
    f64::from(text.chars().map(advance).sum::<f32>()) * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_equal_width() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            let one = width("1", 12.0, weight);
            assert!(('0'..='9').all(|figure| (width(&figure.to_string(), 12.0, weight) - one).abs() < 1e-6));
        }
    }

    #[test]
    fn words_are_as_wide_as_their_signs() {
        let title = width("Response time", 15.0, Weight::SemiBold);
        assert!((100.0..115.0).contains(&title), "{title}");
        assert!(width("Response time", 15.0, Weight::Regular) < title);
        assert!(width("名", 10.0, Weight::Regular) > 0.0);
    }
}
