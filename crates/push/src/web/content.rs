//! Encrypted content: `aes128gcm` (RFC 8188) with the keys of Web Push (RFC 8291), both ways.
//!
//! Opening is for tests of ourselves and of others; a message is only ever sealed here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey, ecdh};
use ring::{aead, hkdf};

use crate::randomness::Randomness;

use super::WebTarget;

const SALT: usize = 16;
const TAG: usize = 16;
const NONCE: usize = 12;
const KEY: usize = 16;
/// Salt, size of a record, length of the key's name.
const HEAD: usize = SALT + 4 + 1;
const PUBLIC_KEY: usize = 65;
/// What every push service takes.
const BODY_BYTES_MAX: usize = 4096;
const RECORD_SIZE: u32 = 4096;
/// The longest text that fits one record of a body of 4,096 bytes: 3,993.
pub const PLAIN_BYTES_MAX: usize = BODY_BYTES_MAX - HEAD - PUBLIC_KEY - TAG - 1;
/// Lengths are hidden in steps: a call and a longer one look alike.
const PADDING_STEP: usize = 512;
const RECORDS_MAX: usize = 1 << 16;

/// How long a text becomes before it is sealed.
pub(super) fn padded(length: usize) -> usize {
    length.next_multiple_of(PADDING_STEP).min(PLAIN_BYTES_MAX).max(length)
}

/// Seals a text for a subscription, made as long as `length` says. None if there was no usable key among the random
/// bytes, or the text is longer than a record holds.
pub(super) fn for_subscription(fresh: &Randomness, target: &WebTarget, plain: &[u8], length: usize) -> Option<Vec<u8>> {
    sealed(&fresh.private_key()?, fresh.salt(), target.key(), target.auth(), plain, length)
}

/// RFC 8291: a key agreed on by ours of this message and the browser's, then one record of RFC 8188.
fn sealed(
    ours: &SecretKey,
    salt: [u8; SALT],
    theirs: &PublicKey,
    auth: &[u8],
    plain: &[u8],
    length: usize,
) -> Option<Vec<u8>> {
    if length > PLAIN_BYTES_MAX {
        return None;
    }
    let public = point(&ours.public_key());
    let key = agreed(ours, theirs, auth, &point(theirs), &public)?;
    let records = [Record { plain, padding: length.checked_sub(plain.len())? }];
    seal(&key, salt, &public, RECORD_SIZE, &records)
}

/// Opens what was sealed for the holder of the private key.
pub fn opened(private: &SecretKey, auth: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let name = Head::read(body)?.key_name;
    let theirs = PublicKey::from_sec1_bytes(name).ok()?;
    let key = agreed(private, &theirs, auth, &point(&private.public_key()), name)?;
    open(&key, body)
}

/// Whether what is sealed with these random bytes opens again.
pub(super) fn check(fresh: &Randomness) -> bool {
    let plain = b"Showdesk";
    let sealed_and_opened = || {
        let theirs = SecretKey::from_slice(&[7; 32]).ok()?;
        let sealed =
            sealed(&fresh.private_key()?, fresh.salt(), &theirs.public_key(), &[1; 16], plain, padded(plain.len()))?;
        opened(&theirs, &[1; 16], &sealed)
    };
    sealed_and_opened().is_some_and(|opened| opened == plain)
}

/// The key that only the two sides know, bound to both public keys.
fn agreed(ours: &SecretKey, theirs: &PublicKey, auth: &[u8], receiver: &[u8], sender: &[u8]) -> Option<[u8; 32]> {
    let shared = ecdh::diffie_hellman(ours.to_nonzero_scalar(), theirs.as_affine());
    let info: [&[u8]; 3] = [b"WebPush: info\0", receiver, sender];
    derived(auth, shared.raw_secret_bytes(), &info)
}

fn point(key: &PublicKey) -> Vec<u8> {
    key.to_encoded_point(false).as_bytes().to_vec()
}

/// One piece of a text, and how many zeros follow it.
struct Record<'a> {
    plain: &'a [u8],
    padding: usize,
}

