//! Rules for the pages: who may import what, who may talk to the shell and to the network.
//!
//! eslint holds some of this as well; here it holds for every file, whatever eslint is told to ignore.

use super::Violation;
use super::tree::{Source, Tree, lines_with};

const CODE: &[&str] = &[".ts", ".js", ".mjs", ".svelte"];

/// Only the platform package talks to the shell.
pub(super) fn tauri_only_in_platform(tree: &Tree) -> Vec<Violation> {
    let outside = code(tree).chain(tree.files("ui/", &["/package.json"]));
    let outside = outside.filter(|source| !source.path.starts_with("ui/packages/platform/"));
    // The root's eslint settings name the ban itself.
    let outside = outside.filter(|source| source.path != "ui/eslint.config.js");
    let mut found = Vec::new();
    for source in outside {
        for (line, _) in lines_with(&source.text, &["@tauri-apps/"]) {
            let says = "`@tauri-apps`: only ui/packages/platform talks to the shell";
            found.push(Violation::new(format!("{}:{line}", source.path), says));
        }
    }
    found
}

/// Calls that leave the page.
const NETWORK: &[&str] = &["fetch(", "new EventSource(", "new XMLHttpRequest(", "new WebSocket(", ".sendBeacon("];

/// Only the api package talks to the network. The phone's worker stands between the page and the network.
pub(super) fn network_only_in_api(tree: &Tree) -> Vec<Violation> {
    let inside = ["ui/packages/api/", "ui/apps/phone/worker/", "ui/apps/phone/test/worker.test.ts"];
    let outside = code(tree).filter(|source| !inside.iter().any(|path| source.path.starts_with(path)));
    let mut found = Vec::new();
    for source in outside {
        for (line, text) in source.text.lines().enumerate() {
            if let Some(call) = NETWORK.iter().find(|call| calls(text, call)) {
                let says = format!("`{call}`: only ui/packages/api talks to the network");
                found.push(Violation::new(format!("{}:{}", source.path, line + 1), says));
            }
        }
    }
    found
}

/// Whether the line has the call as a word of its own: `fetch(` and `window.fetch(`, not `prefetch(`.
fn calls(line: &str, call: &str) -> bool {
    line.match_indices(call).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        call.starts_with('.')
            || !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
    })
}

/// Which of our packages a package may import.
const LAYERS: [(&str, &[&str]); 6] = [
    ("ui/packages/api/", &[]),
    ("ui/packages/platform/", &[]),
    ("ui/packages/components/", &[]),
    ("ui/packages/sync/", &["api"]),
    ("ui/apps/phone/", &["api", "sync", "platform", "components"]),
    ("ui/apps/desk/", &["api", "sync", "platform", "components"]),
];

/// `apps → components, sync, api, platform`; `sync → api`; nothing else, and never around a package's door.
pub(super) fn imports_follow_the_layers(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (folder, may) in LAYERS {
        let own = folder.trim_end_matches('/').rsplit('/').next().expect("a folder has a name");
        for source in tree.files(folder, CODE).chain(tree.files(folder, &["/package.json"])) {
            found.extend(imports(source, own, may));
            found.extend(ways_around(source));
        }
    }
    let known = |source: &&Source| LAYERS.iter().any(|(folder, _)| source.path.starts_with(folder));
    for source in tree.files("ui/packages/", CODE).chain(tree.files("ui/apps/", CODE)).filter(|source| !known(source)) {
        found.push(Violation::new(&source.path, "belongs to a package that the layers do not know"));
    }
    found
}

fn imports(source: &Source, own: &str, may: &[&str]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, text) in source.text.lines().enumerate() {
        for (at, scope) in text.match_indices("\"@showdesk/") {
            let name = &text[at + scope.len()..];
            let name = &name[..name.find(['"', '/']).unwrap_or(name.len())];
            if name != own && !may.contains(&name) {
                let says = format!("{own} may not use {name}");
                found.push(Violation::new(format!("{}:{}", source.path, line + 1), says));
            }
        }
    }
    found
}

/// Imports by a path that leaves the package's own folder.
fn ways_around(source: &Source) -> Option<Violation> {
    // ui/apps/desk/src/a.ts is one folder deep in its package: two steps up lead out of it.
    let folders_deep = source.path.matches('/').count().saturating_sub(3);
    let way_out = format!("from \"{}", "../".repeat(folders_deep + 1));
    // The vectors that Rust and TypeScript share stand outside of both.
    let around = |line: &&str| line.contains(&way_out) && !line.contains("/tests/vectors/");
    let line = source.text.lines().position(|line| around(&line))? + 1;
    Some(Violation::new(format!("{}:{line}", source.path), "goes around a package's door: import it by its name"))
}

fn code(tree: &Tree) -> impl Iterator<Item = &Source> {
    tree.files("ui/", CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(found: Vec<Violation>) -> Vec<String> {
        found.into_iter().map(|violation| violation.place).collect()
    }

    #[test]
    fn the_shell_is_named_only_in_platform() {
        let text = "import { invoke } from \"@tauri-apps/api/core\";\n";
        let tree = Tree::of(&[("ui/packages/platform/src/a.ts", text), ("ui/apps/desk/src/App.svelte", text)]);
        assert_eq!(places(tauri_only_in_platform(&tree)), ["ui/apps/desk/src/App.svelte:1"]);
    }

    #[test]
    fn the_network_is_used_only_in_api() {
        let tree = Tree::of(&[
            ("ui/packages/api/src/a.ts", "await fetch(url)"),
            ("ui/packages/sync/src/a.ts", "await globalThis.fetch(url)"),
            ("ui/packages/sync/src/b.ts", "prefetch(url); refetch()"),
            ("ui/apps/phone/src/c.ts", "navigator.sendBeacon(url)"),
        ]);
        assert_eq!(places(network_only_in_api(&tree)), ["ui/packages/sync/src/a.ts:1", "ui/apps/phone/src/c.ts:1"]);
    }

    #[test]
    fn an_import_against_the_layers_is_found() {
        let tree = Tree::of(&[
            ("ui/packages/api/src/a.ts", "import { x } from \"@showdesk/sync\";"),
            ("ui/packages/sync/src/a.ts", "import { x } from \"@showdesk/api\";"),
            ("ui/apps/desk/package.json", "{ \"dependencies\": { \"@showdesk/phone\": \"0.1.0\" } }"),
            ("ui/apps/desk/src/a.ts", "import \"@showdesk/components/base.css\";"),
            ("ui/packages/other/src/a.ts", ""),
        ]);
        let expected = ["ui/packages/api/src/a.ts:1", "ui/apps/desk/package.json:1", "ui/packages/other/src/a.ts"];
        assert_eq!(places(imports_follow_the_layers(&tree)), expected);
    }

    #[test]
    fn a_path_around_the_door_is_found() {
        let tree = Tree::of(&[
            ("ui/apps/desk/src/a.ts", "import { x } from \"../../phone/src/x\";"),
            ("ui/apps/desk/src/features/entries/b.ts", "import { x } from \"../../words\";"),
        ]);
        assert_eq!(places(imports_follow_the_layers(&tree)), ["ui/apps/desk/src/a.ts:1"]);
    }
}
