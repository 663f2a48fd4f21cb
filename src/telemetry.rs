//! The log: what is said, how it looks, and that it goes to standard error.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::subject::Subject;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; with colours when standard error is a terminal.
    Text,
    /// For machines: one JSON object a line, the event's fields at its top.
    Json,
}

impl LogFormat {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// The word for it in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// What is logged: a level, or directives such as `info,fanlight::host=debug`
/// ([syntax](https://docs.rs/tracing-subscriber/0.3/tracing_subscriber/filter/struct.EnvFilter.html#directives)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As events are held against it. HTTP/2's library has a line for each frame at `debug`, and is left
    /// at `warn` by whoever does not name it.
    fn parsed(&self) -> Result<EnvFilter, BadFilter> {
        let parse = |text: &str| EnvFilter::try_new(text).map_err(|_| BadFilter);
        let filter = parse(&self.0)?;
        match filter.max_level_hint() {
            Some(level) if level <= LevelFilter::INFO => Ok(filter),
            // What is said later about the same holds.
            _ => parse(&format!("h2=warn,{}", self.0)),
        }
    }
}

/// Why a text is not a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log level or filter")]
pub struct BadFilter;

impl FromStr for LogFilter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        // A single word that is no level would be taken as a target to be logged at every level:
        // never what somebody meant who typed "inof".
        let words = text.split(',').all(|directive| {
            directive.contains(['=', ':', '['])
                || !directive.is_empty() && directive.parse::<LevelFilter>().is_ok()
        });
        if !words || EnvFilter::try_new(text).is_err() {
            return Err(BadFilter);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Why the log cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter does not parse.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// The process has a log already.
    #[error("the log was started twice")]
    Twice,
}

/// Changes what is logged while the process runs.
pub struct Level(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>);

impl Level {
    /// From now on this is logged.
    ///
    /// # Errors
    /// [`BadFilter`]; nothing has changed then.
    pub fn set(&self, filter: &LogFilter) -> Result<(), BadFilter> {
        let filter = filter.parsed()?;
        (self.0)(filter).map_err(|_| BadFilter)
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Level")
    }
}

/// Starts the log of this process, on standard error.
///
/// # Errors
/// [`InitError`]; the log is not started then.
pub fn init(format: LogFormat, filter: &LogFilter) -> Result<Level, InitError> {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (subscriber, level) = subscriber(format, filter, colours, io::stderr)?;
    subscriber.try_init().map_err(|_| InitError::Twice)?;
    Ok(level)
}

/// What turns events into lines; `colours` are for text alone.
fn subscriber<W>(
    format: LogFormat,
    filter: &LogFilter,
    colours: bool,
    writer: W,
) -> Result<(Box<dyn Subscriber + Send + Sync>, Level), BadFilter>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter.parsed()?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => {
            let builder = builder.with_ansi(colours);
            let builder = builder.map_event_format(|lines| WithSubject {
                lines: lines.with_ansi(colours),
                json: false,
            });
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            let level = Level(Box::new(move |filter| handle.reload(filter)));
            (Box::new(builder.finish()), level)
        }
        // Without the module's name: it would be a second "target" beside a session's.
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_target(false);
            let builder = builder.map_event_format(|lines| WithSubject { lines, json: true });
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            let level = Level(Box::new(move |filter| handle.reload(filter)));
            (Box::new(builder.finish()), level)
        }
    })
}

/// Lines that say at their end what the task is about: `request`, `session`. Where an event has such a
/// field of its own, that one stands.
struct WithSubject<L> {
    lines: L,
    json: bool,
}

