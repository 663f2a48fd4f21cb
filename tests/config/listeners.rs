//! Where the gateway is to listen, right and wrong.

use crate::{listen, load};

#[test]
fn shorthands_stand_beside_what_is_listed_and_only_one_has_a_default() {
    let listed = "[[listeners]]\naddress = '[::]:443'\nroles = ['public', 'api']\ntls = 'off'\n";
    assert_eq!(listen(&load(listed, &[], &[]).config()), ["[::]:443"]);
    let all = load(
        &format!("metrics.listen = '[::1]:9464'\n{listed}"),
        &[],
        &[("--listen", "127.0.0.1:3")],
    );
    let config = all.config();
    assert_eq!(listen(&config), ["127.0.0.1:3", "[::]:443", "[::1]:9464"]);
    let tls = config
        .listeners
        .iter()
        .map(|it| config.speaks_tls(it, "[::]:1".parse().ok()));
    assert_eq!(tls.collect::<Vec<_>>(), [true, false, false]);

    let resolved = load(
        "",
        &[(
            "FANLIGHT_LISTENERS",
            "[::]:443=public+api, unix:/run/a=b.sock=api, systemd:m=metrics",
        )],
        &[],
    );
    let resolved = resolved.result.as_ref().unwrap();
    let printed = resolved.origins.to_toml();
    assert!(printed.contains("# listen is not set"), "{printed}");
    let again = load(&printed, &[], &[]).config();
    assert_eq!(again.listeners, resolved.config.listeners);
    let url = resolved.config.known_public_url().unwrap();
    assert_eq!(url.to_string(), "https://localhost");
    let with_clients = "listeners = [{ address = '[::1]:1', roles = ['api'], client_ca_file = '/ca', client_crl_file = '/crl' }]\nlisten = '[::1]:2'\napi.keys = [{ name = 'a', certificate = 'A.example' }]";
    let resolved = load(with_clients, &[], &[]);
    let printed = resolved.result.as_ref().unwrap().origins.to_toml();
    let (again, config) = (load(&printed, &[], &[]).config(), resolved.config());
    assert_eq!(
        (&again.listeners, &again.api_keys),
        (&config.listeners, &config.api_keys)
    );
    let tls = config
        .listeners
        .iter()
        .map(|it| config.speaks_tls(it, "[::1]:1".parse().ok()));
    assert_eq!(tls.collect::<Vec<_>>(), [false, true]);
    let (without_keys, _) = with_clients.rsplit_once('\n').unwrap();
    let variable = load(
        without_keys,
        &[("FANLIGHT_API_KEYS", "a=certificate:A.example+mint")],
        &[],
    );
    assert_eq!(variable.config().api_keys, config.api_keys);

    let with_mode = "listeners = [{ address = 'unix:/s', roles = ['metrics'], mode = '600', proxy_protocol = true }]\nlisten = '[::]:1'";
    let resolved = load(with_mode, &[], &[]);
    let printed = resolved.result.as_ref().unwrap().origins.to_toml();
    let again = load(&printed, &[], &[]).config();
    assert_eq!(again.listeners, resolved.config().listeners);
}

#[test]
fn a_public_url_is_needed_where_nobody_could_know_it() {
    for file in [
        "listen = 'unix:/run/a.sock'",
        "listeners = [{ address = '[::]:1', roles = ['api'] }]",
    ] {
        assert_eq!(
            load(file, &[], &[]).problems(),
            "default: public_url: has to be set: no listener with the role public has an address to make it of"
        );
        let file = format!("public_url = 'https://a.example'\n{file}");
        assert_eq!(load(&file, &[], &[]).config().listeners.len(), 1);
    }
}

#[test]
fn what_is_wrong_with_a_listener_is_said() {
    for (text, problem) in [
        (
            "listen = 'unix:relative.sock'",
            "1:10: listen: expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080, unix: and an absolute path of at most 107 bytes, or systemd: and a name, not \"unix:relative.sock\"",
        ),
        (
            "[[listeners]]\naddress = '[::]:1'",
            "1:1: listeners: a listener needs roles",
        ),
        (
            "[[listeners]]\nroles = ['api']",
            "1:1: listeners: a listener needs an address",
        ),
        (
            "[[listeners]]\naddress = '[::]:1'\nroles = []",
            "3:9: listeners: a listener needs a role to answer anything",
        ),
        (
            "[[listeners]]\naddress = '[::]:1'\nroles = ['admin']",
            "3:10: listeners: expected public, api, metrics or redirect",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['api', 'redirect'] }]",
            "1:14: listeners: the role redirect goes alone",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['public'], mode = '600' }]",
            "1:14: listeners: mode is for Unix sockets",
        ),
        (
            "listeners = [{ address = 'unix:/s', roles = ['public'], mode = '1777' }]",
            "1:64: listeners: expected permissions such as \"660\", not \"1777\"",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['public', 'api'], client_ca_file = 'ca' }]",
            "1:14: listeners: client_ca_file is for the role api, without public: browsers would ask people for certificates",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['api'], client_ca_file = 'ca', tls = 'off' }]\nlisten = '[::]:2'",
            "1:14: listeners: client_ca_file needs TLS",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['api'], client_crl_file = 'crl' }]\nlisten = '[::]:2'",
            "1:14: listeners: client_crl_file needs client_ca_file as well",
        ),
        (
            "api.keys = [{ name = 'a', certificate = '10.0.0.5' }]",
            "1:41: api.keys: a certificate is known by a DNS name or a URI, and not by an address",
        ),
        (
            "api.keys = [{ name = 'a', certificate = '::1' }]",
            "1:41: api.keys: a certificate is known by a DNS name or a URI, and not by an address",
        ),
        (
            "api.keys = [{ name = 'a', certificate = 'spiffe://cloud.example/*' }]",
            "1:41: api.keys: a certificate is known by a name as it stands: there are no wildcards",
        ),
        (
            "api.keys = [{ name = 'a', certificate = 'cloud example' }]",
            "1:41: api.keys: expected a DNS name such as cloud.example or a URI such as spiffe://cloud.example/mint",
        ),
        (
            "api.keys = [{ name = 'a', certificate = 'a.example' }, { name = 'b', certificate = 'A.example' }]",
            "1:12: api.keys: two keys have the certificate a.example",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['public'], group = 'x' }]",
            "1:56: listeners: a listener has address, roles, tls, proxy_protocol, mode, client_ca_file and client_crl_file and nothing else",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['public'] }, { address = '[::]:1', roles = ['api'] }]",
            "1:13: listeners: two listeners are at [::]:1",
        ),
        (
            "listeners = [{ address = '[::]:1', roles = ['redirect'] }]\nlisten = '[::]:2'",
            "1:13: listeners: needs a public_url that starts with https, to lead there",
        ),
        (
            "listen = '[::]:2'\nlisteners = [{ address = 'unix:/run/vm/s', roles = ['api'] }]\nhost.unix_root = '/run/vm'",
            "2:13: listeners: lies in host.unix_root, where hosts are",
        ),
    ] {
        assert_eq!(
            load(text, &[], &[]).problems(),
            format!("fanlight.toml:{problem}"),
            "{text}"
        );
    }
}
