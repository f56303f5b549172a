//! Puts an answer together of parts that are packed already: a page that many phones fetch is packed once.
//!
//! Gzip is a head, deflate blocks, and a checksum. Blocks that need nothing before them can stand behind each other, and
//! checksums of parts can be joined, so nothing that is kept is packed or read again.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use showdesk_engine::pull::pack;

/// No name, no time, an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty block that says that it is the last one.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// A gzip file that is being put together.
pub(crate) struct Gzip {
    bytes: Vec<u8>,
    checksum: crc32fast::Hasher,
    length: usize,
}

impl Gzip {
    pub(crate) fn new(bytes: usize) -> Self {
        let mut file = Vec::with_capacity(bytes + 64);
        file.extend(HEAD);
        Self { bytes: file, checksum: crc32fast::Hasher::new(), length: 0 }
    }

    /// Packs a text and adds it.
    pub(crate) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.packed(&pack(text.as_bytes()), crc32fast::hash(text.as_bytes()), text.len());
    }

    /// Adds blocks that end at a whole byte and need nothing before them, with the checksum and length of their text.
    pub(crate) fn packed(&mut self, blocks: &[u8], crc32: u32, text_bytes: usize) {
        self.bytes.extend(blocks);
        self.checksum.combine(&crc32fast::Hasher::new_with_initial_len(crc32, text_bytes as u64));
        self.length += text_bytes;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend(LAST_BLOCK);
        self.bytes.extend(self.checksum.finalize().to_le_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "gzip counts modulo 2^32")]
        self.bytes.extend((self.length as u32).to_le_bytes());
        self.bytes
    }
}

/// Whether whoever asks takes gzip.
pub(crate) fn takes_gzip(asked: &HeaderMap) -> bool {
    let lists = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = lists.flat_map(|list| list.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::HeaderValue;

    use super::*;

    fn opened(file: &[u8]) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("a whole gzip file");
        text
    }

    #[test]
    fn packed_parts_and_texts_are_one_file() {
        let repeated = "{\"seq\":1},".repeat(20_000);
        let kept = pack(repeated.as_bytes());
        assert!(kept.len() < repeated.len() / 50);
        for times in 0..3 {
            let mut gzip = Gzip::new(0);
            gzip.text("{\"changes\":[");
            gzip.text("");
            for _ in 0..times {
                gzip.packed(&kept, crc32fast::hash(repeated.as_bytes()), repeated.len());
                gzip.text(",");
            }
            gzip.text("ends with é]}");
            let whole = opened(&gzip.finish());
            let middle = format!("{repeated},").repeat(times);
            assert_eq!(whole, format!("{{\"changes\":[{middle}ends with é]}}"));
        }
    }

    #[test]
    fn what_cannot_be_packed_goes_through_whole() {
        let noise: String =
            (0_u32..40_000).map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)).collect();
        let mut gzip = Gzip::new(0);
        gzip.text(&noise);
        assert_eq!(opened(&gzip.finish()), noise);
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        for (asked, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
            ("gzipped", false),
            ("deflate, br;q=1.0, gzip", true),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(asked))]);
            assert_eq!(takes_gzip(&headers), takes, "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