impl<S, N, L> FormatEvent<S, N> for WithSubject<L>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    L: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.lines
            .format_event(ctx, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        let Subject { request, session } = Subject::now();
        let (request, session) = (
            request.map(|it| it.to_string()),
            session.map(|it| it.to_string()),
        );
        let about = [("request", request), ("session", session)];
        let known = event.metadata().fields();
        let about = about
            .into_iter()
            .filter(|(name, _)| known.field(name).is_none());
        let open = if self.json {
            line.strip_suffix('}')
        } else {
            None
        };
        writer.write_str(open.unwrap_or(line))?;
        for (name, id) in about {
            match (id, open) {
                (None, _) => {}
                // Ids have nothing that JSON would write otherwise.
                (Some(id), Some(_)) => write!(writer, ",\"{name}\":\"{id}\"")?,
                (Some(id), None) => write!(writer, " {name}={id}")?,
            }
        }
        writeln!(writer, "{}", open.map_or("", |_| "}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn filters() {
        for good in [
            "info",
            "off",
            "WARN",
            "info,fanlight::host=debug",
            "fanlight::ws=trace",
        ] {
            assert_eq!(good.parse::<LogFilter>().map(|f| f.0), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "inof",
            "info,",
            "info,=",
            "fanlight=loud",
            "info;debug",
            "[=x",
        ] {
            assert_eq!(bad.parse::<LogFilter>(), Err(BadFilter), "{bad:?}");
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of one event that passes the filter and one that does not.
    fn logged(format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = "warn,fanlight=info".parse().unwrap();
        let (log, _) = subscriber(format, &filter, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(log, || {
            tracing::info!(target: "fanlight::session", bytes = 7, name = "a\u{1b}[2Jb\nc", "ended");
            tracing::info!(target: "elsewhere", "unwanted");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_library_of_http_2_speaks_where_it_is_named() {
        for (filter, speaks) in [
            ("debug", false),
            ("trace", false),
            ("debug,h2=debug", true),
            ("info,h2::codec=debug", true),
        ] {
            let lines = Lines::default();
            let writer = lines.clone();
            let text = LogFormat::Text;
            let filter = filter.parse::<LogFilter>().unwrap();
            let (log, _) = subscriber(text, &filter, false, move || writer.clone()).unwrap();
            tracing::subscriber::with_default(log, || {
                tracing::debug!(target: "h2::codec", "a frame");
                tracing::warn!(target: "h2::codec", "a flood");
            });
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert_eq!(text.contains("a frame"), speaks, "{filter:?}: {text}");
            assert!(text.contains("a flood"), "{filter:?}: {text}");
        }
    }

    #[test]
    fn json_has_the_fields_at_its_top() {
        let line = logged(LogFormat::Json);
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["message"], "ended");
        assert_eq!(event["bytes"], 7);
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn text_is_one_line_without_control_characters() {
        let line = logged(LogFormat::Text);
        let event = line.strip_suffix('\n').unwrap();
        assert!(
            event.contains("INFO fanlight::session: ended bytes=7"),
            "{event:?}"
        );
        assert!(!event.contains(char::is_control), "{event:?}");
    }

    #[test]
    fn the_level_changes_while_the_process_runs() {
        for format in LogFormat::ALL {
            let lines = Lines::default();
            let writer = lines.clone();
            let filter = "warn".parse().unwrap();
            let (log, level) = subscriber(format, &filter, false, move || writer.clone()).unwrap();
            tracing::subscriber::with_default(log, || {
                tracing::info!("before");
                level.set(&"info".parse().unwrap()).unwrap();
                tracing::info!("after");
            });
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("before") && text.contains("after"), "{text}");
        }
    }

    #[tokio::test]
    async fn lines_say_what_their_task_is_about() {
        let session = crate::id::SessionId::from_random([7; 16]);
        let id = session.to_string();
        for format in LogFormat::ALL {
            let lines = Lines::default();
            let writer = lines.clone();
            let filter = "info".parse().unwrap();
            let (log, _) = subscriber(format, &filter, false, move || writer.clone()).unwrap();
            let about = Subject {
                request: "a:b/1".parse().ok(),
                session: Some(session),
            };
            let speaking = about.of(async {
                tracing::subscriber::with_default(log, || {
                    tracing::info!("of the task's own");
                    tracing::info!(session = "another", "of another's");
                });
            });
            speaking.await;
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            let [own, other] = text.lines().collect::<Vec<_>>()[..] else {
                panic!("{text}");
            };
            match format {
                LogFormat::Text => {
                    let ids = format!("own request=a:b/1 session={id}");
                    assert!(own.ends_with(&ids), "{own}");
                    let ids = "session=\"another\" request=a:b/1";
                    assert!(other.ends_with(ids), "{other}");
                }
                LogFormat::Json => {
                    let ids = |line| {
                        let line: serde_json::Value = serde_json::from_str(line).unwrap();
                        [line["request"].clone(), line["session"].clone()]
                    };
                    assert_eq!(ids(own), ["a:b/1", &id]);
                    assert_eq!(ids(other), ["a:b/1", "another"]);
                }
            }
        }
    }
}
