use super::talk::{clear_text, feed, user};
use super::vencrypt::vencrypt;
use super::*;

/// What a host says inside SASL: its length, the message and its NUL, and whether it is content.
fn said(message: &str, complete: u8) -> Vec<u8> {
    let len = message.len() as u32 + 1;
    [&len.to_be_bytes()[..], message.as_bytes(), &[0, complete]].concat()
}

/// A host without anything to say.
fn silent(complete: u8) -> Vec<u8> {
    vec![0, 0, 0, 0, complete]
}

fn list(mechanisms: &str) -> Vec<u8> {
    let len = mechanisms.len() as u32;
    [&len.to_be_bytes()[..], mechanisms.as_bytes()].concat()
}

/// What we say: as the host, without a word about being content.
fn ours(message: &[u8]) -> Vec<u8> {
    let len = message.len() as u32 + 1;
    [&len.to_be_bytes()[..], message, &[0]].concat()
}

/// An exchange that Python's hashlib and hmac have computed, for the nonce of these tests.
struct Scram {
    mechanism: &'static str,
    last: &'static str,
    signature: &'static str,
}

const FIRST: &str = "n,,n=operator,r=WlpaWlpaWlpaWlpaWlpaWlpa";
const SERVER_FIRST: &str = "r=WlpaWlpaWlpaWlpaWlpaWlpatheirs,s=MDEyMzQ1Njc4OQ==,i=4096";
const SHA_256: Scram = Scram {
    mechanism: "SCRAM-SHA-256",
    last: "c=biws,r=WlpaWlpaWlpaWlpaWlpaWlpatheirs,p=p7eHX0Y5B7NC5Nm908AwILLU/fGO/n4yZLa7a1jxMhs=",
    signature: "v=00SSaPWROAU1k1k3gZxBpj+ILCFKngxptC70AjGjFJA=",
};
const SHA_1: Scram = Scram {
    mechanism: "SCRAM-SHA-1",
    last: "c=biws,r=WlpaWlpaWlpaWlpaWlpaWlpatheirs,p=xFLlB8s5yLP/Cu8L7zs2gZ2+Go8=",
    signature: "v=AJkAL5EbbuU1q2rtYm0LJPm6qg4=",
};

/// A host that goes into TLS for SASL and says this there, and what is sent inside before
/// ClientInit.
fn inside(host: &[&[u8]]) -> (Vec<u8>, Result<ServerInit, HostError>) {
    let host = [&vencrypt(&[263, 262]), &[1][..], &host.concat()].concat();
    let (sent, swaps, end) = feed(user(), Policy::default(), &host);
    assert_eq!(swaps, 1);
    let outside = [&b"RFB 003.008\n\x13\x00\x02"[..], &263_u32.to_be_bytes()].concat();
    let sent = sent.strip_prefix(&*outside).unwrap().to_vec();
    let sent = sent.strip_suffix(&[init::SHARED]).unwrap_or(&sent).to_vec();
    (sent, end)
}

#[test]
fn plain_is_one_message() {
    let expected = [list("PLAIN"), ours(b"\0operator\0s3cret12")].concat();
    let init = server_init();
    let (sent, end) = inside(&[&list("DIGEST-MD5,PLAIN"), &silent(1), &[0; 4], &init]);
    assert_eq!(end, Ok(qemu()));
    assert_eq!(sent, expected);
    let words = b"\0\0\0\x16Authentication failed\0";
    let (_, end) = inside(&[&list("PLAIN"), &silent(1), &[0, 0, 0, 1], words]);
    assert_eq!(
        end,
        Err(HostError::AuthFailed(PeerText::clean(
            b"Authentication failed"
        )))
    );
}

#[test]
fn scram_ends_with_the_proof_of_the_host_in_its_last_message_or_before_it() {
    for scram in [SHA_256, SHA_1] {
        let offered = list(&format!("PLAIN,{}", scram.mechanism));
        let expected = [
            list(scram.mechanism),
            ours(FIRST.as_bytes()),
            ours(scram.last.as_bytes()),
        ]
        .concat();
        let (first, init) = (said(SERVER_FIRST, 0), server_init());
        let last = said(scram.signature, 1);
        let (sent, end) = inside(&[&offered, &first, &last, &[0; 4], &init]);
        assert_eq!(end, Ok(qemu()));
        assert_eq!(sent, expected);

        // What a server does that may say nothing with its success: we answer with nothing.
        let apart = [said(scram.signature, 0), silent(1)].concat();
        let (sent, end) = inside(&[&offered, &first, &apart, &[0; 4], &init]);
        assert_eq!(end, Ok(qemu()));
        assert_eq!(sent, [expected, vec![0; 4]].concat());
    }
}

