//! Ways of logging in that show only when they are entered that they lead nowhere.
//!
//! What VeNCrypt holds, and whether RA2 wants a user, is said only to those who have chosen it, and
//! there is no way back on that connection. Where the host offers something else that may be used,
//! another connection can go there at once.

use super::{HostError, HostHandshake};
use crate::rfb::auth::{self, List};
use crate::rfb::policy::SecurityMethod;
use crate::rfb::security::SecurityType;

/// SASL, and all that VeNCrypt carries.
const IN_SASL_AND_VENCRYPT: &[SecurityMethod] = &[
    SecurityMethod::Sasl,
    SecurityMethod::X509Sasl,
    SecurityMethod::X509Plain,
    SecurityMethod::X509Vnc,
    SecurityMethod::X509None,
    SecurityMethod::Plain,
];
const IN_SASL: &[SecurityMethod] = &[SecurityMethod::Sasl, SecurityMethod::X509Sasl];
const IN_VENCRYPT: &[SecurityMethod] = &[
    SecurityMethod::X509Sasl,
    SecurityMethod::X509Plain,
    SecurityMethod::X509Vnc,
    SecurityMethod::X509None,
    SecurityMethod::Plain,
];
const IN_RA2: &[SecurityMethod] = &[
    SecurityMethod::Ra2_256,
    SecurityMethod::Ra2,
    SecurityMethod::Ra2ne256,
    SecurityMethod::Ra2ne,
];

impl HostHandshake {
    /// The methods that this failure has shown to lead nowhere, where the host offers another one
    /// that the same policy allows and the login has credentials for.
    ///
    /// Only what was not there to be chosen counts. A login that was refused, a certificate that is
    /// not believed and a host that broke the protocol are final: to go on without them would be a
    /// downgrade that somebody on the way can bring about.
    #[must_use]
    pub fn dead_end(&self, error: &HostError) -> Option<&'static [SecurityMethod]> {
        let chosen = self.seen.chosen?;
        let methods = match error {
            HostError::AnonymousOnly(_)
            | HostError::NoCommonSecurity(_)
            | HostError::Forbidden(_)
            | HostError::CredentialsMissing
                if chosen == SecurityType::VENCRYPT =>
            {
                IN_VENCRYPT
            }
            HostError::CredentialsMissing if is_ra2(chosen) => IN_RA2,
            // Beside SASL, VeNCrypt may hold something that will do, and if not, stand beside it.
            HostError::NoCommonMechanism(_) => {
                let (_, held) = self.seen.offered.split_at_checked(self.listed)?;
                if self.offers_more(List::VeNCrypt, held, IN_SASL) {
                    return Some(IN_SASL);
                }
                IN_SASL_AND_VENCRYPT
            }
            _ => return None,
        };
        let (listed, _) = self.seen.offered.split_at_checked(self.listed)?;
        let more = self.offers_more(List::Types, listed, methods);
        more.then_some(methods)
    }

    /// Whether there is something to choose without these methods.
    fn offers_more(
        &self,
        list: List,
        offered: &[SecurityType],
        without: &[SecurityMethod],
    ) -> bool {
        let mut params = self.params.clone();
        params.policy = params.policy.without(without);
        auth::choose(list, offered, &params).is_ok()
    }
}

fn is_ra2(kind: SecurityType) -> bool {
    IN_RA2
        .iter()
        .any(|method| method.carriers().contains(&kind))
}
