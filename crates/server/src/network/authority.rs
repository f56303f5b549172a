//! The certificates: an authority that can vouch for private networks and nothing else, and what it signs.
//!
//! It keeps nothing: the authority lies in the database, its key in the vault, the laptop's own certificate in memory.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
    date_time_ymd,
};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use showdesk_engine::{Authority, Founding};

use super::addresses::PRIVATE;

/// Names that the authority may vouch for, with everything below them.
const DOMAINS: [&str; 3] = ["local", "home.arpa", "localhost"];
/// A laptop or a phone whose clock says an earlier day has forgotten the time.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
/// How long phones trust an authority: a few years of shows.
const AUTHORITY_MONTHS: Months = Months::new(60);
/// A laptop's certificate begins earlier, for phones whose clock is slow.
const LEAF_BEFORE: Days = Days::new(2);
/// Phones refuse certificates for more than 397 days.
const LEAF_DAYS: Days = Days::new(396);

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("a certificate's key cannot be used: {0}")]
    Key(#[from] rustls::Error),
}

/// An authority that can sign.
pub(crate) struct Signer(Issuer<'static, KeyPair>);

/// The laptop's own certificate.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) names: Vec<String>,
    pub(crate) begins_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A new authority. Its name tells when it was made, because two of them may lie on one phone.
pub(crate) fn found(now: DateTime<Utc>) -> Result<Founding, CertificateError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let last_day = day_of(now).checked_add_months(AUTHORITY_MONTHS).unwrap_or(NaiveDate::MAX);
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Showdesk");
    name.push(DnType::CommonName, format!("Showdesk {}", now.format("%Y-%m-%d %H:%M")));
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    set_time(&mut params, FIRST_DAY, last_day);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // The limits below are of names and addresses; this one keeps it from vouching for mail, programs or people.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted(), excluded_subtrees: Vec::new() });
    let certificate = params.self_signed(&key)?;
    let authority =
        Authority { certificate: certificate.der().to_vec(), created_at: now, expires_at: midnight(last_day) };
    Ok(Founding { authority, key: key.serialize_der() })
}

/// SHA-256 of the certificate, which phones show in their settings: 64 hexadecimal digits.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(certificate).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Signer {
    pub(crate) fn new(authority: &Authority, key: &[u8]) -> Result<Self, CertificateError> {
        let key = PrivatePkcs8KeyDer::from(key);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateDer::from(authority.certificate.as_slice());
        Ok(Self(Issuer::from_ca_cert_der(&certificate, key)?))
    }

    /// A certificate for this laptop, with a key that is nowhere else.
    pub(crate) fn sign(
        &self,
        addresses: &[IpAddr],
        domains: &[String],
        now: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Leaf, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let first_day = day_of(now).checked_sub_days(LEAF_BEFORE).unwrap_or(FIRST_DAY).max(FIRST_DAY);
        let last_day = first_day.checked_add_days(LEAF_DAYS).unwrap_or(NaiveDate::MAX).min(not_after.date_naive());
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, domains.first().map_or("Showdesk", String::as_str));
        params.distinguished_name = name;
        for domain in domains {
            params.subject_alt_names.push(SanType::DnsName(domain.as_str().try_into()?));
        }
        params.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
        set_time(&mut params, first_day, last_day);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = CertifiedKey::new(vec![certificate.into()], any_ecdsa_type(&private)?);
        Ok(Leaf {
            certified: Arc::new(certified),
            names: domains.iter().cloned().chain(addresses.iter().map(ToString::to_string)).collect(),
            begins_at: midnight(first_day),
            expires_at: midnight(last_day),
        })
    }
}

fn permitted() -> Vec<GeneralSubtree> {
    let domains = DOMAINS.iter().map(|domain| GeneralSubtree::DnsName((*domain).to_owned()));
    let networks = PRIVATE
        .iter()
        .map(|(address, length)| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, *length)));
    domains.chain(networks).collect()
}

/// The time, if the machine knows it; else the earliest that it can be.
pub(crate) fn known_time(now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(midnight(FIRST_DAY))
}

