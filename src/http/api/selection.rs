//! Which sessions a query asks for.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::http::problem::Problem;
use crate::id::SessionId;
use crate::store::Filter;

/// How many sessions a page has where nothing is said.
const USUAL_LIMIT: usize = 100;

/// The most sessions of a page.
pub(super) const MAX_LIMIT: usize = 500;

/// The sessions that fit, behind one of them, and how many at most.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) filter: Filter,
    pub(super) after: Option<SessionId>,
    pub(super) limit: usize,
}

impl Selection {
    /// `label=KEY=VALUE`, any number; `console`, `limit` and `cursor`, once each.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`]. One that does not exist is refused: a filter with a typing
    /// error would show everybody.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let mut filter = Filter::default();
        let (mut after, mut limit) = (None, None);
        for (name, value) in parameters {
            match name.as_str() {
                "label" => add_label(&mut filter, value)?,
                "console" => once(name, &mut filter.console, id(name, value)?)?,
                "cursor" => once(name, &mut after, id(name, value)?)?,
                "limit" => once(name, &mut limit, read_limit(value)?)?,
                _ => return Err(unknown()),
            }
        }
        Ok(Self {
            filter,
            after,
            limit: limit.unwrap_or(USUAL_LIMIT),
        })
    }
}

/// An identifier out of a path or a query.
///
/// # Errors
/// [`Problem::InvalidParameter`].
pub(super) fn id<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| invalid(name, &"expected 32 hexadecimal digits in lower case"))
}

/// The one identifier in a path.
pub(super) struct PathId<T>(pub(super) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        // What is not UTF-8 is no identifier either.
        let text = path.map_or_else(|_| String::new(), |Path(text)| text);
        id("id", &text).map(Self)
    }
}

/// A parameter that is wrong.
pub(super) fn invalid(name: &str, why: &dyn Display) -> Problem {
    Problem::InvalidParameter(format!("{name}: {why}"))
}

/// A parameter that nobody asked for. Its name may be anything, and is not repeated.
pub(super) fn unknown() -> Problem {
    Problem::InvalidParameter("there is a parameter that this path does not have".to_owned())
}

/// Sets what may stand only once.
pub(super) fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(invalid(name, &"stands only once")),
    }
}

fn add_label(filter: &mut Filter, text: &str) -> Result<(), Problem> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| invalid("label", &"expected KEY=VALUE"))?;
    let added = filter.labels.insert(key, value);
    added.map_err(|error| invalid("label", &error))
}

fn read_limit(text: &str) -> Result<usize, Problem> {
    // `usize::from_str` takes a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| digits);
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| invalid("limit", &format!("expected 1 to {MAX_LIMIT}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: &[(&str, &str)]) -> Result<Selection, Problem> {
        let owned: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Selection::read(&owned)
    }

    #[test]
    fn a_query_says_which() {
        let all = read(&[]).unwrap();
        assert_eq!((all.filter, all.after), (Filter::default(), None));
        assert_eq!(all.limit, USUAL_LIMIT);
        let id = "ab".repeat(16);
        let some = read(&[
            ("label", "vm=web-01"),
            ("label", "note=a=b"),
            ("console", &id),
            ("cursor", &id),
            ("limit", "500"),
        ])
        .unwrap();
        assert_eq!(some.filter.labels.get("note"), Some("a=b"));
        assert_eq!(some.filter.console, id.parse().ok());
        assert_eq!((some.after, some.limit), (id.parse().ok(), 500));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let id = "ab".repeat(16);
        for wrong in [
            &[("labels", "vm=web-01")][..],
            &[("label", "vm")],
            &[("label", "v m=x")],
            &[("label", "vm=a"), ("label", "vm=b")],
            &[("console", "x")],
            &[("console", &id), ("console", &id)],
            &[("limit", "0")],
            &[("limit", "501")],
            &[("limit", "+5")],
            &[("limit", "")],
            &[("cursor", "")],
        ] {
            let problem = read(wrong).unwrap_err();
            assert!(matches!(problem, Problem::InvalidParameter(_)), "{wrong:?}");
        }
    }
}
