//! The machine against viewers and hosts that do whatever they like.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);
const SCREEN: u64 = 640 * 400 * 4;
/// What may be under way whatever the screen and the trip are.
const LEAST: u64 = 4 * 1024;
/// Length of our fences.
const FENCE: usize = 13;

fn fence(number: u32) -> Vec<u8> {
    let [a, b, c, d] = number.to_be_bytes();
    vec![248, 0, 0, 0, 0x80, 0, 0, 3, 4, a, b, c, d]
}

/// What a viewer makes of a fence of ours.
fn answer(fence: &[u8]) -> Vec<u8> {
    let mut answer = fence.to_vec();
    answer[4] = 0;
    answer
}

fn said(pacer: &mut Pacer) -> Vec<u8> {
    let mut out = Vec::new();
    pacer.speak(&mut out);
    out
}

fn hear(pacer: &mut Pacer, fence: &[u8]) -> bool {
    let (head, payload) = fence.split_at(9);
    let passes = pacer.begin_fence(head, SCREEN);
    if !passes {
        pacer.go_on_fence(payload, SCREEN);
    }
    passes
}

/// One whose viewer has enabled updates and got the answer to its only request.
fn running() -> Pacer {
    let mut pacer = Pacer::new(Pacing::On);
    assert!(pacer.note_request(false));
    pacer.note_update(true);
    pacer.end_update();
    assert_eq!(said(&mut pacer), [150]);
    assert!(!pacer.wants_update());
    assert!(!pacer.note_enable(true));
    pacer
}

#[test]
fn a_far_viewer_is_offered_updates_behind_the_first_one() {
    for first in ["update", "trip"] {
        let mut pacer = Pacer::new(Pacing::Auto);
        assert!(pacer.note_request(false));
        if first == "update" {
            pacer.note_update(true);
            assert!(said(&mut pacer).is_empty());
        }
        pacer.note_round_trip(FAR + MS, true);
        // Later trips decide nothing.
        pacer.note_round_trip(MS, true);
        if first == "trip" {
            assert!(said(&mut pacer).is_empty());
            pacer.note_update(true);
        }
        pacer.end_update();
        assert_eq!(said(&mut pacer), [150], "{first}");
        assert!(said(&mut pacer).is_empty());
    }
}

