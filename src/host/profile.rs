//! What the gateway's configuration says about hosts of one kind.

use std::collections::BTreeMap;

use crate::rfb::policy::Policy;
use crate::target::ProfileName;
use crate::tls::connect::Connector;

/// How hosts of one kind are logged in to, and what is verified about them.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What they may be logged in with.
    pub policy: Policy,
    /// Who checks their certificates.
    pub tls: Connector,
}

/// The profiles of a gateway.
#[derive(Clone, Debug)]
pub struct Profiles {
    default: Profile,
    named: BTreeMap<ProfileName, Profile>,
}

/// A grant names a profile that this gateway does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no target profile {0} in this gateway's configuration")]
pub struct UnknownProfile(pub ProfileName);

impl Profiles {
    /// `default` holds for grants that name no profile.
    #[must_use]
    pub const fn new(default: Profile, named: BTreeMap<ProfileName, Profile>) -> Self {
        Self { default, named }
    }

    /// The profile that a grant names, or the default where it names none.
    ///
    /// # Errors
    /// [`UnknownProfile`].
    pub fn get(&self, name: Option<&ProfileName>) -> Result<&Profile, UnknownProfile> {
        match name {
            None => Ok(&self.default),
            Some(name) => self
                .named
                .get(name)
                .ok_or_else(|| UnknownProfile(name.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::connect::Trust;

    fn profile(require_tls: bool) -> Profile {
        Profile {
            policy: Policy {
                require_tls,
                ..Policy::default()
            },
            tls: Connector::new(&Trust::default()).unwrap(),
        }
    }

    #[test]
    fn who_names_no_profile_gets_the_default() {
        let name = |text: &str| text.parse::<ProfileName>().unwrap();
        let named = [(name("strict"), profile(true))].into();
        let profiles = Profiles::new(profile(false), named);
        let strict = |name: Option<&ProfileName>| {
            let profile = profiles.get(name);
            profile.map(|profile| profile.policy.require_tls)
        };
        assert_eq!(strict(None), Ok(false));
        assert_eq!(strict(Some(&name("strict"))), Ok(true));
        let unknown = name("default");
        assert_eq!(strict(Some(&unknown)), Err(UnknownProfile(unknown)));
    }
}
