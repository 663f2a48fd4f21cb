//! `fanlight mint` and `fanlight token inspect`.

use std::process::Stdio;

use crate::home::{Home, fanlight};

#[test]
fn what_is_minted_can_be_inspected_and_shows_no_password() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write("password", "s3cret!\n");
    let order =
        "mint --host 10.0.0.5 --port 5901 --name web-01 --label vm=17 --label user=ada --ttl 8h";
    let url = home
        .run(&format!("{order} --password-file password"), "")
        .good();
    assert!(
        url.starts_with("https://console.example/x/novnc?token=fl1."),
        "{url}"
    );
    assert_eq!(url.lines().count(), 1);
    let from_stdin = home
        .run(&format!("{order} --password-file -"), "s3cret!")
        .good();

    for input in [&url, &from_stdin] {
        let said = home.run("token inspect", input).good();
        assert!(!said.contains("s3cret"), "{said}");
        let values = |name: &str| -> Vec<String> {
            let lines = said.lines().filter_map(|line| line.strip_prefix(name));
            lines.map(|value| value.trim().to_owned()).collect()
        };
        assert_eq!(values("target "), ["10.0.0.5:5901"]);
        assert_eq!(values("password "), ["***"]);
        assert_eq!(values("name "), ["web-01"]);
        assert_eq!(values("label "), ["user=ada", "vm=17"]);
        assert!(values("connect by ")[0].ends_with(" left)"), "{said}");
    }

    let token = url.trim_end().rsplit('=').next().unwrap();
    let said = home.run(&format!("token inspect {token}"), "");
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("prefer standard input") && !said.err.contains(token));
    // How long is left may be a second less by now.
    let lasting = |said: &str| said.split_once("connect by").unwrap().0.to_owned();
    let from_stdin = home.run("token inspect -", token).good();
    assert_eq!(lasting(&said.out), lasting(&from_stdin));
}

#[test]
fn a_rotated_ring_still_opens_what_the_old_key_sealed() {
    let home = Home::new();
    home.run("keys new", "").good();
    let url = home.run("mint --host ::1 --port 5900", "").good();
    home.run("keys rotate", "").good();
    let said = home.run("token inspect", &url).good();
    assert!(
        said.contains("target      [::1]:5900\npassword    none\n"),
        "{said}"
    );
    let new = home.run("mint --host ::1 --port 5900", "").good();
    let kid = |url: &str| url.split('.').nth(2).unwrap().to_owned();
    assert_ne!(kid(&new), kid(&url));
}

#[test]
fn many_urls_are_all_different() {
    let home = Home::new();
    home.run("keys new", "").good();
    let urls = home
        .run("mint --host a.example --port 5900 --count 3", "")
        .good();
    let different: std::collections::BTreeSet<_> = urls.lines().collect();
    assert_eq!((urls.lines().count(), different.len()), (3, 3));
}

#[test]
fn a_token_says_from_where_it_opens() {
    let home = Home::new();
    home.run("keys new", "").good();
    let order = "mint --host 10.0.0.5 --port 5901 --client 192.0.2.0/24 --client 2001:db8::1 \
                 --origin https://cloud.example";
    let url = home.run(order, "").good();
    let said = home.run("token inspect", &url).good();
    for line in [
        "only from   192.0.2.0/24",
        "only from   2001:db8::1/128",
        "only from   pages of https://cloud.example",
    ] {
        assert!(said.lines().any(|it| it == line), "{said}");
    }
}

#[test]
fn orders_that_cannot_be_filled() {
    let home = Home::new();
    let order = "mint --host 10.0.0.5 --port 5901";
    assert_eq!(
        home.run(order, "").failed(),
        "fanlight: there is no key ring DIR/keyring: put back the one that was there; where there never \
         was one, `fanlight keys new` makes it\n"
    );
    assert!(!home.path("keyring").exists());
    home.run("keys new", "").good();
    let long = "n".repeat(300);
    for (flags, said) in [
        (
            "--ttl 25h",
            "a console may wait 1 second to 24 hours to be opened",
        ),
        (
            "--ttl 0s",
            "a console may wait 1 second to 24 hours to be opened",
        ),
        (
            &*format!("--name {long}"),
            "--name: a name has 1 to 256 bytes and no control or invisible characters",
        ),
        (
            &*format!("--client 192.0.2.7{}", " --client ::1".repeat(8)),
            "--client or --origin: a console is bound to at most 8 networks",
        ),
        (
            "--label a=1 --label a=2",
            "--label: a label key stands only once",
        ),
        (
            "--password-file none",
            "the password file none: No such file or directory (os error 2)",
        ),
        (
            "--password-file -",
            "the password on standard input: it is empty",
        ),
        (
            &*format!("--username {long}"),
            "a username has 1 to 255 bytes and no NUL",
        ),
        (
            &*format!("--pin-desktop-name {long}"),
            "a desktop name has 1 to 256 bytes",
        ),
    ] {
        let failed = home.run(&format!("{order} {flags}"), "").failed();
        assert_eq!(failed, format!("fanlight: {said}\n"));
    }
    for flags in [
        "--ttl 60",
        "--count 0",
        "--label a",
        "--port 0",
        "--host a/b",
    ] {
        assert_eq!(
            home.run(&format!("{order} {flags}"), "").code,
            Some(2),
            "{flags}"
        );
    }
    home.write("fanlight.toml", "listen = '127.0.0.1:0'\nstate_dir = '.'\n");
    let failed = home.run(order, "").failed();
    assert!(failed.starts_with("fanlight: public_url has to be set"));
}