#[test]
fn who_does_not_fit_is_left_alone_for_good() {
    type Case = (&'static str, Pacing, fn(&mut Pacer));
    let cases: [Case; 6] = [
        ("off", Pacing::Off, |_| {}),
        ("near", Pacing::Auto, |pacer| {
            pacer.note_round_trip(FAR, true)
        }),
        ("not listed", Pacing::On, |pacer| pacer.note_update(false)),
        ("far, not listed", Pacing::Auto, |pacer| {
            pacer.note_update(false);
            pacer.note_round_trip(FAR + MS, false);
        }),
        ("the host's own", Pacing::On, |pacer| {
            assert!(pacer.note_own_pacing());
        }),
        ("the host's own, later", Pacing::Auto, |pacer| {
            pacer.note_update(true);
            assert!(pacer.note_own_pacing());
        }),
    ];
    for (name, pacing, happens) in cases {
        let mut pacer = Pacer::new(pacing);
        happens(&mut pacer);
        assert!(pacer.is_plain(), "{name}");
        pacer.note_round_trip(FAR + MS, true);
        pacer.note_update(true);
        pacer.end_update();
        pacer.pass(1000);
        assert!(
            pacer.note_request(true) && pacer.note_request(false),
            "{name}"
        );
        assert!(
            pacer.note_enable(true) && pacer.note_enable(false),
            "{name}"
        );
        assert!(hear(&mut pacer, &answer(&fence(0))), "{name}");
        assert!(pacer.note_own_pacing(), "{name}");
        assert!(said(&mut pacer).is_empty(), "{name}");
        assert!(pacer.is_plain() && !pacer.wants_update(), "{name}");
        assert_eq!(pacer.budget(SCREEN), u64::MAX, "{name}");
    }
}

#[test]
fn the_host_is_asked_as_soon_as_it_has_answered() {
    let mut pacer = running();
    for number in 0..3 {
        assert!(pacer.wants_update());
        assert!(pacer.note_request(false));
        assert!(!pacer.wants_update());
        pacer.note_update(true);
        pacer.pass(1000);
        pacer.end_update();
        assert!(pacer.wants_update(), "before the viewer has said anything");
        assert_eq!(said(&mut pacer), fence(number));
        assert!(said(&mut pacer).is_empty(), "one fence for one update");
    }
    assert!(
        !pacer.note_request(true),
        "the viewer's own requests are merged"
    );
    assert!(pacer.note_request(false), "but not those for everything");
    assert!(!pacer.wants_update());
}

#[test]
fn nothing_is_asked_for_while_the_viewer_does_not_answer() {
    let mut pacer = running();
    let mut updates = 0;
    while pacer.wants_update() {
        pacer.note_request(false);
        pacer.pass(10);
        pacer.end_update();
        updates += 1;
        assert_eq!(said(&mut pacer).len(), FENCE);
    }
    assert_eq!(updates, MAX_FENCES);
    let mut pacer = running();
    pacer.pass(usize::try_from(LEAST).unwrap());
    pacer.end_update();
    said(&mut pacer);
    assert!(!pacer.wants_update());
    assert!(pacer.budget(SCREEN) < SCREEN - LEAST);
    // What the host says all the same goes on up to one screen.
    pacer.pass(usize::try_from(pacer.budget(SCREEN)).unwrap());
    assert_eq!(pacer.budget(SCREEN), 0);
    hear(&mut pacer, &answer(&fence(0)));
    assert_eq!(pacer.budget(SCREEN), u64::MAX, "the message has to end");
}

#[test]
fn a_viewer_that_disables_updates_asks_by_itself() {
    let mut pacer = running();
    pacer.pass(10);
    assert_eq!(said(&mut pacer), fence(0));
    assert!(!pacer.note_enable(false));
    assert_eq!(said(&mut pacer), [150]);
    assert!(!pacer.wants_update());
    assert!(pacer.note_request(true));
    pacer.end_update();
    assert!(!pacer.note_enable(true));
    assert!(said(&mut pacer).is_empty());
    pacer.pass(10);
    assert_eq!(
        said(&mut pacer),
        fence(1),
        "an old answer is told from a new one"
    );
    hear(&mut pacer, &answer(&fence(0)));
    assert!(pacer.budget(SCREEN) < SCREEN);
    hear(&mut pacer, &answer(&fence(1)));
    assert_eq!(pacer.budget(SCREEN), u64::MAX);
}

#[test]
fn fences_of_the_viewer_are_answered_and_few() {
    let mut pacer = running();
    let request = [248, 0, 0, 0, 0x80, 0, 0, 5, 2, 7, 9];
    assert!(!hear(&mut pacer, &request));
    let reply = [248, 0, 0, 0, 0, 0, 0, 1, 2, 7, 9];
    assert_eq!(said(&mut pacer), [&reply[..], &fence(0)].concat());
    for _ in 0..1000 {
        hear(&mut pacer, &request);
    }
    assert!(said(&mut pacer).len() <= 1024 + FENCE);
}

#[test]
fn words_are_read_back() {
    for pacing in [Pacing::Auto, Pacing::On, Pacing::Off] {
        assert_eq!(pacing.to_string().parse(), Ok(pacing));
    }
    assert_eq!("Auto".parse::<Pacing>(), Err(BadPacing));
}

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    Wait(u16),
    /// A message of the host begins or goes on.
    Update(usize),
    /// The viewer answers some fence that it has got: the first ones are parsed by then.
    Answer(usize),
    Request(bool),
    Enable(bool),
    /// Bytes of a fence that nobody set.
    Noise(Vec<u8>),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<u16>().prop_map(Event::Wait),
        (1..SCREEN as usize).prop_map(Event::Update),
        (1..100_usize).prop_map(Event::Update),
        (0..4_usize).prop_map(Event::Answer),
        any::<bool>().prop_map(Event::Request),
        prop::bool::weighted(0.9).prop_map(Event::Enable),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Event::Noise),
    ]
}

