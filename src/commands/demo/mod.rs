//! The machine of `fanlight demo`: an RFB server of our own, so that there is a console to look at
//! where there is no virtual machine.
//!
//! It is a host like any other to the gateway: the way to it is a socket on the loopback address and
//! a VNC password. Inside, `painter` paints the `screen` while somebody looks; `frame` notes which
//! tiles changed; each `viewer` is sent what it has not seen.

mod canvas;
mod cards;
mod damage;
mod emblem;
mod frame;
mod handshake;
mod house;
mod keys;
mod layout;
mod machine;
mod painter;
mod palette;
mod pixels;
mod pointer;
mod protocol;
mod screen;
mod terminal;
mod viewer;
