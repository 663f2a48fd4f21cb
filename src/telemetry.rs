//! The log: what is said, how it looks, and that it goes to standard error.

use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

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
                || !directive.is_empty()
                    && directive
                        .parse::<tracing::level_filters::LevelFilter>()
                        .is_ok()
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

/// Starts the log of this process, on standard error.
///
/// # Errors
/// [`InitError`]; the log is not started then.
pub fn init(format: LogFormat, filter: &LogFilter) -> Result<(), InitError> {
    let filter = EnvFilter::try_new(filter.as_str()).map_err(|_| BadFilter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colours).finish().try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|_| InitError::Twice)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_second_start_is_an_error_and_no_panic() {
        let filter = "off".parse().unwrap();
        let first = init(LogFormat::Json, &filter);
        assert!(first.is_ok());
        assert!(matches!(
            init(LogFormat::Text, &filter),
            Err(InitError::Twice)
        ));
    }
}
