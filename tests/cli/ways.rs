//! The flags of `mint` that say how to get to a machine, with secrets from files.

use crate::home::Home;

/// What a token of this order says, up to when it was minted.
#[track_caller]
fn minted(home: &Home, order: &str, input: &str) -> String {
    let url = home.run(&format!("mint {order}"), input).good();
    let said = home.run("token inspect", &url).good();
    assert!(!said.contains("s3cret"), "{said}");
    let (_, said) = said.split_once("\ntarget ").unwrap();
    let (said, _) = said.split_once("\nminted ").unwrap();
    said.trim_start().to_owned()
}

#[test]
fn every_way_of_the_api_has_its_flags() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write("session", "session_id=OpaqueRef:s3cret\n");
    home.write("bearer", "Authorization: Bearer s3cret\nX-Other: s3cret\n");
    home.write("ticket", "wss://esx-1/ticket/s3cret\n");
    for (order, said) in [
        ("--unix /run/vms/1", "unix:/run/vms/1\npassword    none"),
        (
            "--tunnel https://xen-1/console?uuid=1 --cookie-file session",
            "connect+tls://xen-1:443\npassword    none\ncookie      ***",
        ),
        (
            "--tunnel http://xen-1:8080/console?uuid=1 --cookie-file session --username ada",
            "connect://xen-1:8080\nuser        ada\npassword    none\ncookie      ***",
        ),
        (
            "--websocket wss://cluster/vnc --subprotocol plain.kubevirt.io --header-file bearer",
            "wss://cluster:443\npassword    none\nheader      Authorization: ***\nheader      X-Other: ***",
        ),
        (
            "--websocket ws://10.0.0.5:5701 --no-subprotocol",
            "ws://10.0.0.5:5701\npassword    none",
        ),
        (
            "--websocket-file ticket",
            "wss://esx-1:443\npassword    none",
        ),
        (
            "--host 10.0.0.5 --port 5901 --tls",
            "tls://10.0.0.5:5901\npassword    none",
        ),
        (
            "--host 10.0.0.5 --port 5901 --relay",
            "10.0.0.5:5901\npassword    asked of the viewer",
        ),
    ] {
        assert_eq!(minted(&home, order, ""), said, "{order}");
    }
    for order in [
        "--tunnel https://xen-1/console?uuid=1 --cookie-file -",
        "--websocket-file - --cookie-file session",
    ] {
        let secret = if order.contains("--websocket") {
            "wss://esx-1/s3cret"
        } else {
            "s3cret=1"
        };
        assert!(minted(&home, order, secret).ends_with("cookie      ***"));
    }
}

#[test]
fn a_machine_is_reached_one_way() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write("secret", "s3cret");
    for flags in [
        "",
        "--host a",
        "--port 5900",
        "--host a --port 5900 --unix /run/vms/1",
        "--unix /run/vms/1 --tls",
        "--unix run/vms/1",
        "--tunnel https://a/c --websocket ws://a/",
        "--websocket ws://a/ --websocket-file secret",
        "--tunnel wss://a/c",
        "--websocket https://a/c",
        "--host a --port 5900 --cookie-file secret",
        "--unix /run/vms/1 --header-file secret",
        "--tunnel https://a/c --subprotocol binary",
        "--websocket ws://a/ --subprotocol b --no-subprotocol",
        "--host a --port 5900 --relay --password-file secret",
    ] {
        let ran = home.run(&format!("mint {flags}"), "");
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{flags}");
        assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_and_not_repeated() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write("secret", "s3cret");
    home.write("session", "a=s3cret; session_id=s3cret");
    home.write("long", &"s3cret".repeat(500));
    home.write("cookie-header", "X-A: 1\nCookie: s3cret\n");
    home.write("many", &"A: s3cret\n".repeat(9));
    let protocols = " --subprotocol p".repeat(5);
    for (flags, said) in [
        (
            "--websocket-file secret",
            "the WebSocket URL file: not a URL such as wss://",
        ),
        (
            "--websocket-file none",
            "the WebSocket URL file none: No such file",
        ),
        (
            "--websocket ws://a/ --cookie-file long",
            "the cookie file long: it is longer than 2048",
        ),
        (
            "--websocket ws://a/ --header-file secret",
            "line 1 of the header file: it is no header",
        ),
        (
            "--websocket ws://a/ --header-file cookie-header",
            "line 2 of the header file: Cookie, Host and the headers of",
        ),
        (
            "--websocket ws://a/ --header-file many",
            "a console has at most 8 headers",
        ),
        (
            &*format!("--websocket ws://a/{protocols}"),
            "--subprotocol: more than 4",
        ),
        (
            "--tunnel https://a/c --cookie-file - --password-file -",
            "only one of the files can be standard input",
        ),
        (
            "--tunnel https://a/c --cookie-file session",
            "the cookie for a tunnel has to be one name=value",
        ),
        (
            "--tunnel https://a/c?session_id=1",
            "the tunnel's path holds a session",
        ),
    ] {
        let failed = home.run(&format!("mint {flags}"), "").failed();
        assert!(
            failed.starts_with(&format!("fanlight: {said}")),
            "{flags}: {failed}"
        );
        assert!(!failed.contains("s3cret"), "{failed}");
    }
}
