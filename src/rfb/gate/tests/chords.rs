//! Chords that are pressed between a viewer's messages.

use super::*;

#[test]
fn a_chord_goes_by_place_once_the_viewer_does() {
    let chord: Chord = "ctrl-alt-del".parse().unwrap();
    let mut gate = Gate::new(ALL);
    let mut out = Vec::new();
    gate.press(&chord, None, &mut out);
    assert_eq!(out.len(), 6 * 8);
    assert_eq!((&out[..8], &out[40..]), (&CTRL[..], &CTRL_UP[..]));
    // Who may only look on shows it as well, and holds nothing.
    let mut looking = Gate::new(LOOKING);
    chunk(
        &mut looking,
        &[255, 0, 0, 1, 0, 0, 0xff, 0xe3, 0, 0, 0, 0x1d],
    )
    .1
    .unwrap();
    out.clear();
    looking.press(&chord, None, &mut out);
    assert_eq!((out.len(), out[0]), (6 * 12, 255));
    // So does the host, where somebody looks.
    let mut host = HostGate::new(&init(), LOOKING).unwrap();
    for (listed, len) in [(false, 6 * 8), (true, 6 * 12)] {
        if listed {
            host.list(Encoding::QEMU_EXTENDED_KEY_EVENT);
        }
        let mut said = [
            &[0; host_gate::ROOM][..],
            &[0, 0, 0, 1],
            &[0; 8],
            &(-258_i32).to_be_bytes(),
        ]
        .concat();
        let received = said.len() - host_gate::ROOM;
        host.pass(&mut said, received, &mut Vec::new()).1.unwrap();
        out.clear();
        Gate::new(LOOKING).press(&chord, Some(&host), &mut out);
        assert_eq!(out.len(), len);
    }
    // The person holds Ctrl, and goes on holding it.
    let ctrl = [255, 0, 0, 1, 0, 0, 0xff, 0xe3, 0, 0, 0, 0x1d];
    chunk(&mut gate, &ctrl).1.unwrap();
    out.clear();
    gate.press(&chord, None, &mut out);
    assert_eq!(out.len(), 4 * 12);
    assert_eq!(out[..12], [255, 0, 0, 1, 0, 0, 0xff, 0xe9, 0, 0, 0, 0x38]);
}
