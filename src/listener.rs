//! What connections inherit from their listener.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpListener;

/// After so long without a byte the kernel asks whether a browser is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// Gives a listener's connections no Nagle delay, and lets the kernel notice a browser whose machine
/// vanished, also while bytes of ours wait `dead_after` for their acknowledgement.
///
/// They inherit this from the listener, which saves each of them four system calls.
///
/// # Errors
/// What the system says.
pub fn set_options(listener: &TcpListener, dead_after: Duration) -> io::Result<()> {
    let options = SockRef::from(listener);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))?;
    options.set_tcp_user_timeout(Some(dead_after))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn connections_have_the_options_of_their_listener() {
        let dead_after = Duration::from_secs(17);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        set_options(&listener, dead_after).unwrap();
        let there = listener.local_addr().unwrap();
        let connecting = TcpSocket::new_v4().unwrap().connect(there);
        let (browser, accepted) = tokio::join!(connecting, listener.accept());
        let (_browser, (stream, _)) = (browser.unwrap(), accepted.unwrap());
        assert!(stream.nodelay().unwrap());
        let options = SockRef::from(&stream);
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(dead_after));
    }
}
