//! What each route is for, in plain words. The one table: request lists, the heat map and problems name routes by it.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Addresses that are no route: the pages' files, and what strangers try.
pub const UNMATCHED: &str = "unmatched";
/// What phones say of themselves begins with it, so that no phone can pretend to be a route of the laptop.
pub const OF_PHONES: &str = "phone:";
/// The method of a phone's own doings.
pub const DO: &str = "DO";

/// Method, route, name.
const TASKS: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/sync/push", "Send entries"),
    ("GET", "/api/v1/sync/pull", "Get changes"),
    ("GET", "/api/v1/sync/hello", "Say hello"),
    ("POST", "/api/v1/sync/ops/status", "Ask about entries"),
    ("GET", "/api/v1/live", "Listen for news"),
    ("POST", "/api/v1/telemetry", "Tell measurements"),
    ("GET", "/api/v1/ping", "Look for the laptop"),
    ("GET", "/api/v1/openapi.json", "Read the contract"),
    ("POST", "/api/v1/pairing/claim", "Ask to join"),
    ("GET", "/api/v1/pairing/{pairing_id}", "Wait to join"),
    ("GET", "/api/v1/me", "Who am I"),
    ("POST", "/api/v1/me/token", "Renew a pass"),
    ("POST", "/api/v1/me/back-numbers/lease", "Take exhibitor numbers"),
    ("GET", "/api/v1/me/conflicts", "Look at own entries to check"),
    ("POST", "/api/v1/me/conflicts/{id}/answer", "Answer a question"),
    ("POST", "/api/v1/me/conflicts/{id}/disagree", "Disagree with a decision"),
    ("POST", "/api/v1/me/conflicts/{id}/withdraw", "Take an entry back"),
    ("GET", "/api/v1/me/notifications", "Get messages"),
    ("POST", "/api/v1/me/notifications/ack", "Confirm messages"),
    ("GET", "/api/v1/me/push-key", "Get ready for messages"),
    ("PUT", "/api/v1/me/push-tokens", "Sign up for messages"),
    ("DELETE", "/api/v1/me/push-tokens/{id}", "Sign off from messages"),
    ("GET", "/ca.crt", "Get the certificate"),
    ("GET", "/ca.mobileconfig", "Get the certificate for iPhones"),
    ("GET", "/test/{code}", "Test the network from a phone"),
    ("GET", "/metrics", "Read all measurements"),
    ("GET", "/api/v1/admin/activity", "See what people did"),
    ("GET", "/api/v1/admin/audit", "See the record"),
    ("GET", "/api/v1/admin/audit.csv", "Save the record"),
    ("POST", "/api/v1/admin/bulk/{bulk_id}/undo", "Undo many decisions"),
    ("GET", "/api/v1/admin/conflicts", "See what needs checking"),
    ("POST", "/api/v1/admin/conflicts/resolve-bulk", "Decide many"),
    ("GET", "/api/v1/admin/conflicts/{id}", "See one that needs checking"),
    ("POST", "/api/v1/admin/conflicts/{id}/ask", "Ask an author"),
    ("POST", "/api/v1/admin/conflicts/{id}/reopen", "Check again"),
    ("POST", "/api/v1/admin/conflicts/{id}/resolve", "Decide"),
    ("POST", "/api/v1/admin/conflicts/{id}/undo", "Undo a decision"),
    ("POST", "/api/v1/admin/demo", "Fill in the demo show"),
    ("GET", "/api/v1/admin/devices", "See phones"),
    ("PUT", "/api/v1/admin/devices/{id}", "Change a phone"),
    ("POST", "/api/v1/admin/devices/{id}/ask-file", "Ask a phone for its copy"),
    ("POST", "/api/v1/admin/devices/{id}/merge", "Join two phones into one"),
    ("POST", "/api/v1/admin/devices/{id}/revoke", "Remove a phone"),
    ("GET", "/api/v1/admin/entries", "Look up entries"),
    ("GET", "/api/v1/admin/entries/{animal_id}", "See an animal"),
    ("POST", "/api/v1/admin/import/entries", "Look at an entries file"),
    ("GET", "/api/v1/admin/import/{import_id}", "See a file"),
    ("POST", "/api/v1/admin/import/{import_id}/confirm", "Bring a file in"),
    ("PUT", "/api/v1/admin/import/{import_id}/plan", "Put a file right"),
    ("POST", "/api/v1/admin/import/{import_id}/undo", "Take a file back"),
    ("GET", "/api/v1/admin/imports", "See files"),
    ("GET", "/api/v1/admin/joining", "See where phones join"),
    ("GET", "/api/v1/admin/network", "See the network"),
    ("POST", "/api/v1/admin/network/renew", "Renew the certificate"),
    ("POST", "/api/v1/admin/network/tests", "Begin a network test"),
    ("GET", "/api/v1/admin/network/tests/{id}", "Wait for a network test"),
    ("GET", "/api/v1/admin/notification-templates", "See templates"),
    ("POST", "/api/v1/admin/notification-templates", "Add a template"),
    ("DELETE", "/api/v1/admin/notification-templates/{id}", "Remove a template"),
    ("PUT", "/api/v1/admin/notification-templates/{id}", "Change a template"),
    ("GET", "/api/v1/admin/notifications", "See messages"),
    ("POST", "/api/v1/admin/notifications", "Send a message"),
    ("GET", "/api/v1/admin/notifications/audience", "See whom messages can go to"),
    ("GET", "/api/v1/admin/notifications/automatic", "See automatic messages"),
    ("PUT", "/api/v1/admin/notifications/automatic", "Choose automatic messages"),
    ("POST", "/api/v1/admin/notifications/preview", "Preview a message"),
    ("POST", "/api/v1/admin/notifications/reach", "Count whom a message reaches"),
    ("GET", "/api/v1/admin/notifications/{id}", "See one message"),
    ("PUT", "/api/v1/admin/notifications/{id}", "Change a message"),
    ("POST", "/api/v1/admin/notifications/{id}/cancel", "Cancel a message"),
    ("POST", "/api/v1/admin/notifications/{id}/remind", "Send a message again"),
    ("POST", "/api/v1/admin/notifications/{id}/retract", "Take a message back"),
    ("GET", "/api/v1/admin/overview", "Open the overview"),
    ("GET", "/api/v1/admin/pairings", "See who wants to join"),
    ("POST", "/api/v1/admin/pairings", "Open joining"),
    ("GET", "/api/v1/admin/pairings/open", "See open codes"),
    ("POST", "/api/v1/admin/pairings/{id}/approve", "Allow a phone"),
    ("POST", "/api/v1/admin/pairings/{id}/close", "Close a code"),
    ("POST", "/api/v1/admin/pairings/{id}/refuse", "Refuse a phone"),
    ("POST", "/api/v1/admin/pairings/{id}/typed-code", "Make a short code"),
    ("GET", "/api/v1/admin/permissions", "See permissions"),
    ("PUT", "/api/v1/admin/person", "Name the person at the laptop"),
    ("GET", "/api/v1/admin/push", "See message services"),
    ("DELETE", "/api/v1/admin/push/apns", "Forget Apple"),
    ("PUT", "/api/v1/admin/push/apns", "Set Apple up"),
    ("DELETE", "/api/v1/admin/push/fcm", "Forget Firebase"),
    ("PUT", "/api/v1/admin/push/fcm", "Set Firebase up"),
    ("DELETE", "/api/v1/admin/push/web", "Forget browsers' message services"),
    ("PUT", "/api/v1/admin/push/web", "Set browsers' message services up"),
    ("POST", "/api/v1/admin/push/{provider}/test", "Test a message service"),
    ("GET", "/api/v1/admin/queue", "See entries that need attention"),
    ("POST", "/api/v1/admin/queue/{op_id}/apply", "Apply an entry"),
    ("POST", "/api/v1/admin/queue/{op_id}/drop", "Give an entry up"),
    ("POST", "/api/v1/admin/queue/{op_id}/retry", "Try an entry again"),
    ("GET", "/api/v1/admin/records/{table_name}/{id}/history", "See a history"),
    ("POST", "/api/v1/admin/rescue", "Take a phone's copy in"),
    ("POST", "/api/v1/admin/session", "Open the desk by a link"),
    ("POST", "/api/v1/admin/wifi-qr", "Make the Wi-Fi code"),
    ("POST", "/api/v1/admin/workers/{name}/run", "Run a worker"),
    ("GET", "/api/v1/admin/recording", "See what is recorded"),
    ("GET", "/api/v1/admin/metrics/series", "Read a measurement"),
    ("GET", "/api/v1/admin/requests", "See single requests"),
    ("GET", "/api/v1/admin/charts", "See charts"),
    ("GET", "/api/v1/admin/charts/{file}", "Save a chart"),
    ("GET", "/api/v1/admin/report", "Make the report of the show"),
    ("GET", "/api/v1/admin/errors", "See problems"),
    ("GET", "/api/v1/admin/errors/{fingerprint}", "See a problem"),
    ("PUT", "/api/v1/admin/errors/{fingerprint}", "Solve a problem"),
    ("GET", "/api/v1/admin/alerts/rules", "See alerts"),
    ("PUT", "/api/v1/admin/alerts/rules", "Change an alert"),
    ("DELETE", "/api/v1/admin/alerts/rules/{id}", "Remove an alert"),
    ("GET", "/api/v1/admin/alerts/events", "See what was said"),
    ("GET", "/api/v1/admin/alerts/settings", "See alert settings"),
    ("PUT", "/api/v1/admin/alerts/settings", "Change alert settings"),
    ("POST", "/api/v1/admin/alerts/settings/test", "Test where alerts go"),
    ("GET", "/api/v1/admin/cache", "See the cache"),
    ("DELETE", "/api/v1/admin/cache", "Clear the cache"),
    ("GET", UNMATCHED, "Pages and files"),
];

