//! A JSON object and nothing else.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` that was written as a JSON object.
///
/// Serde's derived structs also take an array of their fields in order, which no document of ours
/// speaks of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A JSON object of texts (or secrets, which are texts too), every member in its order: a key that
/// stands twice is there twice, for a map would silently drop one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Texts<T = String>(pub(super) Vec<(String, T)>);

impl<T> Default for Texts<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Texts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Texts<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Texts(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct One {
        one: u8,
    }

    #[test]
    fn an_array_is_no_object() {
        let read = |json| serde_json::from_str::<Object<One>>(json).map(|Object(one)| one);
        assert_eq!(read(r#"{"one": 1}"#).unwrap(), One { one: 1 });
        assert!(
            read("[1]")
                .unwrap_err()
                .to_string()
                .contains("expected an object")
        );
    }
    #[test]
    fn a_key_that_stands_twice_is_there_twice() {
        let read = serde_json::from_str::<Texts>(r#"{"a": "1", "a": "2"}"#).unwrap();
        let pair = |value: &str| ("a".to_owned(), value.to_owned());
        assert_eq!(read.0, [pair("1"), pair("2")]);
        assert!(serde_json::from_str::<Texts>(r#"["a", "1"]"#).is_err());
    }
}
