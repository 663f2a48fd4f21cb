use super::*;
use crate::id::KeyId;
use crate::secret::Secret;
use crate::target::{Endpoint, Tunnel};
use crate::token::{Key, KeyRing, open};

const NOW: UnixTime = UnixTime::from_secs(1_795_249_800);

fn minter(public_url: &str) -> (Minter, KeyRing) {
    let key = Key::new(KeyId::from_random([1; 4]), NOW, [1; 32]);
    let ring = KeyRing::new(key);
    let current = Arc::new(ring.clone().into());
    (
        Minter::new(current, public_url.to_owned(), Usual::default())
            .with_profiles(["libvirt".parse().unwrap()].into()),
        ring,
    )
}

fn order(expires_in: Option<Duration>) -> Order {
    let target = Target::tcp("10.0.0.5".parse().unwrap(), 5901.try_into().unwrap());
    let credentials = Credentials::with_password(Some(Secret::new("s3cret12")));
    Order {
        expires_in,
        ..Order::new(target, credentials)
    }
}

#[test]
fn a_minted_console_opens_and_its_urls_carry_the_token() {
    let (minter, ring) = minter("https://consoles.example.com/vm");
    let minted = minter.mint(order(None), NOW).unwrap();
    let token = minted.token.as_str();
    assert_eq!(
        minted.url(),
        format!("https://consoles.example.com/vm/novnc?token={token}")
    );
    assert_eq!(
        minted.websocket_url(),
        "wss://consoles.example.com/vm/novnc/websocket"
    );
    assert_eq!(
        minted.protocols(),
        ["binary".to_owned(), format!("fanlight.token.{token}")]
    );
    assert_eq!(minted.expires_at, NOW.plus(Duration::from_secs(60)));
    let grant = open(token, &ring, NOW).unwrap();
    assert_eq!((grant.id, grant.minted_at), (minted.id, NOW));
    assert!(!format!("{minted:?}").contains(token));
}

#[test]
fn a_tunnel_that_no_request_can_be_made_for_is_refused() {
    let (minter, _) = minter("http://localhost:8080");
    let minted = |path: &str, cookie: &str| {
        let tunnel = Tunnel {
            endpoint: Endpoint {
                host: "xen-1".parse().unwrap(),
                port: 443.try_into().unwrap(),
            },
            tls: true,
            path: path.parse().unwrap(),
        };
        let target = Target {
            way: Way::Tunnel(tunnel),
            profile: None,
        };
        let credentials = Credentials {
            cookie: Some(Secret::new(cookie)),
            ..Credentials::default()
        };
        minter.mint(Order::new(target, credentials), NOW).map(drop)
    };
    let session = "session_id=OpaqueRef:1";
    assert_eq!(minted("/console?uuid=1", session), Ok(()));
    let refused = |error| Err(MintError::Tunnel(error));
    assert_eq!(
        minted("/console?session_id=1", session),
        refused(BadRequest::SessionInPath)
    );
    let two = format!("a=b; {session}");
    assert_eq!(minted("/console", &two), refused(BadRequest::Cookie));
    let long = minted(&format!("/{}", "p".repeat(1000)), session);
    assert!(
        matches!(long, Err(MintError::Tunnel(BadRequest::TooLong(_)))),
        "{long:?}"
    );
}

#[test]
fn a_profile_that_nobody_has_is_refused_at_once() {
    let (minter, ring) = minter("http://localhost:8080");
    let mut order = order(None);
    order.target.profile = Some("libvirt".parse().unwrap());
    let minted = minter.mint(order.clone(), NOW).unwrap();
    let grant = open(minted.token.as_str(), &ring, NOW).unwrap();
    assert_eq!(grant.target.profile, order.target.profile);

    let unknown: ProfileName = "esxi".parse().unwrap();
    order.target.profile = Some(unknown.clone());
    let error = minter.mint(order, NOW).unwrap_err();
    assert_eq!(error, MintError::Profile(unknown));
}

#[test]
fn the_time_to_connect_has_bounds() {
    let (minter, _) = minter("http://localhost:8080");
    let seconds = |n| {
        minter
            .mint(order(Some(Duration::from_secs(n))), NOW)
            .map(|m| m.expires_at)
    };
    assert_eq!(seconds(0), Err(MintError::ExpiresIn));
    assert_eq!(seconds(1), Ok(NOW.plus(Duration::from_secs(1))));
    assert_eq!(seconds(86_400), Ok(NOW.plus(MAX_CONNECT_WITHIN)));
    assert_eq!(seconds(86_401), Err(MintError::ExpiresIn));
}
