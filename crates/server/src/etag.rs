//! Whether whoever asks has the answer already.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;
use showdesk_engine::pull::names;

/// Whether `If-None-Match` names the tag.
pub(crate) fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    let mut lists = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| names(list, etag))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_tag_is_known_in_any_place_of_a_list() {
        for (named, known) in [
            ("\"a\"", true),
            ("\"b\", \"a\"", true),
            ("W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(named))]);
            assert_eq!(is_known(&headers, "\"a\""), known, "{named}");
            assert_eq!(is_known(&headers, "W/\"a\""), known, "{named}");
        }
        assert!(!is_known(&HeaderMap::new(), "\"a\""));
    }
}
