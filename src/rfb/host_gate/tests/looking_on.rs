//! As long as nobody has to look.

use std::iter::repeat;
use std::time::Duration;

use super::*;

/// A gate that nothing needs but the pacing of updates.
fn looking_on() -> HostGate {
    let mut gate = gate(Permissions::default(), &NOVNC).pacing(Pacing::Auto);
    assert!(!gate.needed);
    gate.list(Encoding::FENCE);
    gate
}

#[test]
fn a_host_that_cannot_be_understood_is_left_to_its_viewer() {
    // Colour maps and empty updates are what they are, and so is what no table has.
    let unknown = [
        &pictures()[..],
        &[1, 0, 0, 0, 0, 0],
        &update(&[]),
        &[77],
        b"whatever",
    ]
    .concat();
    // Rectangles of an encoding that nobody listed, and beyond the screen.
    let unasked = [
        &pictures()[..],
        &update(&[rectangle([0, 0, 1, 1], 99, b"?")]),
    ]
    .concat();
    let beyond = [
        &pictures()[..],
        &update(&[rectangle([640, 0, 9, 9], 0, b"?")]),
    ]
    .concat();
    for stream in [unknown, unasked, beyond] {
        for size in [usize::MAX, 1, 3, 7] {
            let mut gate = looking_on();
            let outcome = pass_in(&mut gate, &stream, &mut repeat(size));
            assert_eq!(outcome, (stream.clone(), Ok(())), "{size} bytes at a time");
            assert!(gate.is_idle());
            assert!(!gate.permit(ALL), "who was not followed cannot be judged");
        }
    }
}

#[test]
fn a_host_that_is_paced_has_to_be_understood() {
    let mut gate = looking_on();
    gate.note_round_trip(Duration::from_millis(100));
    gate.list(Encoding::CONTINUOUS_UPDATES);
    let stream = [&pictures()[..], &[77]].concat();
    let (out, outcome) = pass_in(&mut gate, &stream, &mut repeat(5));
    assert_eq!(out, pictures());
    assert!(outcome.is_err());
}
