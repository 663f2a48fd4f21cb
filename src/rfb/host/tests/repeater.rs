use super::talk::feed;
use super::*;
use crate::rfb::repeater::BLOCK_LEN;

fn through(repeater: Option<&str>, host: &[&[u8]]) -> (Vec<u8>, Result<ServerInit, HostError>) {
    let login = Login {
        repeater_id: repeater.map(str::to_owned),
        ..Login::default()
    };
    let (sent, _, end) = feed(login, Policy::default(), &host.concat());
    (sent, end)
}

#[test]
fn a_repeater_is_told_whom_we_want_and_then_is_that_server() {
    let none: &[u8] = &[1, 1, 0, 0, 0, 0];
    for id in ["ID:1234", "192.0.2.7:5901"] {
        let (sent, end) = through(
            Some(id),
            &[b"RFB 000.000\n", b"RFB 003.008\n", none, &server_init()],
        );
        assert_eq!(end, Ok(qemu()));
        let (block, rest) = sent.split_at(BLOCK_LEN);
        assert!(block.starts_with(id.as_bytes()));
        assert!(block[id.len()..].iter().all(|byte| *byte == 0));
        assert_eq!(rest, b"RFB 003.008\n\x01\x01");
    }
    // It is not on every way.
    let (sent, end) = through(Some("ID:1234"), &[b"RFB 003.008\n", none, &server_init()]);
    assert_eq!((sent, end), (b"RFB 003.008\n\x01\x01".to_vec(), Ok(qemu())));
}

#[test]
fn a_repeater_is_no_server() {
    let version = |error: &HostError| Reason::from(error) == Reason::HostVersion;
    let (sent, end) = through(None, &[b"RFB 000.000\n"]);
    assert!(sent.is_empty() && version(&end.unwrap_err()));
    let (sent, end) = through(Some("ID:1"), &[b"RFB 000.000\n", b"RFB 000.000\n"]);
    assert_eq!(sent.len(), BLOCK_LEN, "it is told once");
    assert!(version(&end.unwrap_err()));
    let (_, end) = through(Some("ID:1"), &[b"RFB 000.001\n"]);
    assert!(version(&end.unwrap_err()));
    // Nobody has called it under this number.
    let (_, end) = through(Some("ID:1"), &[b"RFB 000.000\n"]);
    assert_eq!(end, Err(HostError::Closed(Stage::Version)));
}