#[test]
fn a_host_that_has_proved_nothing_is_not_the_one() {
    let offered = list("SCRAM-SHA-256");
    let first = said(SERVER_FIRST, 0);
    for host in [
        vec![silent(1)],
        vec![said(SERVER_FIRST, 1)],
        vec![first.clone(), silent(1)],
        vec![first.clone(), said(SHA_1.signature, 1)],
    ] {
        let host = [offered.clone(), host.concat(), vec![0; 4], server_init()].concat();
        let (_, end) = inside(&[&host]);
        let error = end.unwrap_err();
        assert_eq!(error, HostError::Unproven);
        assert_eq!(Reason::from(&error), Reason::HostIdentity);
    }
}

#[test]
fn a_host_that_closes_on_the_login_refuses_it() {
    let scram = list("SCRAM-SHA-256");
    for host in [
        vec![list("PLAIN")],
        vec![scram.clone()],
        vec![scram, said(SERVER_FIRST, 0)],
    ] {
        let (_, end) = inside(&[&host.concat()]);
        let error = end.unwrap_err();
        assert_eq!(error, HostError::LoginDropped);
        assert_eq!(Reason::from(&error), Reason::HostAuthFailed);
    }
    let (_, end) = inside(&[b"\0\0\0\x05PLAI"]);
    assert_eq!(end, Err(HostError::Closed(Stage::Security)));
    let done = [list("PLAIN"), silent(1)].concat();
    let (_, end) = inside(&[&done]);
    assert_eq!(end, Err(HostError::Closed(Stage::Security)));
}

#[test]
fn what_a_host_may_not_say() {
    let scram = list("SCRAM-SHA-256");
    let signed = [
        scram.clone(),
        said(SERVER_FIRST, 0),
        said(SHA_256.signature, 0),
    ]
    .concat();
    for host in [
        b"\0\0\x10\x01".to_vec(),
        b"\xff\xff\xff\xff".to_vec(),
        [&scram[..], b"\0\0\x10\x01"].concat(),
        [&scram[..], b"\0\0\0\x01x\0"].concat(),
        [scram.clone(), said("\u{fc}", 0)].concat(),
        [list("PLAIN"), silent(2)].concat(),
        [list("PLAIN"), silent(0), silent(0), silent(0), silent(0)].concat(),
        [signed.clone(), said("v=more", 0)].concat(),
        [signed, silent(0), silent(0)].concat(),
    ] {
        let (_, end) = inside(&[&host]);
        let error = end.unwrap_err();
        assert!(matches!(error, HostError::Sasl(_)), "{error:?}: {host:?}");
        assert_eq!(Reason::from(&error), Reason::HostProtocol);
    }
}

#[test]
fn mechanisms_that_we_lack_are_named() {
    let (sent, end) = inside(&[&list("GSSAPI,DIGEST-MD5")]);
    let error = end.unwrap_err();
    assert_eq!(sent, b"");
    assert_eq!(
        error.to_string(),
        "offers only the SASL mechanisms \"GSSAPI,DIGEST-MD5\""
    );
    assert_eq!(Reason::from(&error), Reason::HostNoCommonSecurity);
    let (_, end) = inside(&[&list("")]);
    assert_eq!(
        end.unwrap_err().to_string(),
        "offers only the SASL mechanisms of an empty list"
    );
}

#[test]
fn outside_of_tls_sasl_has_to_be_allowed() {
    let offer = b"RFB 003.008\n\x01\x14";
    let host = [&offer[..], &list("PLAIN"), &silent(1), &[0; 4]].concat();
    let host = [host, server_init()].concat();
    let (_, _, end) = feed(user(), Policy::default(), &host);
    assert_eq!(end, Err(HostError::Forbidden(vec![SecurityType::SASL])));
    let (_, swaps, end) = feed(user(), clear_text(), &host);
    assert_eq!((swaps, end), (0, Ok(qemu())));
    let (_, _, end) = feed(params(Some("s3cret12")).login, clear_text(), &host);
    assert_eq!(end, Err(HostError::CredentialsMissing));
}

#[test]
fn inside_of_tight_it_is_the_same() {
    let tunnels = [0; 4];
    let ways = b"\0\0\0\x01\0\0\0\x14GTKVSASL____";
    let offer = [b"RFB 003.008\n\x01\x10", &tunnels[..], ways].concat();
    let no_interactions = [0; 8];
    let host = [&offer[..], &list("PLAIN"), &silent(1), &[0; 4]].concat();
    let host = [&host[..], &server_init(), &no_interactions].concat();
    let (sent, swaps, end) = feed(user(), clear_text(), &host);
    assert_eq!((swaps, end), (0, Ok(qemu())));
    let start = b"RFB 003.008\n\x10\0\0\0\x14";
    let said = [list("PLAIN"), ours(b"\0operator\0s3cret12")].concat();
    assert_eq!(sent, [&start[..], &said, &[init::SHARED]].concat());
}