/// What phones do by themselves, beside asking the laptop.
const DOINGS: &[(&str, &str)] = &[
    ("start", "Start the app"),
    ("save", "Save on the phone"),
    ("search", "Search on the phone"),
    ("open", "Open a screen on the phone"),
    ("sync", "One round with the laptop"),
];

/// What is known of a route, by its path.
struct Route {
    path: &'static str,
    /// The same as phones say it.
    of_phone: &'static str,
    tasks: Vec<(&'static str, &'static str)>,
}

static ROUTES: LazyLock<HashMap<&'static str, Route>> = LazyLock::new(|| {
    let mut routes: HashMap<&'static str, Route> = HashMap::new();
    let doings = DOINGS.iter().map(|(path, task)| (&DO, path, task));
    for (method, path, task) in TASKS.iter().map(|(method, path, task)| (method, path, task)).chain(doings) {
        let route = routes.entry(path).or_insert_with(|| Route {
            path,
            // Made once and for as long as the program lives, like the table.
            of_phone: Box::leak(format!("{OF_PHONES}{path}").into_boxed_str()),
            tasks: Vec::new(),
        });
        route.tasks.push((method, task));
    }
    routes
});

/// What phones tell of that nobody knows.
const OTHER_OF_PHONES: &str = "phone:other";

