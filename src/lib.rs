//! Fanlight: a console gateway for virtual machines.
//!
//! Cloud management asks Fanlight for a console URL; a person opens it; the machine's screen
//! appears in the browser. In between, Fanlight seals everything about the machine into a token,
//! serves the page, opens the token on the WebSocket, does the RFB handshake and the VNC
//! authentication with the host itself, offers the browser the security type None, and from then
//! on moves bytes.
//!
//! The modules stand on floors, and each uses only what is below it; `docs/ARCHITECTURE.md` has
//! the table, the words and the story, and `tests/tidy.rs` holds the code to it.

pub mod audit;
pub mod buffers;
pub mod cli;
pub mod client_addr;
pub mod clock;
pub mod commands;
pub mod config;
pub mod current;
pub mod deliver;
pub mod descriptors;
pub mod drive;
pub mod entropy;
pub mod fetch;
pub mod file_stamp;
pub mod frame_queue;
pub mod gateway;
pub mod host;
pub mod http;
pub mod http1;
pub mod id;
pub mod keyring_file;
pub mod listener;
pub mod metrics;
pub mod mint;
pub mod network;
pub mod origin;
#[cfg(feature = "otel")]
pub mod otlp;
pub mod proxy;
pub mod proxy_header;
pub mod rate;
pub mod reason;
pub mod regular_file;
pub mod rfb;
pub mod secret;
pub mod session;
pub mod store;
pub mod stream;
pub mod subject;
pub mod systemd;
pub mod target;
pub mod telemetry;
pub mod tls;
pub mod token;
#[cfg_attr(not(feature = "otel"), path = "traces/off.rs")]
pub mod traces;
pub mod unit;
pub mod webhook;
pub mod websocket;
pub mod wire;
pub mod workers;
pub mod ws;
