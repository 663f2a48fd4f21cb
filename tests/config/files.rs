//! Files that the configuration names.

use crate::load;

#[test]
fn files_that_are_named_have_to_be_there() {
    let loaded = load(
        "[tls]\ncertificate_file = 'a.pem'\nkey_file = '/'\n[tokens]\nkeyring_file = 'ring'\n",
        &[],
        &[],
    );
    let problems = loaded.result.as_ref().unwrap().check_files().unwrap_err();
    assert_eq!(
        loaded.bare(&problems.to_string()),
        "fanlight.toml:2:20: tls.certificate_file: a.pem cannot be read: No such file or directory (os error 2)\n\
         fanlight.toml:3:12: tls.key_file: / cannot be read: it is no regular file\n\
         fanlight.toml:5:16: tokens.keyring_file: ring cannot be read: No such file or directory (os error 2); `fanlight keys new` makes it"
    );
    // At its default place the key ring is made on the first start.
    assert!(
        load("state_dir = '/nonexistent'", &[], &[])
            .result
            .unwrap()
            .check_files()
            .is_ok()
    );
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_repeated() {
    let pem = "'''-----BEGIN PRIVATE KEY-----\nSECRET\n'''";
    let loaded = load(
        &format!(
            "tls.certificate_file = '/'\ntls.key_file = {pem}\n[webhook]\nurl = 'https://a.example/'\nsecret_file = 'SECRET'"
        ),
        &[],
        &[],
    );
    let problems = loaded.result.as_ref().unwrap().check_files().unwrap_err();
    let said = problems.to_string();
    assert!(!said.contains("SECRET"), "{said}");
    assert_eq!(said.matches("the file cannot be read").count(), 2, "{said}");
}

#[test]
fn a_socket_among_those_of_hosts_is_found_behind_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("hosts")).unwrap();
    std::os::unix::fs::symlink("hosts", dir.join("link")).unwrap();
    for (folder, lies) in [("link", true), ("", false)] {
        let socket = format!("unix:{}", dir.join(folder).join("api.sock").display());
        let again = load(
            &format!(
                "host.unix_root = '{}'\nlisten = '{socket}'\npublic_url = 'https://a.example'",
                dir.join("hosts").display()
            ),
            &[],
            &[],
        );
        let checked = again.result.as_ref().unwrap().check_contents(None);
        let problems = checked.map_err(|problems| again.bare(&problems.to_string()));
        match problems {
            Ok(()) => assert!(!lies, "{socket}"),
            Err(said) => {
                assert!(lies, "{said}");
                assert!(said.starts_with("fanlight.toml:2:10: listen: "), "{said}");
                assert!(
                    said.ends_with("lies in host.unix_root, where hosts are"),
                    "{said}"
                );
            }
        }
    }
}
