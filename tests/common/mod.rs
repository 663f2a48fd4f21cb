//! The world around the gateway in integration tests: the real binary with a configuration of its
//! own, scripted and real VNC hosts, raw and real browsers.
//!
//! Nothing is shared between two tests: each starts what it needs on ports chosen at run time,
//! and what it started ends with it, by its id. A missing program fails the test that needs it.
#![allow(dead_code, reason = "each test binary uses its part of this world")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that meets something unexpected stops and says where"
)]

pub mod answer;
pub mod bad_hosts;
pub mod cable;
pub mod capture;
pub mod chromium;
pub mod curl;
pub mod events;
pub mod fake_host;
pub mod gateway;
pub mod guest;
pub mod haproxy;
pub mod host_params;
pub mod http;
pub mod log;
pub mod login_host;
pub mod memory;
pub mod minted;
pub mod net;
pub mod pattern;
pub mod picture;
pub mod pki;
pub mod process;
pub mod qemu;
pub mod qmp;
pub mod ra2_message;
pub mod ra2_server;
pub mod receiver;
pub mod redis;
pub mod rfb_client;
pub mod rfb_server;
pub mod sample;
pub mod scrolling;
pub mod secured;
pub mod settings;
pub mod stock_novnc;
pub mod tls_host;
pub mod vnc_auth;
pub mod wait;
pub mod websocket;
pub mod x11vnc;
pub mod xapi;
pub mod xclipboard;
pub mod xdisplay;
pub mod xtightvnc;
pub mod xvnc;
