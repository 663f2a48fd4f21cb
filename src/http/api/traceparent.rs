//! The header `traceparent`, by which a caller says what its request is a part of.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::traces::Context;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The caller's span, if the request says one.
pub(super) struct Traceparent(pub(super) Option<Context>);

impl<S: Sync> FromRequestParts<S> for Traceparent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(TRACEPARENT);
        let header = header.and_then(|it| it.to_str().ok());
        Ok(Self(header.and_then(Context::parse)))
    }
}
