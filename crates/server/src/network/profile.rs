//! The profile that an iPhone installs: the authority, with the show's name on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// The space of the profile's ids: the same show and the same authority give the same ids.
const SPACE: Uuid = Uuid::from_u128(0x5f0c_6a52_9d1e_4b0a_8a41_7368_6f77_646b);

/// The profile's text.
pub(crate) fn profile(show: &str, installation: Uuid, certificate: &[u8], fingerprint: &str) -> String {
    let show = match show.trim() {
        "" => "Showdesk".to_owned(),
        name => escaped(name),
    };
    let profile_id = id(&format!("profile/{installation}"));
    let certificate_id = id(&format!("certificate/{fingerprint}"));
    let data = STANDARD.encode(certificate);
    let groups = groups(fingerprint);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>app.showdesk.{installation}</string>
  <key>PayloadUUID</key><string>{profile_id}</string>
  <key>PayloadDisplayName</key><string>{show}</string>
  <key>PayloadOrganization</key><string>Showdesk</string>
  <key>PayloadDescription</key><string>Lets this phone trust the laptop of {show}, on private networks only. Compare with the laptop's screen: {groups}. Remove it after the show.</string>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadVersion</key><integer>1</integer>
      <key>PayloadIdentifier</key><string>app.showdesk.{installation}.certificate</string>
      <key>PayloadUUID</key><string>{certificate_id}</string>
      <key>PayloadDisplayName</key><string>Laptop of {show}</string>
      <key>PayloadCertificateFileName</key><string>showdesk-ca.crt</string>
      <key>PayloadContent</key><data>{data}</data>
    </dict>
  </array>
</dict>
</plist>
"#
    )
}

/// The fingerprint as people compare it: `AB12 CD34 …`.
pub(crate) fn groups(fingerprint: &str) -> String {
    let upper = fingerprint.to_ascii_uppercase();
    let groups: Vec<&str> = (0..upper.len()).step_by(4).filter_map(|at| upper.get(at..at + 4)).collect();
    groups.join(" ")
}

fn id(name: &str) -> String {
    Uuid::new_v5(&SPACE, name.as_bytes()).to_string().to_ascii_uppercase()
}

/// Text within an element. Characters that XML does not have are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_of_the_show_and_of_its_authority() {
        let show = Uuid::from_u128(7);
        let first = profile("County Fair", show, b"one", "aa11");
        assert_eq!(first, profile("County Fair", show, b"one", "aa11"));
        let uuids = |text: &str| -> Vec<String> {
            let parts = text.split("<key>PayloadUUID</key><string>").skip(1);
            parts.map(|part| part[..36].to_owned()).collect()
        };
        let renewed = profile("County Fair", show, b"two", "bb22");
        assert_eq!(uuids(&first).len(), 2);
        assert_eq!(uuids(&first)[0], uuids(&renewed)[0], "it takes the place of the one before");
        assert_ne!(uuids(&first)[1], uuids(&renewed)[1]);
    }

    #[test]
    fn a_shows_name_is_text_and_nothing_else() {
        let text = profile("</string><key>PayloadContent</key>\u{0}& Sons", Uuid::nil(), b"x", "aa11");
        assert!(text.contains("<string>&lt;/string&gt;&lt;key&gt;PayloadContent&lt;/key&gt;&amp; Sons</string>"));
        assert_eq!(text.matches("<key>PayloadContent</key>").count(), 2);
        assert!(profile("  ", Uuid::nil(), b"x", "aa11").contains("<string>Showdesk</string>"));
    }

    #[test]
    fn a_fingerprint_is_compared_in_groups_of_four() {
        assert_eq!(groups("ab12cd34ef"), "AB12 CD34");
        assert_eq!(groups("ab12cd34"), "AB12 CD34");
    }
}
