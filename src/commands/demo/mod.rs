//! The machine of `fanlight demo`: an RFB server of our own, so that there is a console to look at
//! where there is no virtual machine.

mod canvas;
mod cards;
mod emblem;
mod house;
mod keys;
mod layout;
mod palette;
mod pointer;
mod screen;
mod terminal;
