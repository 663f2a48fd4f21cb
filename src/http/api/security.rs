//! `security` in the API: what is demanded and permitted of the login.

use serde::Deserialize;

use crate::rfb::terms::Terms;

/// Beside what the target's profile says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SecurityRequest {
    require_tls: bool,
    allow_clear_text: bool,
    refuse_none: bool,
}

impl SecurityRequest {
    pub(super) const fn into_terms(self) -> Terms {
        Terms {
            require_tls: self.require_tls,
            allow_clear_text: self.allow_clear_text,
            refuse_none: self.refuse_none,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_term_is_read_by_its_name() {
        let read = |json| {
            serde_json::from_str::<SecurityRequest>(json)
                .unwrap()
                .into_terms()
        };
        assert_eq!(read("{}"), Terms::default());
        let terms = read(r#"{"require_tls": true, "refuse_none": true}"#);
        assert!(terms.require_tls && terms.refuse_none && !terms.allow_clear_text);
        assert!(read(r#"{"allow_clear_text": true}"#).allow_clear_text);
    }
}
