//! The task that paints, as long as somebody is looking.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::frame::Frame;
use super::palette::NIGHT;
use super::screen::{Moment, Screen};

/// From one painting to the next.
const TICK: Duration = Duration::from_millis(50);
/// How many inputs may wait for the painter; whoever brings more waits as well.
const INPUTS: usize = 64;

/// What viewers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// One more is looking.
    Joined,
    /// A key went down or up.
    Key { down: bool, keysym: u32 },
    /// The pointer moved, or a button of it.
    Pointer { buttons: u8, x: u16, y: u16 },
}

/// A viewer's way to the painter: it looks at `frames` and says what it does to `inputs`.
#[derive(Clone, Debug)]
pub(super) struct Easel {
    /// Who subscribes is counted as a viewer.
    pub(super) frames: watch::Sender<Arc<Frame>>,
    pub(super) inputs: mpsc::Sender<Input>,
}

/// Paints the screen on every tick that somebody is looking.
#[derive(Debug)]
pub(super) struct Painter {
    screen: Screen,
    started: Instant,
    frames: watch::Sender<Arc<Frame>>,
    inputs: mpsc::Receiver<Input>,
    /// The frame before the last, to paint over when nobody holds it any more.
    spare: Option<Arc<Frame>>,
}

impl Painter {
    /// A painter with a first frame painted, and the way to it.
    pub(super) fn new() -> (Self, Easel) {
        let (frames, _) = watch::channel(Arc::new(Frame::filled(NIGHT)));
        let (inputs, incoming) = mpsc::channel(INPUTS);
        let mut painter = Self {
            screen: Screen::new(),
            started: Instant::now(),
            frames: frames.clone(),
            inputs: incoming,
            spare: None,
        };
        painter.paint();
        (painter, Easel { frames, inputs })
    }

    /// Paints until nobody can come any more.
    ///
    /// # Cancel safety
    /// Cancel safe: it may stop between any two frames.
    pub(super) async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(Input::Joined) => ticks.reset_immediately(),
                    Some(Input::Key { down, keysym }) => self.screen.key(keysym, down),
                    Some(Input::Pointer { buttons, x, y }) => self.screen.pointer(x, y, buttons),
                    None => return,
                },
                _ = ticks.tick(), if self.frames.receiver_count() > 0 => self.paint(),
            }
        }
    }

    fn paint(&mut self) {
        let now = Moment {
            time: SystemTime::now().into(),
            uptime: self.started.elapsed(),
            viewers: self.frames.receiver_count(),
        };
        let before = self.frames.borrow().clone();
        let mut frame = match self.spare.take().map(Arc::try_unwrap) {
            Some(Ok(spare)) => spare,
            Some(Err(_)) | None => Frame::filled(NIGHT),
        };
        self.screen.paint(now, &mut frame.canvas);
        frame.follow(&before);
        drop(before);
        self.spare = Some(self.frames.send_replace(Arc::new(frame)));
    }
}
