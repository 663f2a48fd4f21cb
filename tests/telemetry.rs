//! The log of a process: a second start is an error and no panic. In a file of its own, because a
//! process has one log.

use fanlight::telemetry::{InitError, LogFormat, init};

#[test]
fn a_second_start_is_an_error() {
    let filter = "off".parse().unwrap();
    assert!(init(LogFormat::Json, &filter).is_ok());
    assert!(matches!(
        init(LogFormat::Text, &filter),
        Err(InitError::Twice)
    ));
}
