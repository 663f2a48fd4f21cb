//! What a grant says about a host and how to come in.

use crate::rfb::identity::Identity;
use crate::rfb::policy::{Policy, SecurityMethod};
use crate::rfb::terms::Terms;
use crate::target::Target;
use crate::token::{Credentials, Grant};

/// The part of a grant that is about its host.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where it is and how to get there.
    pub target: Target,
    /// What opens the way there, and the host itself.
    pub credentials: Credentials,
    /// What is demanded and permitted of the login.
    pub terms: Terms,
    /// What the machine must be.
    pub identity: Identity,
    /// Ways of logging in that an earlier connection has shown to lead nowhere.
    pub without: &'static [SecurityMethod],
}

impl Visit {
    /// A visit without terms to a host that may be any.
    #[must_use]
    pub fn new(target: Target, credentials: Credentials) -> Self {
        Self {
            target,
            credentials,
            terms: Terms::default(),
            identity: Identity::default(),
            without: &[],
        }
    }

    /// What the host may be logged in with. Where everything is inside TLS already, as
    /// `inside_tls` says, TLS in the login proves nothing more; where it is not and a certificate
    /// is pinned, the login has to show one.
    pub(super) fn policy(&self, profile: &Policy, inside_tls: bool) -> Policy {
        let policy = self.terms.apply(profile).without(self.without);
        if inside_tls {
            policy.inside_tls()
        } else {
            Policy {
                require_tls: policy.require_tls || !self.identity.certificates.is_empty(),
                ..policy
            }
        }
    }
}

impl From<Grant> for Visit {
    fn from(grant: Grant) -> Self {
        Self {
            target: grant.target,
            credentials: grant.credentials,
            terms: grant.terms,
            identity: grant.identity,
            without: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfb::identity::Fingerprint;

    #[test]
    fn tls_around_everything_satisfies_what_is_demanded_of_the_login() {
        let target = Target::tcp("a".parse().unwrap(), 5900.try_into().unwrap());
        let strict = Visit {
            terms: Terms {
                require_tls: true,
                refuse_none: true,
                ..Terms::default()
            },
            ..Visit::new(target, Credentials::default())
        };
        let methods = [
            SecurityMethod::None,
            SecurityMethod::Vnc,
            SecurityMethod::Plain,
        ];
        let (outside, inside) = (
            strict.policy(&Policy::default(), false),
            strict.policy(&Policy::default(), true),
        );
        for method in methods {
            assert!(!outside.allows(method) && inside.allows(method), "{method}");
        }
    }

    #[test]
    fn a_pinned_certificate_has_to_be_shown() {
        let target = Target::tcp("a".parse().unwrap(), 5900.try_into().unwrap());
        let mut visit = Visit::new(target, Credentials::default());
        assert!(!visit.policy(&Policy::default(), false).require_tls);
        visit.identity.certificates = vec![Fingerprint::of(b"key")];
        assert!(visit.policy(&Policy::default(), false).require_tls);
    }
}
