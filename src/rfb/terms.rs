//! What a grant demands and permits of the login, beside the policy of its profile.

use crate::rfb::policy::Policy;

/// The terms of one grant. By default it demands nothing and permits nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The login has to be inside TLS with a certificate.
    pub require_tls: bool,
    /// Methods that show the password on the way may be used.
    pub allow_clear_text: bool,
    /// A host that asks for no authentication, outside of TLS, is refused.
    pub refuse_none: bool,
}

impl Terms {
    /// The policy that holds for a grant with these terms: what either demands is demanded, and
    /// what either permits is permitted.
    #[must_use]
    pub fn apply(self, policy: &Policy) -> Policy {
        Policy {
            methods: policy.methods.clone(),
            require_tls: policy.require_tls || self.require_tls,
            clear_text: policy.clear_text || self.allow_clear_text,
            refuse_none: policy.refuse_none || self.refuse_none,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_and_permissions_add_up() {
        let profile = Policy {
            refuse_none: true,
            ..Policy::default()
        };
        let terms = Terms {
            require_tls: true,
            allow_clear_text: true,
            refuse_none: false,
        };
        let expected = Policy {
            require_tls: true,
            clear_text: true,
            refuse_none: true,
            ..Policy::default()
        };
        assert_eq!(terms.apply(&profile), expected);
        assert_eq!(Terms::default().apply(&profile), profile);
    }
}