fn day_of(now: DateTime<Utc>) -> NaiveDate {
    known_time(now).date_naive()
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// From the first day's beginning to the last day's, in the calendar that rcgen has.
fn set_time(params: &mut CertificateParams, first_day: NaiveDate, last_day: NaiveDate) {
    let number = |part: u32| u8::try_from(part).expect("a month or a day");
    let moment = |day: NaiveDate| date_time_ymd(day.year(), number(day.month()), number(day.day()));
    params.not_before = moment(first_day);
    params.not_after = moment(last_day);
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};
    use x509_parser::extensions::{GeneralName, ParsedExtension};
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-07-24T09:30:00Z".parse().expect("a moment")
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn domains(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn signer(founding: &Founding) -> Signer {
        Signer::new(&founding.authority, &founding.key).expect("it can sign")
    }

    /// Whether a phone that trusts only this authority takes the laptop's certificate for that name at that time.
    fn trusts(founding: &Founding, leaf: &Leaf, name: &str, at: DateTime<Utc>) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(founding.authority.certificate.clone())).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().expect("a verifier");
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let seconds = u64::try_from(at.timestamp()).expect("after 1970");
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier.verify_server_cert(&leaf.certified.cert[0], &[], &name, &[], at).is_ok()
    }

    #[test]
    fn a_phone_trusts_the_laptop_by_each_of_its_names() {
        let founding = found(now()).expect("made");
        let names = domains(&["showdesk-1a2b3c.local", "localhost"]);
        let own = addresses(&["192.168.1.20", "10.0.0.5", "169.254.7.7", "127.0.0.1", "fd00::5"]);
        let leaf = signer(&founding).sign(&own, &names, now(), founding.authority.expires_at).expect("signed");
        for name in &leaf.names {
            assert!(trusts(&founding, &leaf, name, now()), "{name}");
            let last = leaf.expires_at - TimeDelta::minutes(1);
            assert!(trusts(&founding, &leaf, name, last) && trusts(&founding, &leaf, name, leaf.begins_at));
            assert!(!trusts(&founding, &leaf, name, leaf.expires_at + TimeDelta::minutes(1)));
            assert!(!trusts(&founding, &leaf, name, leaf.begins_at - TimeDelta::minutes(1)));
        }
        assert!(leaf.names.len() == 7 && !trusts(&founding, &leaf, "192.168.1.21", now()));
        assert!(!trusts(&found(now()).expect("made"), &leaf, "192.168.1.20", now()), "another show's authority");
    }

    #[test]
    fn the_authority_vouches_for_nothing_outside_private_networks() {
        let founding = found(now()).expect("made");
        for name in ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1"] {
            let leaf = signer(&founding).sign(&addresses(&[name]), &[], now(), founding.authority.expires_at);
            assert!(!trusts(&founding, &leaf.expect("signed"), name, now()), "{name}");
        }
        for name in ["bank.example", "localhost.example", "notlocal", "home.arpa.example"] {
            let leaf = signer(&founding).sign(&[], &domains(&[name]), now(), founding.authority.expires_at);
            assert!(!trusts(&founding, &leaf.expect("signed"), name, now()), "{name}");
        }
        for name in ["desk.home.arpa", "anything.local"] {
            let leaf = signer(&founding).sign(&[], &domains(&[name]), now(), founding.authority.expires_at);
            assert!(trusts(&founding, &leaf.expect("signed"), name, now()), "{name}");
        }
    }

    #[test]
    fn the_limits_of_the_authority_stand_in_it_as_critical() {
        let founding = found(now()).expect("made");
        let (_, certificate) = X509Certificate::from_der(&founding.authority.certificate).expect("DER");
        let constraints = certificate.name_constraints().expect("readable").expect("there");
        assert!(constraints.critical && constraints.value.excluded_subtrees.is_none());
        let permitted = constraints.value.permitted_subtrees.as_deref().expect("some");
        let texts: Vec<&str> = permitted
            .iter()
            .filter_map(|subtree| match &subtree.base {
                GeneralName::DNSName(name) => Some(*name),
                _ => None,
            })
            .collect();
        assert_eq!((texts, permitted.len()), (DOMAINS.to_vec(), DOMAINS.len() + PRIVATE.len()));
        let basic = certificate.basic_constraints().expect("readable").expect("there");
        assert!(basic.critical && basic.value.ca && basic.value.path_len_constraint == Some(0));
        let usage = certificate.key_usage().expect("readable").expect("there").value;
        assert!(usage.key_cert_sign() && !usage.digital_signature() && !usage.key_encipherment());
        let purpose = certificate.extended_key_usage().expect("readable").expect("there").value;
        assert!(purpose.server_auth && !purpose.any && !purpose.client_auth && !purpose.code_signing);
        assert!(
            !purpose.email_protection && !purpose.time_stamping && !purpose.ocsp_signing && purpose.other.is_empty()
        );
        let kinds = certificate
            .extensions()
            .iter()
            .filter(|extension| matches!(extension.parsed_extension(), ParsedExtension::UnsupportedExtension { .. }));
        assert_eq!(kinds.count(), 0, "nothing that a phone could not read");
    }

    #[test]
    fn a_laptops_certificate_lasts_at_most_397_days_and_never_longer_than_its_authority() {
        let founding = found(now()).expect("made");
        let leaf = signer(&founding).sign(&addresses(&["10.0.0.5"]), &[], now(), founding.authority.expires_at);
        let leaf = leaf.expect("signed");
        assert!(leaf.expires_at - leaf.begins_at <= TimeDelta::days(397));
        assert!(leaf.begins_at <= now() - TimeDelta::days(2), "phones whose clock is slow");
        let (_, certificate) = X509Certificate::from_der(&leaf.certified.cert[0]).expect("DER");
        let validity = certificate.validity();
        assert_eq!(validity.not_before.timestamp(), leaf.begins_at.timestamp());
        assert_eq!(validity.not_after.timestamp(), leaf.expires_at.timestamp());
        let usage = certificate.extended_key_usage().expect("readable").expect("there").value;
        assert!(usage.server_auth && !usage.client_auth && !usage.any);
        let late = founding.authority.expires_at - TimeDelta::days(30);
        let leaf = signer(&founding).sign(&[], &domains(&["a.local"]), late, founding.authority.expires_at);
        assert_eq!(leaf.expect("signed").expires_at, founding.authority.expires_at);
    }

    #[test]
    fn a_laptop_that_has_forgotten_the_time_makes_certificates_of_today() {
        let forgotten = DateTime::UNIX_EPOCH;
        let founding = found(forgotten).expect("made");
        let own = addresses(&["10.0.0.5"]);
        let leaf = signer(&founding).sign(&own, &[], forgotten, founding.authority.expires_at).expect("signed");
        let in_2026 = "2026-03-01T00:00:00Z".parse().expect("a moment");
        assert!(trusts(&founding, &leaf, "10.0.0.5", in_2026));
    }

    #[test]
    fn a_fingerprint_is_the_hash_of_the_whole_certificate() {
        assert_eq!(fingerprint(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