/// The route as this table has it, for one that the router matched; [`UNMATCHED`] if it is not there.
pub fn endpoint_of(matched: Option<&str>) -> &'static str {
    matched.and_then(|path| ROUTES.get(path)).map_or(UNMATCHED, |route| route.path)
}

/// What a request to a route is for. What phones tell has the same name.
pub fn task_of(method: &str, endpoint: &str) -> &'static str {
    let path = endpoint.strip_prefix(OF_PHONES).unwrap_or(endpoint);
    let found = ROUTES.get(path).and_then(|route| {
        let own = route.tasks.iter().find(|(known, _)| *known == method || *known == "GET" && method == "HEAD");
        own.or_else(|| (path == UNMATCHED).then(|| route.tasks.first()).flatten())
    });
    found.map_or("Something else", |(_, task)| task)
}

/// The method and route that have this name.
pub fn route_of(task: &str) -> Option<(&'static str, &'static str)> {
    TASKS.iter().find(|(_, _, name)| *name == task).map(|(method, path, _)| (*method, *path))
}

/// All routes that have a name, by method and path.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TASKS.iter().map(|(method, path, _)| (*method, *path)).filter(|(_, path)| *path != UNMATCHED)
}

/// The route that a phone means by an address it asked, or by a word for what it did. Never the address itself: that
/// may hold ids.
pub(crate) fn endpoint_of_phone(told: &str) -> &'static str {
    let path = told.split(['?', '#']).next().unwrap_or_default();
    if path == UNMATCHED {
        return OTHER_OF_PHONES;
    }
    if let Some(route) = ROUTES.get(path) {
        return route.of_phone;
    }
    let is_meant = |route: &&Route| {
        let (mut known, mut asked) = (route.path.split('/'), path.split('/'));
        loop {
            match (known.next(), asked.next()) {
                (None, None) => return true,
                (Some(known), Some(asked)) if known == asked || known.starts_with('{') && !asked.is_empty() => {}
                _ => return false,
            }
        }
    };
    // A route without an id wins over one with.
    let meant = ROUTES.values().filter(is_meant).min_by_key(|route| (route.path.matches('{').count(), route.path));
    meant.map_or(OTHER_OF_PHONES, |route| route.of_phone)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_stands_for_one_route() {
        let names: BTreeSet<_> =
            TASKS.iter().map(|(_, _, name)| name).chain(DOINGS.iter().map(|(_, name)| name)).collect();
        assert_eq!(names.len(), TASKS.len() + DOINGS.len());
        for (method, path, name) in TASKS {
            assert_eq!(task_of(method, path), *name);
            assert_eq!(route_of(name), Some((*method, *path)));
            assert_eq!(endpoint_of(Some(path)), *path);
        }
        assert_eq!(task_of("HEAD", "/api/v1/ping"), "Look for the laptop");
        assert_eq!(task_of("POST", UNMATCHED), "Pages and files");
        assert_eq!(task_of("PATCH", "/api/v1/ping"), "Something else");
        assert_eq!(endpoint_of(Some("/nowhere")), UNMATCHED);
    }

    #[test]
    fn a_phone_names_a_route_by_any_address_of_it_and_nothing_else() {
        for (told, meant) in [
            ("/api/v1/sync/push", "phone:/api/v1/sync/push"),
            ("/api/v1/sync/pull?cursor=abc&limit=500", "phone:/api/v1/sync/pull"),
            ("/api/v1/me/conflicts/0198f2aa-0000/withdraw", "phone:/api/v1/me/conflicts/{id}/withdraw"),
            ("/api/v1/admin/pairings/open", "phone:/api/v1/admin/pairings/open"),
            ("save", "phone:save"),
            ("unmatched", "phone:other"),
            ("phone:save", "phone:other"),
            ("/api/v1/me/conflicts//withdraw", "phone:other"),
            ("/etc/passwd", "phone:other"),
            ("", "phone:other"),
        ] {
            assert_eq!(endpoint_of_phone(told), meant, "{told}");
        }
    }
}