#[test]
fn tokens_that_do_not_open_are_not_repeated() {
    let home = Home::new();
    home.run("keys new", "").good();
    let url = home.run("mint --host 10.0.0.5 --port 5901", "").good();
    let elsewhere = Home::new();
    elsewhere.run("keys new", "").good();
    let failed = elsewhere.run("token inspect", &url).failed();
    assert!(
        failed.starts_with("fanlight: the token names key "),
        "{failed}"
    );

    // A character in the middle, all of whose bits count.
    let (head, tail) = url.trim_end().split_at(url.len() - 20);
    let other = if tail.starts_with('A') { "B" } else { "A" };
    let altered = format!("{head}{other}{}", &tail[1..]);
    for (input, said) in [
        ("", "there is no token on standard input"),
        (
            &*altered,
            "the token was altered or sealed with another key",
        ),
        ("hello", "the token has not the prefix of a Fanlight token"),
    ] {
        let failed = home.run("token inspect", input).failed();
        assert_eq!(failed, format!("fanlight: {said}\n"));
    }
}

#[test]
fn a_token_says_who_logs_in_and_what_the_machine_must_be() {
    let home = Home::new();
    home.run("keys new", "").good();
    home.write(
        "fanlight.toml",
        "public_url = 'https://console.example/x'\nstate_dir = '.'\n[profiles.libvirt]\n",
    );
    let key = "ab".repeat(32);
    let order = format!(
        "mint --host a.example --port 5900 --tls --profile libvirt --username ada --password-file - \
         --xvp-target web-01 --repeater-id ID:1 --require-tls --allow-clear-text --refuse-none \
         --pin-certificate {key} --pin-certificate sha256:{key} --pin-ra2-key {key} \
         --pin-desktop-name web-01 --pin-machine-uuid 123E4567-e89b-12d3-a456-426614174000"
    );
    let url = home.run(&order, "s3cret12").good();
    let said = home.run("token inspect", &url).good();
    assert!(!said.contains("s3cret12"), "{said}");
    let expected = format!(
        "target      tls://a.example:5900
profile     libvirt
user        ada
password    ***
xvp target  web-01
repeater    ID:1
demands     TLS in the login
demands     authentication
permits     clear text
pin         certificate sha256:{key}
pin         certificate sha256:{key}
pin         RA2 key sha256:{key}
pin         desktop name web-01
pin         machine UUID 123e4567-e89b-12d3-a456-426614174000
minted "
    );
    assert!(said.contains(&expected), "{said}");

    let unknown = order.replace("--profile libvirt", "--profile esxi");
    assert_eq!(
        home.run(&unknown, "s3cret12").failed(),
        "fanlight: there is no target profile esxi in this gateway's configuration\n"
    );
    for flags in [
        "--profile A",
        "--pin-certificate ab",
        "--pin-ra2-key ab",
        "--pin-machine-uuid 1",
    ] {
        let order = format!("mint --host a.example --port 5900 {flags}");
        assert_eq!(home.run(&order, "").code, Some(2), "{flags}");
    }
}

#[test]
fn an_expired_token_is_shown_and_marked() {
    let home = Home::new();
    home.run("keys new", "").good();
    let ring = fanlight::keyring_file::load(&home.path("keyring")).unwrap();
    let long_ago = fanlight::clock::UnixTime::from_secs(1_700_000_000);
    let grant = fanlight::token::Grant {
        id: fanlight::id::ConsoleId::from_random([7; 16]),
        minted_at: long_ago,
        connect_by: long_ago,
        target: fanlight::target::Target::tcp(
            "a.example".parse().unwrap(),
            5900.try_into().unwrap(),
        ),
        credentials: fanlight::token::Credentials::default(),
        permissions: fanlight::rfb::permissions::Permissions::default(),
        pacing: fanlight::rfb::pacing::Pacing::default(),
        terms: fanlight::rfb::terms::Terms::default(),
        identity: fanlight::rfb::identity::Identity::default(),
        limits: fanlight::token::Limits::default(),
        binding: fanlight::token::Binding::default(),
        sharing: fanlight::token::Sharing::default(),
        role: fanlight::token::Role::default(),
        name: None,
        labels: fanlight::token::Labels::default(),
    };
    let token = fanlight::token::seal(&grant, &ring, [3; 12]).unwrap();
    let said = home.run("token inspect", token.as_str()).good();
    assert!(
        said.ends_with("connect by  2023-11-14T22:13:20Z (expired)\n"),
        "{said}"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let home = Home::new();
    home.run("keys new", "").good();
    let mut child = fanlight([
        "mint",
        "--host",
        "a.example",
        "--port",
        "5900",
        "--count",
        "100000",
    ])
    .arg("--config")
    .arg(home.path("fanlight.toml"))
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
