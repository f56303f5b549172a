//! The frames of a stack that are ours, without what changes from build to build.
//!
//! Rust's backtraces and the stacks of the browsers' engines: V8 writes `at name (address)`, the others `name@address`.

use std::sync::LazyLock;

use regex::Regex;

/// A frame of Rust: `   3: showdesk_engine::push::apply::h0123456789abcdef`.
static RUST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*\d+:\s+(?:0x[0-9a-f]+ - )?(?P<name>.+?)(?:::h[0-9a-f]{16})?$"));

/// A frame of a page: a name, if it has one, and where the script came from.
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:at\s+(?:async\s+)?(?P<v8>[^\s(]+)\s+\(|at\s+(?:async\s+)?|(?P<other>[^@\s]*)@)\w+://[^/\s]+(?P<path>/[^\s):?]*)",
    )
});

/// What the bundler adds to a file's name: `index-Bx3f9_Qa.js`.
static CONTENT_HASH: LazyLock<Regex> = LazyLock::new(|| pattern(r"-[A-Za-z0-9_-]{8}(\.\w+)$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant, and tests use it")
}

/// Our topmost frames, at most so many, without line numbers.
pub(super) fn ours(stack: &str, frames_max: usize) -> Vec<String> {
    stack.lines().filter_map(|line| script(line).or_else(|| rust(line))).take(frames_max).collect()
}

fn rust(line: &str) -> Option<String> {
    let name = RUST.captures(line)?.name("name")?.as_str();
    name.contains("showdesk").then(|| name.to_owned())
}

fn script(line: &str) -> Option<String> {
    let found = SCRIPT.captures(line)?;
    let path = found.name("path")?.as_str();
    if path.contains("/node_modules/") || !line.contains("http") {
        return None;
    }
    let name = found.name("v8").or_else(|| found.name("other")).map_or("", |name| name.as_str());
    Some(format!("{name} {}", CONTENT_HASH.replace(path, "$1")).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_rust_are_ours_by_their_name_and_have_no_hash() {
        let stack = "   0: rust_begin_unwind\n             at /rustc/1/library/std/src/panicking.rs:697:5\n   \
             1: showdesk_engine::writer::save::{{closure}}::h0123456789abcdef\n             \
             at ./crates/engine/src/writer/save.rs:10:5\n   2: hyper::server::park\n   \
             3: <showdesk_store::Tx as core::ops::Drop>::drop\n";
        let expected = ["showdesk_engine::writer::save::{{closure}}", "<showdesk_store::Tx as core::ops::Drop>::drop"];
        assert_eq!(ours(stack, 5), expected);
        assert_eq!(ours(stack, 1), expected[..1]);
    }

    #[test]
    fn frames_of_pages_are_the_same_in_every_browser_and_at_every_address() {
        let chromium = "TypeError: x is undefined\n    at save (http://192.168.1.20:7420/assets/index-Bx3f9_Qa.js:12:345)\n    \
             at async http://192.168.1.20:7420/assets/work-00000000.js:1:9\n    at chrome-extension://abc/x.js:1:1";
        let safari = "save@https://10.0.0.4:7443/assets/index-ZZZZZZZZ.js:9:1\n@https://10.0.0.4:7443/assets/work-11111111.js:3:3";
        assert_eq!(ours(chromium, 5), ["save /assets/index.js", "/assets/work.js"]);
        assert_eq!(ours(safari, 5), ours(chromium, 5));
    }

    #[test]
    fn a_text_without_frames_has_none() {
        assert_eq!(ours("disk full\n at the gate", 5), Vec::<String>::new());
    }
}
