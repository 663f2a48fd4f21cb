//! Where the gateway listens, and what it answers there.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::raw::{Typed, Value};
use super::reader::Reader;
use super::setting as s;
use super::tls::TlsMode;
use super::value::{Item, Setable, Wrong, quote};
use crate::http::roles::{BadRole, Role, Roles};
use crate::tls::clients::ClientFiles;

/// Where the gateway listens when nobody says.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The longest path of a Unix socket, in bytes: `sun_path` of [unix(7)] without its zero.
///
/// [unix(7)]: https://man7.org/linux/man-pages/man7/unix.7.html
const MAX_PATH: usize = 107;

/// What stands before the path of a Unix socket.
const UNIX: &str = "unix:";

/// What stands before the name of a socket that systemd hands over.
const SYSTEMD: &str = "systemd:";

/// One place where the gateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The setting that it comes from.
    pub setting: &'static str,
    /// Where.
    pub address: ListenAddress,
    /// What it answers with.
    pub roles: Roles,
    /// Whether TLS is spoken. Default: where clients may show a certificate; else as `tls.mode` says, but
    /// not at a Unix socket nor where there is neither page nor API.
    pub tls: Option<TlsMode>,
    /// Whether connections from the trusted proxies start with a header of the PROXY protocol.
    /// Default: as for all.
    pub proxy_protocol: Option<bool>,
    /// The permissions of a Unix socket's file.
    pub mode: SocketMode,
    /// Who is believed about clients that show a certificate. Default: none is asked for.
    pub clients: Option<ClientFiles>,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// At an address and a port. Port 0: the system chooses.
    Tcp(SocketAddr),
    /// At this absolute path.
    Unix(PathBuf),
    /// At what systemd hands over by this name.
    Systemd(String),
}

/// The permissions of a Unix socket's file, as `chmod` has them. Default: 660.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketMode(pub u32);

impl Default for SocketMode {
    fn default() -> Self {
        Self(0o660)
    }
}

impl SocketMode {
    const EXPECTED: &'static str = "permissions such as \"660\"";

    fn parse(text: &str) -> Option<Self> {
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let mode = octal.then(|| u32::from_str_radix(text, 8).ok())?;
        mode.filter(|mode| *mode <= 0o777).map(Self)
    }
}

impl Listener {
    /// One with the roles of a shorthand and nothing else said.
    #[must_use]
    pub fn of<const N: usize>(
        setting: &'static str,
        address: ListenAddress,
        roles: [Role; N],
    ) -> Self {
        Self {
            setting,
            address,
            roles: roles.into_iter().collect(),
            tls: None,
            proxy_protocol: None,
            mode: SocketMode::default(),
            clients: None,
        }
    }

    /// Whether it is the setting `listen`, in whose place the sockets stand that systemd hands over and
    /// nobody names.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.setting == s::LISTEN.path
    }
}

/// All of them: `listen`, `listeners`, and the shorthands for what stands beside. `None` when the
/// reader has noted a problem.
pub(super) fn all(r: &mut Reader) -> Option<Vec<Listener>> {
    let listen: Option<ListenAddress> = r.take(&s::LISTEN);
    let listeners: Option<Vec<Listener>> = r.take(&s::LISTENERS);
    let redirect_from = r.take(&s::TLS_REDIRECT_FROM);
    let metrics = r.take(&s::METRICS_LISTEN);
    let listeners = listeners?;
    let listen = match listen {
        Some(listen) => Some(listen),
        None if r.is_set(&s::LISTEN) => return None,
        None if !listeners.is_empty() => None,
        None => {
            let usual = ListenAddress::Tcp(USUAL);
            r.derived(&s::LISTEN, &usual);
            Some(usual)
        }
    };
    let (public, api) = (Role::Public, Role::Api);
    let main = listen.map(|it| Listener::of(s::LISTEN.path, it, [public, api]));
    let redirect =
        redirect_from.map(|it| Listener::of(s::TLS_REDIRECT_FROM.path, it, [Role::Redirect]));
    let metrics = metrics.map(|it| Listener::of(s::METRICS_LISTEN.path, it, [Role::Metrics]));
    let all = main.into_iter().chain(listeners);
    Some(all.chain(redirect).chain(metrics).collect())
}

