//! Writing a grant field by field.

use bytes::BufMut;
use zeroize::Zeroizing;

use super::tag::{self, Kind};
use super::{BadGrant, Grant, MAX_ENCODED};
use crate::rfb::identity::Identity;
use crate::rfb::pacing::Pacing;
use crate::rfb::permissions::{Clipboard, Permissions};
use crate::rfb::terms::Terms;
use crate::target::{Endpoint, Way};
use crate::token::credentials::Credentials;
use crate::token::labels::Labels;
use crate::token::limits::Limits;
use crate::token::sharing::{Role, Sharing};

/// A grant while its fields go out: into one allocation that never grows, since what it would
/// leave behind would not be zeroised.
pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn new(version: u8) -> Self {
        let mut out = Zeroizing::new(Vec::with_capacity(MAX_ENCODED));
        out.put_u8(version);
        Self(out)
    }

    pub(super) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    pub(super) fn grant(&mut self, grant: &Grant) -> Result<(), BadGrant> {
        self.put(tag::ID, &[grant.id.as_bytes()])?;
        let minted_at = grant.minted_at.as_secs().to_be_bytes();
        self.put(tag::MINTED_AT, &[&minted_at])?;
        let connect_by = grant.connect_by.as_secs().to_be_bytes();
        self.put(tag::CONNECT_BY, &[&connect_by])?;
        self.way(&grant.target.way)?;
        let profile = grant.target.profile.as_ref();
        self.text(tag::PROFILE, profile.map(|it| it.as_str()))?;
        self.credentials(&grant.credentials)?;
        self.terms(grant.terms)?;
        self.permissions(grant.permissions)?;
        if grant.pacing != Pacing::default() {
            self.put(tag::PACING, &[grant.pacing.as_str().as_bytes()])?;
        }
        self.identity(&grant.identity)?;
        self.limits(&grant.limits)?;
        for client in &grant.binding.clients {
            self.put(tag::CLIENT, &[client.to_string().as_bytes()])?;
        }
        for origin in &grant.binding.origins {
            self.put(tag::ORIGIN, &[origin.to_string().as_bytes()])?;
        }
        if grant.sharing != Sharing::default() {
            self.put(tag::SHARING, &[grant.sharing.as_str().as_bytes()])?;
        }
        if grant.role != Role::default() {
            self.put(tag::ROLE, &[grant.role.as_str().as_bytes()])?;
        }
        self.text(tag::NAME, grant.name.as_ref().map(|it| it.as_str()))?;
        self.labels(&grant.labels)
    }

    /// RFB over TCP, which most grants mean, needs no kind.
    fn way(&mut self, way: &Way) -> Result<(), BadGrant> {
        match way {
            Way::Tcp(endpoint) => self.endpoint(endpoint),
            Way::Tls(endpoint) => {
                self.put(tag::WAY, &[&[Kind::TLS.0]])?;
                self.endpoint(endpoint)
            }
            Way::Unix(path) => {
                self.put(tag::WAY, &[&[Kind::UNIX.0]])?;
                self.put(tag::SOCKET_PATH, &[path.as_bytes()])
            }
            Way::Tunnel(tunnel) => {
                self.put(tag::WAY, &[&[Kind::tunnel(tunnel.tls).0]])?;
                self.endpoint(&tunnel.endpoint)?;
                self.put(tag::REQUEST_PATH, &[tunnel.path.expose()])
            }
            Way::WebSocket(target) => {
                self.put(tag::WAY, &[&[Kind::websocket(target.tls).0]])?;
                self.endpoint(&target.endpoint)?;
                self.put(tag::REQUEST_PATH, &[target.path.expose()])?;
                for protocol in &target.protocols {
                    self.put(tag::SUBPROTOCOL, &[protocol.as_str().as_bytes()])?;
                }
                Ok(())
            }
        }
    }

    fn endpoint(&mut self, endpoint: &Endpoint) -> Result<(), BadGrant> {
        self.put(tag::HOST, &[endpoint.host.to_string().as_bytes()])?;
        self.put(tag::PORT, &[&endpoint.port.get().to_be_bytes()])
    }

    fn credentials(&mut self, credentials: &Credentials) -> Result<(), BadGrant> {
        let login = &credentials.login;
        self.text(tag::USERNAME, login.username.as_deref())?;
        if let Some(password) = &login.password {
            self.put(tag::PASSWORD, &[password.expose()])?;
        }
        if login.relay {
            self.put(tag::RELAY, &[])?;
        }
        self.text(tag::XVP_TARGET, login.xvp_target.as_deref())?;
        self.text(tag::REPEATER_ID, login.repeater_id.as_deref())?;
        if let Some(cookie) = &credentials.cookie {
            self.put(tag::COOKIE, &[cookie.expose()])?;
        }
        for header in &credentials.headers {
            self.pair(tag::HEADER, header.name(), header.value().expose())?;
        }
        Ok(())
    }

    fn terms(&mut self, terms: Terms) -> Result<(), BadGrant> {
        let bits = [
            (terms.require_tls, tag::REQUIRE_TLS),
            (terms.allow_clear_text, tag::ALLOW_CLEAR_TEXT),
            (terms.refuse_none, tag::REFUSE_NONE),
        ];
        let set = bits.iter().filter(|(set, _)| *set);
        match set.fold(0, |bits, (_, bit)| bits | bit) {
            0 => Ok(()),
            bits => self.put(tag::TERMS, &[&[bits]]),
        }
    }

    /// The usual ones, which most grants give, need no field.
    fn permissions(&mut self, permissions: Permissions) -> Result<(), BadGrant> {
        if permissions == Permissions::default() {
            return Ok(());
        }
        let bits = [
            (permissions.view_only, tag::VIEW_ONLY),
            (permissions.resize, tag::RESIZE),
            (permissions.power, tag::POWER),
        ];
        let set = bits.iter().filter(|(set, _)| *set);
        let bits = set.fold(0, |bits, (_, bit)| bits | bit);
        let Clipboard {
            to_machine,
            from_machine,
        } = permissions.clipboard;
        let (to, from) = (to_machine.to_be_bytes(), from_machine.to_be_bytes());
        self.put(tag::PERMISSIONS, &[&[bits], &to, &from])
    }

    fn identity(&mut self, identity: &Identity) -> Result<(), BadGrant> {
        for certificate in &identity.certificates {
            self.put(tag::CERTIFICATE, &[certificate.as_bytes()])?;
        }
        if let Some(key) = &identity.ra2_key {
            self.put(tag::RA2_KEY, &[key.as_bytes()])?;
        }
        self.text(tag::DESKTOP_NAME, identity.desktop_name.as_deref())?;
        if let Some(uuid) = &identity.machine_uuid {
            self.put(tag::MACHINE_UUID, &[uuid.as_bytes()])?;
        }
        Ok(())
    }

    /// Always written: what is usual may change with the version.
    fn limits(&mut self, limits: &Limits) -> Result<(), BadGrant> {
        self.put(tag::USES, &[&limits.uses.get().to_be_bytes()])?;
        for (tag, duration) in [
            (tag::SESSION_MAX, limits.session_max),
            (tag::IDLE_MAX, limits.idle_max),
        ] {
            self.put(tag, &[&duration.as_secs().to_be_bytes()])?;
        }
        Ok(())
    }

    fn labels(&mut self, labels: &Labels) -> Result<(), BadGrant> {
        for (key, value) in labels.iter() {
            self.pair(tag::LABEL, key, value.as_bytes())?;
        }
        Ok(())
    }

    /// A field that may be missing.
    fn text(&mut self, tag: u8, text: Option<&str>) -> Result<(), BadGrant> {
        text.map_or(Ok(()), |text| self.put(tag, &[text.as_bytes()]))
    }

    /// A field of two parts: the first has a byte for its length.
    fn pair(&mut self, tag: u8, first: &str, second: &[u8]) -> Result<(), BadGrant> {
        let len = u8::try_from(first.len()).map_err(|_| BadGrant::TooLong)?;
        self.put(tag, &[&[len], first.as_bytes(), second])
    }

    /// Writes one field out of its parts.
    fn put(&mut self, tag: u8, parts: &[&[u8]]) -> Result<(), BadGrant> {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        let short = u16::try_from(len).map_err(|_| BadGrant::TooLong)?;
        if self.0.len() + 3 + len > MAX_ENCODED {
            return Err(BadGrant::TooLong);
        }
        self.0.put_u8(tag);
        self.0.put_u16(short);
        for part in parts {
            self.0.put_slice(part);
        }
        Ok(())
    }
}