/// RFC 8188 §2: the head, then every record sealed with the next nonce.
fn seal(key: &[u8], salt: [u8; SALT], key_name: &[u8], record_size: u32, records: &[Record]) -> Option<Vec<u8>> {
    let mut body = salt.to_vec();
    body.extend(record_size.to_be_bytes());
    body.push(u8::try_from(key_name.len()).ok()?);
    body.extend(key_name);
    let keys = Keys::new(key, salt)?;
    for (number, record) in records.iter().enumerate() {
        let mut text = record.plain.to_vec();
        text.push(if number + 1 == records.len() { LAST } else { NOT_LAST });
        text.resize(text.len() + record.padding, 0);
        keys.key.seal_in_place_append_tag(keys.nonce(number)?, aead::Aad::empty(), &mut text).ok()?;
        body.extend(text);
    }
    Some(body)
}

/// RFC 8188 §2: none if anything is not as it was sealed, or the last record is missing.
fn open(key: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let head = Head::read(body)?;
    let keys = Keys::new(key, head.salt)?;
    let mut plain = Vec::new();
    let mut records = head.records.chunks(head.record_size).take(RECORDS_MAX).enumerate().peekable();
    while let Some((number, record)) = records.next() {
        let mut text = record.to_vec();
        let text = keys.key.open_in_place(keys.nonce(number)?, aead::Aad::empty(), &mut text).ok()?;
        let end = text.iter().rposition(|byte| *byte != 0)?;
        let expected = if records.peek().is_none() { LAST } else { NOT_LAST };
        if text[end] != expected {
            return None;
        }
        plain.extend(&text[..end]);
    }
    (!head.records.is_empty()).then_some(plain)
}

/// What ends the text of a record, before its zeros.
const NOT_LAST: u8 = 1;
const LAST: u8 = 2;

/// What stands before the records.
struct Head<'a> {
    salt: [u8; SALT],
    record_size: usize,
    key_name: &'a [u8],
    records: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let (salt, rest) = body.split_first_chunk::<SALT>()?;
        let (size, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first()?;
        let (key_name, records) = rest.split_at_checked(usize::from(*length))?;
        let record_size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        // A record holds a tag, an end mark and at least nothing.
        (record_size > TAG + 1).then_some(Self { salt: *salt, record_size, key_name, records })
    }
}

/// The key of the content, and what its nonces begin with.
struct Keys {
    key: aead::LessSafeKey,
    nonce: [u8; NONCE],
}

