//! Servers and the ways of logging in to them: one row for each combination.

use fanlight::reason::Reason;
use fanlight::rfb::policy::SecurityMethod;

/// A server and how it is started.
#[derive(Clone, Copy)]
pub(crate) enum Server {
    /// QEMU with these options of `-vnc`, and these SASL mechanisms.
    Qemu(&'static str, &'static str),
    /// TigerVNC's X server with these `-SecurityTypes`.
    Xvnc(&'static str),
    /// x11vnc with these options.
    X11vnc(&'static str),
    /// wayvnc, with authentication or without.
    Wayvnc(bool),
    /// TightVNC, with a password or without.
    Tightvnc(bool),
}

/// What is known of one combination.
pub(crate) struct Row {
    /// The server.
    pub(crate) server: Server,
    /// The RFB version that it announces.
    pub(crate) version: &'static str,
    /// The security types that it offers, those inside VeNCrypt behind it.
    pub(crate) offers: &'static [u32],
    /// What is logged in with, or why nothing is.
    pub(crate) end: Result<SecurityMethod, Reason>,
    /// Whether the policy has to allow passwords in the clear for it.
    pub(crate) clear_text: bool,
    /// What a wrong login ends with; some servers are not always the same.
    pub(crate) wrong_login: &'static [Reason],
}

/// All combinations.
pub(crate) fn rows() -> Vec<Row> {
    let qemu = |options, offers, end| row(Server::Qemu(options, ""), "3.8", offers, end);
    let sasl = |mechanisms| {
        let server = Server::Qemu("tls-creds=x509,sasl=on", mechanisms);
        row(server, "3.8", &[19, 263], Ok(SecurityMethod::X509Sasl))
    };
    let bare_sasl = |mechanism| Server::Qemu("sasl=on", mechanism);
    let xvnc = |types, offers, end| row(Server::Xvnc(types), "3.8", offers, end);
    let x11vnc = |options, version, offers, end| row(Server::X11vnc(options), version, offers, end);
    let wayvnc = |auth, offers, end| row(Server::Wayvnc(auth), "3.8", offers, end);
    let tightvnc = |password, offers, end| row(Server::Tightvnc(password), "3.8", offers, end);
    let clear_text = |row: Row| Row {
        clear_text: true,
        ..row
    };
    let anonymous = Err(Reason::HostTlsAnonymousOnly);
    use SecurityMethod::{None, Plain, Vnc, X509None, X509Plain, X509Vnc};
    vec![
        qemu("", &[1], Ok(None)),
        qemu("password=on", &[2], Ok(Vnc)),
        qemu("tls-creds=x509", &[19, 260], Ok(X509None)),
        qemu("tls-creds=x509,password=on", &[19, 261], Ok(X509Vnc)),
        sasl("SCRAM-SHA-256"),
        sasl("SCRAM-SHA-1"),
        sasl("PLAIN"),
        sasl("PLAIN DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256"),
        clear_text(row(
            bare_sasl("DIGEST-MD5"),
            "3.8",
            &[20],
            Err(Reason::HostNoCommonSecurity),
        )),
        qemu("tls-creds=anonymous", &[19, 257], anonymous),
        qemu("tls-creds=anonymous,password=on", &[19, 258], anonymous),
        xvnc("None", &[1], Ok(None)),
        xvnc("VncAuth", &[2], Ok(Vnc)),
        xvnc("X509None", &[19, 260], Ok(X509None)),
        xvnc("X509Vnc", &[19, 261], Ok(X509Vnc)),
        xvnc("X509Plain", &[19, 262], Ok(X509Plain)),
        clear_text(xvnc("Plain", &[19, 256], Ok(Plain))),
        xvnc("Plain", &[19, 256], Err(Reason::HostNoCommonSecurity)),
        xvnc("TLSNone,TLSVnc,TLSPlain", &[19, 257, 258, 259], anonymous),
        xvnc(
            "VncAuth,X509Vnc,TLSVnc,None",
            &[19, 2, 1, 2, 261, 258, 1],
            Ok(X509Vnc),
        ),
        xvnc("TLSVnc,VncAuth", &[19, 2, 258, 2], Ok(Vnc)),
        x11vnc("", "3.8", &[1], Ok(None)),
        x11vnc("-rfbauth passwd", "3.8", &[2], Ok(Vnc)),
        x11vnc("-rfbauth passwd -rfbversion 3.7", "3.7", &[2], Ok(Vnc)),
        x11vnc("-rfbauth passwd -rfbversion 3.3", "3.3", &[2], Ok(Vnc)),
        x11vnc("-rfbversion 3.3", "3.3", &[1], Ok(None)),
        // Its TLS is a process apart, which at times ends before it has passed the refusal on.
        Row {
            wrong_login: &[Reason::HostAuthFailed, Reason::HostClosed],
            ..x11vnc(
                "-rfbauth passwd -ssl server.pem -vencrypt nodh:force",
                "3.8",
                &[19, 261],
                Ok(X509Vnc),
            )
        },
        tightvnc(false, &[1, 16], Ok(None)),
        tightvnc(true, &[2, 16], Ok(Vnc)),
        wayvnc(false, &[1], Ok(None)),
        // neatvnc 0.5 answers a wrong login with a result of 0, bytes that mean nothing, and the end.
        Row {
            wrong_login: &[Reason::HostProtocol],
            ..wayvnc(true, &[19, 262], Ok(X509Plain))
        },
    ]
}

const fn row(
    server: Server,
    version: &'static str,
    offers: &'static [u32],
    end: Result<SecurityMethod, Reason>,
) -> Row {
    Row {
        server,
        version,
        offers,
        end,
        clear_text: false,
        wrong_login: &[Reason::HostAuthFailed],
    }
}

impl Row {
    /// Whether there is something to refuse in a login.
    pub(crate) fn asks_for_a_login(&self) -> bool {
        self.end
            .is_ok_and(|method| !matches!(method, SecurityMethod::None | SecurityMethod::X509None))
    }

    /// Whether the server shows a certificate.
    pub(crate) fn shows_a_certificate(&self) -> bool {
        self.end.is_ok_and(SecurityMethod::is_inside_tls)
    }
}

impl Server {
    /// Its name, for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Qemu(..) => "QEMU",
            Self::Xvnc(_) => "TigerVNC",
            Self::X11vnc(_) => "x11vnc",
            Self::Wayvnc(_) => "wayvnc",
            Self::Tightvnc(_) => "TightVNC",
        }
    }

    /// How it is started, as far as its security goes.
    pub(crate) fn started_with(self) -> String {
        match self {
            Self::Qemu("", _) => "`-vnc :N`".to_owned(),
            Self::Qemu(options, "") => format!("`-vnc :N,{options}`"),
            Self::Qemu(options, mechanisms) => {
                format!("`-vnc :N,{options}`, mechanisms {mechanisms}")
            }
            Self::Xvnc(types) => format!("`-SecurityTypes {types}`"),
            Self::X11vnc("") => "no options".to_owned(),
            Self::X11vnc(options) => format!("`{options}`"),
            Self::Wayvnc(true) => "`enable_auth=true`".to_owned(),
            Self::Tightvnc(true) => "`-rfbauth passwd`".to_owned(),
            Self::Tightvnc(false) | Self::Wayvnc(false) => "no options".to_owned(),
        }
    }
}
