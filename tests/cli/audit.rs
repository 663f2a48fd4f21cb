//! `fanlight audit`.

use fanlight::audit::{Act, Chain, Event};
use fanlight::clock::UnixTime;

use crate::home::{Home, Ran, fanlight};

#[test]
fn a_log_is_whole_or_its_first_wrong_line_is_named() {
    let home = Home::new();
    let mut chain = Chain::default();
    let mut file = |name: &str, lines: u64| {
        let line = |number| {
            let event = Event::new(Act::Mint);
            let line = chain.link(UnixTime::from_secs(number), &event, number == 0);
            format!("{line}\n")
        };
        let text: String = (0..lines).map(line).collect();
        home.write(name, &text);
        text
    };
    let first = file("audit.1", 4);
    file("audit.log", 3);
    let verify = |names: &[&str]| {
        let words = ["audit", "verify"].into_iter().chain(names.iter().copied());
        let mut command = fanlight(words);
        Ran::of(command.current_dir(home.0.path()), "", home.0.path())
    };
    let whole = verify(&["audit.1", "audit.log"]).good();
    assert_eq!(
        whole,
        format!("whole up to line number 7\nhash {}\n", chain.hash)
    );
    assert_eq!(verify(&["audit.log"]).good(), whole);
    assert_eq!(
        verify(&["audit.log", "audit.1"]).failed(),
        "fanlight: audit.1: line 1 does not follow what is before it: number 1 behind 7\n"
    );

    let mut lines: Vec<_> = first.lines().collect();
    lines.remove(2);
    home.write("audit.1", &(lines.join("\n") + "\n"));
    assert_eq!(
        verify(&["audit.1"]).failed(),
        "fanlight: audit.1: line 3 does not follow what is before it: number 4 behind 2\n"
    );
    home.write("audit.1", "");
    assert_eq!(
        verify(&["audit.1"]).failed(),
        "fanlight: there is no line\n"
    );
    let missing = verify(&["audit.2"]).failed();
    assert!(
        missing.starts_with("fanlight: audit.2 cannot be read: "),
        "{missing}"
    );
}
