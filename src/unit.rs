//! Lengths of time and sizes with their unit: `60s`, `5m`, `64KiB`.

use std::time::Duration;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Units of time, in milliseconds, the largest first.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Units of size, in bytes, the largest first.
const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads `500ms`, `60s`, `5m`, `8h`: digits, then the unit, nothing between.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    parse(text, &TIMES).map(Duration::from_millis)
}

/// Writes what [`parse_duration`] reads, in the largest unit that leaves no fraction. What is
/// below a millisecond is lost.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    print(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        &TIMES,
    )
}

/// Reads `512B`, `64KiB`, `1MiB`, `1GiB`: digits, then the unit, nothing between.
#[must_use]
pub fn parse_size(text: &str) -> Option<ByteSize> {
    parse(text, &SIZES).map(ByteSize)
}

/// Writes what [`parse_size`] reads, in the largest unit that leaves no fraction.
#[must_use]
pub fn print_size(size: ByteSize) -> String {
    print(size.0, &SIZES)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn print(value: u64, units: &[(&str, u64)]) -> String {
    units
        .iter()
        .find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor))
        .map_or_else(
            || format!("0{}", units.last().map_or("", |(name, _)| name)),
            |(name, factor)| format!("{}{name}", value / factor),
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("60s", 60_000),
            ("5m", 300_000),
            ("8h", 28_800_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)));
        }
        for (millis, text) in [
            (0, "0ms"),
            (60_000, "1m"),
            (90_000, "90s"),
            (1_500, "1500ms"),
        ] {
            assert_eq!(print_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64KiB"), Some(ByteSize(65_536)));
        assert_eq!(parse_size("1MiB"), Some(ByteSize(1_048_576)));
        assert_eq!(print_size(ByteSize(1_048_577)), "1048577B");
        assert_eq!(print_size(ByteSize(0)), "0B");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "s",
            "60",
            "-1s",
            "+1s",
            "1.5s",
            "1 s",
            " 1s",
            "1s ",
            "1S",
            "1KB",
            "1kib",
            "1h30m",
            "99999999999999999999s",
            "9999999999999999h",
            "\u{661}s",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
            assert_eq!(parse_size(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(value: u64) {
            let duration = Duration::from_millis(value);
            prop_assert_eq!(parse_duration(&print_duration(duration)), Some(duration));
            prop_assert_eq!(parse_size(&print_size(ByteSize(value))), Some(ByteSize(value)));
        }

        #[test]
        fn what_is_read_prints_as_the_same(text in "[0-9]{0,21}(ms|s|m|h|B|KiB|MiB|GiB|.{0,3})") {
            if let Some(duration) = parse_duration(&text) {
                prop_assert_eq!(parse_duration(&print_duration(duration)), Some(duration));
            }
            if let Some(size) = parse_size(&text) {
                prop_assert_eq!(parse_size(&print_size(size)), Some(size));
            }
        }
    }
}