impl Keys {
    fn new(key: &[u8], salt: [u8; SALT]) -> Option<Self> {
        let content_key: [u8; KEY] = derived(&salt, key, &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce = derived(&salt, key, &[b"Content-Encoding: nonce\0"])?;
        let key = aead::UnboundKey::new(&aead::AES_128_GCM, &content_key).ok()?;
        Some(Self { key: aead::LessSafeKey::new(key), nonce })
    }

    /// The number of the record, in the nonce's last bytes.
    fn nonce(&self, number: usize) -> Option<aead::Nonce> {
        let mut nonce = self.nonce;
        let number = u32::try_from(number).ok()?.to_be_bytes();
        for (byte, with) in nonce[NONCE - 4..].iter_mut().zip(number) {
            *byte ^= with;
        }
        Some(aead::Nonce::assume_unique_for_key(nonce))
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn derived<const LENGTH: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Option<[u8; LENGTH]> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = [0; LENGTH];
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    key.expand(info, Length(LENGTH)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Base64 as the web writes it.
pub(super) fn in_letters(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The examples of both documents.
    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../../tests/vectors/web-push.json")).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
    }

    fn salt(body: &[u8]) -> [u8; SALT] {
        body[..SALT].try_into().unwrap()
    }

    #[test]
    fn the_message_of_rfc_8291_is_sealed_and_opened_byte_for_byte() {
        let example = &vectors()["rfc8291"];
        let plain = example["plaintext"].as_str().unwrap().as_bytes();
        let ours = SecretKey::from_slice(&bytes(&example["as_private"])).unwrap();
        let theirs = SecretKey::from_slice(&bytes(&example["ua_private"])).unwrap();
        assert_eq!(point(&ours.public_key()), bytes(&example["as_public"]));
        assert_eq!(point(&theirs.public_key()), bytes(&example["ua_public"]));
        let (body, auth) = (bytes(&example["body"]), bytes(&example["auth"]));
        assert_eq!(salt(&body).to_vec(), bytes(&example["salt"]));
        let sealed = sealed(&ours, salt(&body), &theirs.public_key(), &auth, plain, plain.len());
        assert_eq!(sealed.unwrap(), body);
        assert_eq!(opened(&theirs, &auth, &body).unwrap(), plain);
    }

    #[test]
    fn the_messages_of_rfc_8188_are_sealed_and_opened_byte_for_byte() {
        let vectors = vectors();
        let examples = vectors["rfc8188"].as_array().unwrap();
        assert_eq!(examples.len(), 2);
        // §3.1 is one record; §3.2 two, a zero after the first.
        let cuts: [&[(usize, usize, usize)]; 2] = [&[(0, 15, 0)], &[(0, 7, 1), (7, 15, 0)]];
        for (example, cuts) in examples.iter().zip(cuts) {
            let plain = example["plaintext"].as_str().unwrap().as_bytes();
            let (key, body) = (bytes(&example["ikm"]), bytes(&example["body"]));
            let name = example["keyid"].as_str().unwrap_or_default().as_bytes();
            let size = example["record_size"].as_u64().map_or(RECORD_SIZE, |size| u32::try_from(size).unwrap());
            let record =
                |(from, to, padding): &(usize, usize, usize)| Record { plain: &plain[*from..*to], padding: *padding };
            let records: Vec<_> = cuts.iter().map(record).collect();
            assert_eq!(seal(&key, salt(&body), name, size, &records).unwrap(), body);
            assert_eq!(open(&key, &body).unwrap(), plain);
        }
    }

    #[test]
    fn a_body_without_its_last_record_does_not_open() {
        let vectors = vectors();
        let example = &vectors["rfc8188"][1];
        let (key, body) = (bytes(&example["ikm"]), bytes(&example["body"]));
        let head = HEAD + 2;
        assert!(open(&key, &body[..head + 25]).is_none());
        assert!(open(&key, &body[..head]).is_none());
    }

    fn seal_for(plain: &[u8], length: usize) -> (SecretKey, Option<Vec<u8>>) {
        let theirs = SecretKey::from_slice(&[9; 32]).unwrap();
        let ours = SecretKey::from_slice(&[8; 32]).unwrap();
        let sealed = sealed(&ours, [3; SALT], &theirs.public_key(), &[4; 16], plain, length);
        (theirs, sealed)
    }

    #[test]
    fn the_longest_text_fills_the_body_that_every_service_takes() {
        assert_eq!(PLAIN_BYTES_MAX, 3993);
        let (theirs, sealed) = seal_for(&[b'x'; PLAIN_BYTES_MAX], PLAIN_BYTES_MAX);
        let sealed = sealed.unwrap();
        assert_eq!(sealed.len(), BODY_BYTES_MAX);
        assert_eq!(opened(&theirs, &[4; 16], &sealed).unwrap(), [b'x'; PLAIN_BYTES_MAX]);
        assert!(seal_for(&[b'x'; PLAIN_BYTES_MAX + 1], PLAIN_BYTES_MAX + 1).1.is_none());
        assert!(seal_for(b"long", 3).1.is_none());
    }

    #[test]
    fn texts_of_like_length_look_alike() {
        assert_eq!([padded(0), padded(1), padded(512), padded(513)], [0, 512, 512, 1024]);
        assert_eq!([padded(3800), padded(PLAIN_BYTES_MAX)], [PLAIN_BYTES_MAX; 2]);
    }

    #[test]
    fn a_body_for_somebody_else_does_not_open() {
        let (theirs, sealed) = seal_for(b"Class 12", 512);
        let sealed = sealed.unwrap();
        let other = SecretKey::from_slice(&[5; 32]).unwrap();
        assert!(opened(&other, &[4; 16], &sealed).is_none());
        assert!(opened(&theirs, &[6; 16], &sealed).is_none());
        let mut changed = sealed;
        *changed.last_mut().unwrap() ^= 1;
        assert!(opened(&theirs, &[4; 16], &changed).is_none());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(plain in prop::collection::vec(any::<u8>(), 0..300), padding in 0_usize..100) {
            let (theirs, sealed) = seal_for(&plain, plain.len() + padding);
            prop_assert_eq!(opened(&theirs, &[4; 16], &sealed.unwrap()).unwrap(), plain);
        }

        #[test]
        fn opening_what_a_stranger_sends_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let key = SecretKey::from_slice(&[9; 32]).unwrap();
            prop_assert!(opened(&key, &[4; 16], &body).is_none());
            prop_assert!(open(&[1; 16], &body).is_none());
        }
    }
}
