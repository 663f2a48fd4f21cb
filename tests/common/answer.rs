//! What holds for every answer of the gateway, and for every problem that it reports.

use super::http::Response;

/// What every answer has, whatever it is.
pub fn assert_headers(response: &Response, what: &str) {
    let expected = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in expected {
        assert_eq!(response.header(name), Some(value), "{what}: {response:?}");
    }
    let policy = response
        .header("content-security-policy")
        .unwrap_or_default();
    for part in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy:?} has no {part}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy:?}");
    let permissions = response.header("permissions-policy").unwrap_or_default();
    assert!(permissions.contains("camera=()"), "{what}: {permissions:?}");
    let hsts = response.header("strict-transport-security");
    assert_eq!(hsts, None, "{what}: only where TLS is on");
}

/// A problem document (RFC 9457) with this status and code.
pub fn assert_problem(response: &Response, status: u16, code: &str, what: &str) {
    assert_eq!(response.status, status, "{what}: {}", response.text());
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/problem+json"), "{what}");
    let problem = response.json();
    assert_eq!(problem["code"], code, "{what}: {problem}");
    assert_eq!(problem["status"], status, "{what}: {problem}");
    assert!(problem["title"].is_string(), "{what}: {problem}");
    assert_headers(response, what);
}
