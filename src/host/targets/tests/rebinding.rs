//! Names whose owner answers something else each time.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, UdpSocket};

use super::super::*;
use crate::host::ReachError;
use crate::host::dial::dial;
use crate::host::resolve::Resolver;
use crate::target::HostName;

/// A name server that gives each of its answers once, all with a lifetime of 0.
struct NameServer {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<Vec<Ipv4Addr>>>>,
}

impl NameServer {
    async fn start(answers: &[&[Ipv4Addr]]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let answers = answers.iter().map(|it| it.to_vec()).collect();
        let answers = Arc::new(Mutex::new(answers));
        let left = Arc::clone(&answers);
        let serving = async move {
            let mut question = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut question).await {
                let answer = answer(&question[..length], &left);
                socket.send_to(&answer, client).await.unwrap();
            }
        };
        tokio_util::task::TaskTracker::new().spawn(serving);
        Self { address, answers }
    }

    fn left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

/// The answer to one question ([RFC 1035, 4.1]): its header and question, and A records for it; an
/// answer is used up by a question for those alone.
///
/// [RFC 1035, 4.1]: https://www.rfc-editor.org/rfc/rfc1035#section-4.1
fn answer(asked: &[u8], left: &Mutex<VecDeque<Vec<Ipv4Addr>>>) -> Vec<u8> {
    let name = asked[12..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let question = &asked[12..12 + name + 4];
    let for_a = question[name..name + 2] == [0, 1];
    let addresses = if for_a {
        left.lock().unwrap().pop_front().unwrap_or_default()
    } else {
        Vec::new()
    };
    let records = u8::try_from(addresses.len()).unwrap();
    // A response, recursion wanted and there, no error; one question, the answers, nothing else.
    let header = [0x81, 0x80, 0, 1, 0, records, 0, 0, 0, 0];
    let mut answer = [&asked[..2], &header, question].concat();
    for address in addresses {
        // The name of the question, A, IN, a lifetime of 0, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}

/// What [`crate::host::way`] does with an endpoint.
async fn connect(
    resolver: &Resolver,
    targets: &Targets,
    port: u16,
) -> Result<SocketAddr, ReachError> {
    let name: HostName = "console.rebinding.example".parse().unwrap();
    crate::host::way::connect(&name, port, resolver, targets)
        .await
        .map(|(_, address)| address)
}

const GOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const BAD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

fn targets() -> Targets {
    let allow = vec![GOOD.to_string().parse().unwrap()];
    let deny = Vec::new();
    Targets {
        rules: TargetRules { allow, deny },
        own_listeners: Vec::new(),
    }
}

#[tokio::test]
async fn what_was_looked_at_is_what_is_dialled() {
    let good = TcpListener::bind((GOOD, 0)).await.unwrap();
    let port = good.local_addr().unwrap().port();
    let bad = TcpListener::bind((BAD, port)).await.unwrap();
    let server = NameServer::start(&[&[GOOD], &[BAD], &[BAD, GOOD], &[BAD]]).await;
    let resolver = Resolver::asking(server.address);

    // The second answer is not asked for while the first is used.
    let reached = connect(&resolver, &targets(), port).await.unwrap();
    assert_eq!(reached, SocketAddr::new(GOOD.into(), port));
    assert_eq!(server.left(), 3);
    // When it comes it is looked at as well.
    let refused = connect(&resolver, &targets(), port).await.unwrap_err();
    assert!(matches!(refused, ReachError::Target(_)), "{refused}");
    assert!(refused.to_string().contains("127.0.0.3"), "{refused}");
    // Of several addresses those that may not be dialled are not.
    let reached = connect(&resolver, &targets(), port).await.unwrap();
    assert_eq!(reached, SocketAddr::new(GOOD.into(), port));
    drop(good);
    let refused = connect(&resolver, &targets(), port).await.unwrap_err();
    assert!(matches!(refused, ReachError::Target(_)), "{refused}");

    // Nobody came where nobody may: whoever comes first now is us.
    let (ours, _) = dial(&[BAD.into()], port).await.unwrap();
    let (_, first) = bad.accept().await.unwrap();
    assert_eq!(first, ours.local_addr().unwrap());
}
