//! A whole number as JSON Schema has it.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU16;

use serde::de::value::U64Deserializer;
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, Unexpected, Visitor};

/// A `T` that was written as a whole number, `7` or `7.0`.
///
/// The document says `integer`, which is any number without a fraction ([JSON Schema, 6.1.1]), and
/// some languages write theirs that way. Serde's integers take the first form alone.
///
/// [JSON Schema, 6.1.1]: https://json-schema.org/draft/2020-12/json-schema-validation#section-6.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole<T>(pub(super) T);

/// From here on not every whole number is an f64, so that what was written is not known.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a number of the API can be.
pub(super) trait Bounded {
    /// In words, for who sent another.
    const RANGE: &'static str;
}

impl Bounded for NonZeroU16 {
    const RANGE: &'static str = "a whole number from 1 to 65535";
}

impl Bounded for u32 {
    const RANGE: &'static str = "a whole number from 0 to 4294967295";
}

impl Bounded for u64 {
    const RANGE: &'static str = "a whole number from 0 on";
}

impl<'de, T: Deserialize<'de> + Bounded> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number(PhantomData)).map(Self)
    }
}

struct Number<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Bounded> Visitor<'de> for Number<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::RANGE)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let written: U64Deserializer<E> = number.into_deserializer();
        T::deserialize(written)
            .map_err(|_: E| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        if number.fract() != 0.0 || !(0.0..EXACT).contains(&number) {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        self.visit_u64(number as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_have_a_point() {
        let read = |json| serde_json::from_str::<Whole<NonZeroU16>>(json).ok();
        let number = |number| NonZeroU16::new(number).map(Whole);
        for (json, expected) in [
            ("7", number(7)),
            ("7.0", number(7)),
            ("6.5535e4", number(65535)),
            ("0.0", None),
            ("7.5", None),
            ("-7.0", None),
            ("-7", None),
            ("65536.0", None),
            ("1e300", None),
            ("\"7\"", None),
            ("null", None),
            ("true", None),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
        let said = serde_json::from_str::<Whole<NonZeroU16>>("0").unwrap_err();
        assert!(said.to_string().contains("a whole number from 1 to 65535"));
        let big = serde_json::from_str::<Whole<u64>>("9007199254740994.0");
        assert!(big.is_err(), "{big:?}");
    }
}
