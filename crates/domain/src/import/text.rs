//! Turns a file's bytes into text: finds out which encoding it is in.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{FILE_BYTES_MAX, FileError};

/// How the files of spreadsheet programs begin: ZIP (xlsx, ods) and OLE2 (xls).
const SPREADSHEET_MARKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
/// How many bytes are looked at to recognise UTF-16 that has no byte order mark.
const PROBE_BYTES: usize = 512;

/// The file as text, without a byte order mark.
pub(super) fn decode(file: &[u8]) -> Result<String, FileError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(FileError::TooLarge);
    }
    if SPREADSHEET_MARKS.iter().any(|mark| file.starts_with(mark)) {
        return Err(FileError::Spreadsheet);
    }
    let (encoding, mark_bytes) = Encoding::for_bom(file).unwrap_or((encoding_without_mark(file), 0));
    let (text, malformed) = encoding.decode_without_bom_handling(&file[mark_bytes..]);
    if malformed {
        return Err(FileError::Unreadable);
    }
    if text.trim().is_empty() {
        return Err(FileError::Empty);
    }
    Ok(text.into_owned())
}

/// In UTF-16 every other byte of a header is zero; what is no UTF-8 is Windows-1252, which fits any byte.
fn encoding_without_mark(file: &[u8]) -> &'static Encoding {
    let probe = &file[..file.len().min(PROBE_BYTES)];
    let zeros_at = |parity: usize| probe.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let most = probe.len() / 4;
    if probe.len() >= 4 && zeros_at(1) > most && zeros_at(0) == 0 {
        UTF_16LE
    } else if probe.len() >= 4 && zeros_at(0) > most && zeros_at(1) == 0 {
        UTF_16BE
    } else if std::str::from_utf8(file).is_ok() {
        encoding_rs::UTF_8
    } else {
        WINDOWS_1252
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn each_encoding_is_recognised() {
        let text = "tag,name\n0412,Zoë";
        let windows = b"tag,name\n0412,Zo\xeb".to_vec();
        let files = [
            text.as_bytes().to_vec(),
            ["\u{feff}", text].concat().into_bytes(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            utf16(&["\u{feff}", text].concat(), u16::to_le_bytes),
            utf16(&["\u{feff}", text].concat(), u16::to_be_bytes),
            windows,
        ];
        for file in files {
            assert_eq!(decode(&file).as_deref(), Ok(text), "{file:?}");
        }
    }

    #[test]
    fn what_is_no_text_file_is_refused_by_name() {
        assert_eq!(decode(b"PK\x03\x04rest"), Err(FileError::Spreadsheet));
        assert_eq!(decode(b"\xd0\xcf\x11\xe0rest"), Err(FileError::Spreadsheet));
        assert_eq!(decode(b""), Err(FileError::Empty));
        assert_eq!(decode(b" \r\n "), Err(FileError::Empty));
        assert_eq!(decode(b"\xff\xfe\x00\xd8\x41\x00"), Err(FileError::Unreadable), "half a surrogate pair");
        assert_eq!(decode(&vec![b'a'; FILE_BYTES_MAX + 1]), Err(FileError::TooLarge));
    }
}
