//! What must hold for any text that a client hands back as a cursor. The fuzzer and an ordinary test both ask it.

use super::Cursor;

const KEY: &[u8] = b"a key of this test";

/// Panics if the bytes make the reading of cursors do what it never may.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(Cursor::read(KEY, &text), None, "nobody but us signs");
    // The same bytes as what is inside a cursor, once we had signed it.
    let Ok(cursor) = serde_json::from_slice::<Cursor>(bytes) else { return };
    let signed = cursor.sign(KEY);
    assert_eq!(Cursor::read(KEY, &signed).as_ref(), Some(&cursor), "what we sign we read");
    assert_eq!(Cursor::read(b"another key", &signed), None, "and no other desk does");
    for end in (0..signed.len()).step_by(7) {
        assert_eq!(Cursor::read(KEY, &signed[..end]), None, "a part of it is nothing");
    }
}