/// Notes what does not go with the rest of the configuration.
pub(super) fn check(r: &mut Reader, listeners: &[Listener], https: bool, unix_root: Option<&Path>) {
    for listener in listeners {
        let setting = s::find(listener.setting).unwrap_or(&s::LISTENERS);
        if listener.roles.has(Role::Redirect) && !https {
            let message = "needs a public_url that starts with https, to lead there";
            r.refuse(setting, message);
        }
        if let (ListenAddress::Unix(path), Some(root)) = (&listener.address, unix_root)
            && path.starts_with(root)
        {
            r.refuse(setting, "lies in host.unix_root, where hosts are");
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
            Self::Systemd(name) => write!(f, "{SYSTEMD}{name}"),
        }
    }
}

impl Setable for ListenAddress {
    const EXPECTED: &'static str = "an IP address and a port such as 127.0.0.1:8080 or [::]:8080, unix: and an absolute path of at most 107 bytes, or systemd: and a name";

    fn from_text(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix(UNIX) {
            let fits = path.starts_with('/') && path.len() <= MAX_PATH && !path.contains('\0');
            let names_a_file = !path.ends_with('/') && Path::new(path).file_name().is_some();
            return (fits && names_a_file).then(|| Self::Unix(path.into()));
        }
        if let Some(name) = text.strip_prefix(SYSTEMD) {
            // sd_listen_fds_with_names(3): up to 255 characters, no control characters and no colons.
            let fits = (1..=255).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
            return fits.then(|| Self::Systemd(name.to_owned()));
        }
        text.parse().ok().map(Self::Tcp)
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Item for Listener {
    const LIST: &'static str =
        "a list such as [{ address = \"unix:/run/fanlight/api.sock\", roles = [\"api\"] }]";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        let listener = match &typed.value {
            Value::Text(text) => {
                let both = text.rsplit_once('=');
                let (address, roles) = both.ok_or_else(|| {
                    Wrong::with(typed, "expected address=role+role each, commas between")
                })?;
                let roles = roles.split('+').map(|role| read_role(typed, role));
                let roles: Roles = roles.collect::<Result<_, _>>()?;
                Self {
                    roles,
                    ..Self::of(s::LISTENERS.path, read(typed, address)?, [])
                }
            }
            Value::Table(entries) => read_table(typed, entries)?,
            _ => return Err(Wrong::with(typed, format!("expected {}", Self::LIST))),
        };
        let unix = matches!(listener.address, ListenAddress::Unix(_));
        let wrong = if listener.roles.has(Role::Redirect) && !listener.roles.is_only(Role::Redirect)
        {
            "the role redirect goes alone"
        } else if listener.roles.has(Role::Redirect) && listener.tls == Some(TlsMode::On) {
            "the role redirect goes without TLS, which it is the way to"
        } else if !unix && listener.mode != SocketMode::default() {
            "mode is for Unix sockets"
        } else if listener.clients.is_some()
            && (!listener.roles.has(Role::Api) || listener.roles.has(Role::Public))
        {
            "client_ca_file is for the role api, without public: browsers would ask people for certificates"
        } else if listener.clients.is_some() && !matches!(listener.tls, None | Some(TlsMode::On)) {
            "client_ca_file needs TLS"
        } else {
            return Ok(listener);
        };
        Err(Wrong::with(typed, wrong))
    }

    fn clash(items: &[Self]) -> Option<String> {
        items.iter().enumerate().find_map(|(index, listener)| {
            let before = items.get(..index)?;
            // Of ports that the system chooses there may be many.
            let any_port =
                matches!(&listener.address, ListenAddress::Tcp(address) if address.port() == 0);
            let twice = before.iter().any(|it| it.address == listener.address);
            (twice && !any_port).then(|| format!("two listeners are at {}", listener.address))
        })
    }

    fn item_to_toml(&self) -> String {
        let roles: Vec<_> = self.roles.iter().map(|role| quote(role.as_str())).collect();
        let mut entries = vec![
            format!("address = {}", self.address.to_toml()),
            format!("roles = [{}]", roles.join(", ")),
        ];
        entries.extend(self.tls.map(|it| format!("tls = {}", it.to_toml())));
        entries.extend(
            self.proxy_protocol
                .map(|it| format!("proxy_protocol = {it}")),
        );
        if self.mode != SocketMode::default() {
            entries.push(format!("mode = {}", quote(&format!("{:o}", self.mode.0))));
        }
        if let Some(ClientFiles { ca_file, crl_file }) = &self.clients {
            entries.push(format!("client_ca_file = {}", ca_file.to_toml()));
            let crl_file = crl_file.as_ref();
            entries.extend(crl_file.map(|it| format!("client_crl_file = {}", it.to_toml())));
        }
        format!("{{ {} }}", entries.join(", "))
    }
}

fn read_table(
    typed: &Typed,
    entries: &[(String, super::problem::Place, Typed)],
) -> Result<Listener, Wrong> {
    let (mut address, mut roles) = (None, None);
    let (mut tls, mut proxy_protocol, mut mode) = (None, None, SocketMode::default());
    let (mut ca_file, mut crl_file) = (None, None);
    for (key, place, value) in entries {
        match (key.as_str(), &value.value) {
            ("address", Value::Text(text)) => address = Some(read(value, text)?),
            ("roles", _) => roles = Some(read_roles(value)?),
            ("tls", Value::Text(text)) => tls = Some(read(value, text)?),
            ("proxy_protocol", Value::Truth(truth)) => proxy_protocol = Some(*truth),
            ("mode", Value::Text(text)) => {
                let wrong = || Wrong::not(value, SocketMode::EXPECTED);
                mode = SocketMode::parse(text).ok_or_else(wrong)?;
            }
            ("client_ca_file", _) => ca_file = Some(read_path(value)?),
            ("client_crl_file", _) => crl_file = Some(read_path(value)?),
            ("address", _) => return Err(Wrong::not(value, ListenAddress::EXPECTED)),
            ("tls", _) => return Err(Wrong::not(value, TlsMode::EXPECTED)),
            ("proxy_protocol", _) => return Err(Wrong::not(value, bool::EXPECTED)),
            ("mode", _) => return Err(Wrong::not(value, SocketMode::EXPECTED)),
            _ => {
                return Err(Wrong {
                    place: place.clone(),
                    message: "a listener has address, roles, tls, proxy_protocol, mode, client_ca_file and client_crl_file and nothing else"
                        .to_owned(),
                });
            }
        }
    }
    let missing = |what| Wrong::with(typed, format!("a listener needs {what}"));
    if crl_file.is_some() && ca_file.is_none() {
        return Err(Wrong::with(
            typed,
            "client_crl_file needs client_ca_file as well",
        ));
    }
    Ok(Listener {
        setting: s::LISTENERS.path,
        address: address.ok_or_else(|| missing("an address"))?,
        roles: roles.ok_or_else(|| missing("roles"))?,
        tls,
        proxy_protocol,
        mode,
        clients: ca_file.map(|ca_file| ClientFiles { ca_file, crl_file }),
    })
}

fn read_path(typed: &Typed) -> Result<PathBuf, Wrong> {
    PathBuf::read(typed).map_err(|_| Wrong::not(typed, PathBuf::EXPECTED))
}

fn read<T: Setable>(typed: &Typed, text: &str) -> Result<T, Wrong> {
    T::from_text(text).ok_or_else(|| {
        let value = Value::Text(text.to_owned());
        let place = typed.place.clone();
        Wrong::not(&Typed { place, value }, T::EXPECTED)
    })
}

fn read_roles(typed: &Typed) -> Result<Roles, Wrong> {
    let Value::List(list) = &typed.value else {
        let expected = "expected roles to be a list of strings";
        return Err(Wrong::with(typed, expected));
    };
    if list.is_empty() {
        let message = "a listener needs a role to answer anything";
        return Err(Wrong::with(typed, message));
    }
    let roles = list.iter().map(|item| match &item.value {
        Value::Text(text) => read_role(item, text),
        _ => Err(Wrong::with(item, BadRole.to_string())),
    });
    roles.collect()
}

fn read_role(typed: &Typed, text: &str) -> Result<Role, Wrong> {
    text.parse()
        .map_err(|error: BadRole| Wrong::with(typed, error.to_string()))
}
