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
#[error("the grant names the target profile {0}, which this gateway's configuration does not have")]
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
