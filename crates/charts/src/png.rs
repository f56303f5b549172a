//! The picture of a chart, with the bundled font and no other.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use crate::text::{REGULAR, SEMI_BOLD};

/// A picture is at most so many pixels wide or high.
const PIXELS_MAX: u32 = 8_192;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// It would be larger than anybody needs.
    #[error("a picture of {width} × {height} pixels is too large")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The SVG cannot be read: a defect.
    #[error("the chart cannot be read")]
    Svg(#[source] usvg::Error),
    /// The picture cannot be written.
    #[error("the picture cannot be written: {0}")]
    Png(String),
}

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [REGULAR, SEMI_BOLD] {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("Inter");
    Arc::new(fonts)
});

/// The SVG so many times as large, as PNG.
pub(crate) fn render(svg: &str, scale: u8) -> Result<Vec<u8>, PngError> {
    let tree = read(svg)?;
    let size = tree.size().to_int_size();
    let factor = u32::from(scale.max(1));
    let (width, height) = (size.width().saturating_mul(factor), size.height().saturating_mul(factor));
    let pixels = Some(()).filter(|()| width.max(height) <= PIXELS_MAX).and_then(|()| Pixmap::new(width, height));
    let mut pixels = pixels.ok_or(PngError::TooLarge { width, height })?;
    let scale = f32::from(scale.max(1));
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PngError::Png(error.to_string()))
}

/// The SVG as resvg sees it.
pub(crate) fn read(svg: &str) -> Result<usvg::Tree, PngError> {
    let options =
        usvg::Options { font_family: "Inter".to_owned(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    usvg::Tree::from_str(svg, &options).map_err(PngError::Svg)
}