/// The relay's part, and accounts of its own.
struct Model {
    pacer: Pacer,
    now: Duration,
    enabled: bool,
    asked: bool,
    /// What is missing of the host's message.
    left: usize,
    /// What has passed, and what was parsed, since updates were enabled.
    sent: u64,
    parsed: u64,
    /// Fences at the viewer: what had passed and what had been parsed.
    fences: VecDeque<(Vec<u8>, u64, u64)>,
    /// The most that a trip has taken.
    taken: u64,
}

impl Model {
    fn pass(&mut self, bytes: usize) {
        self.pacer.pass(bytes);
        self.sent += bytes as u64;
    }

    /// Lets the host's message go on as far as it may.
    fn go_on(&mut self) {
        let budget = usize::try_from(self.pacer.budget(SCREEN)).unwrap_or(usize::MAX);
        let now = self.left.min(budget);
        self.left -= now;
        self.pass(now);
        if self.left > 0 {
            return;
        }
        if now > 0 {
            self.pacer.end_update();
            self.asked = false;
        }
        for (at, said) in said(&mut self.pacer).chunks(FENCE).enumerate() {
            if said == [150] {
                continue;
            }
            assert_eq!((at, said.len()), (0, FENCE));
            self.sent += FENCE as u64;
            self.fences
                .push_back((answer(said), self.sent, self.parsed));
        }
        assert!(self.fences.len() <= MAX_FENCES);
    }

    fn check(&self) {
        let under_way = self.sent - self.parsed;
        if self.enabled && !self.fences.is_empty() {
            // One message may have been in its middle when no fence was out.
            let most = SCREEN.max(self.taken).max(LEAST) + SCREEN + FENCE as u64;
            assert!(under_way <= most, "{under_way}");
        }
        if self.pacer.wants_update() {
            assert!(self.enabled && !self.asked);
        }
    }
}

proptest! {
    #[test]
    fn it_neither_floods_nor_stalls(events in prop::collection::vec(event(), 0..200)) {
        let mut model = Model {
            pacer: running(),
            now: Duration::ZERO,
            enabled: true,
            asked: false,
            left: 0,
            sent: 0,
            parsed: 0,
            fences: VecDeque::new(),
            taken: 0,
        };
        for event in events {
            match event {
                Event::Wait(ms) => {
                    model.now += MS * u32::from(ms);
                    model.pacer.set_time(model.now);
                }
                Event::Update(len) if model.left == 0 => {
                    model.pacer.note_update(true);
                    model.left = len;
                }
                Event::Update(_) => {}
                Event::Answer(at) => {
                    let at = at.min(model.fences.len().saturating_sub(1));
                    if let Some((answer, sent, parsed)) = model.fences.drain(..model.fences.len().min(at + 1)).next_back() {
                        model.taken = model.taken.max(sent - parsed);
                        model.parsed = sent;
                        prop_assert!(!hear(&mut model.pacer, &answer));
                    }
                }
                Event::Request(incremental) => {
                    let passes = model.pacer.note_request(incremental);
                    prop_assert_eq!(passes, !(incremental && model.enabled));
                    model.asked |= passes;
                }
                Event::Enable(enable) => {
                    prop_assert!(!model.pacer.note_enable(enable));
                    if enable != model.enabled {
                        (model.sent, model.parsed) = (0, 0);
                        model.fences.clear();
                    }
                    model.enabled = enable;
                }
                Event::Noise(payload) => {
                    let head = [248, 0, 0, 0, 0, 0, 0, 0, payload.len() as u8];
                    // Ours have four bytes.
                    if payload.len() != 4 {
                        prop_assert!(!hear(&mut model.pacer, &[&head[..], &payload].concat()));
                    }
                }
            }
            model.go_on();
            model.check();
            if model.pacer.wants_update() {
                prop_assert!(model.pacer.note_request(false));
                model.asked = true;
            }
        }
        // Once everybody has done their part, it goes on.
        model.pacer.note_enable(true);
        for _ in 0..100 {
            model.go_on();
            while let Some((answer, ..)) = model.fences.pop_front() {
                hear(&mut model.pacer, &answer);
            }
        }
        prop_assert_eq!(model.left, 0);
        model.pacer.end_update();
        prop_assert!(model.pacer.wants_update());
    }
}
