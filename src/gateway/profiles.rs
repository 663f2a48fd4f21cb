//! Target profiles, with the files that they name.

use std::collections::BTreeMap;

use tracing::warn;

use crate::config::Config;
use crate::host::profile::{Profile, Profiles};
use crate::rfb::policy::Policy;
use crate::tls::TlsError;
use crate::tls::connect::{Connector, Trust};
use crate::tls::verify::Verify;

/// The name of the profile that holds for grants that name none.
const DEFAULT_PROFILE: &str = "default";

/// What is verified about hosts and allowed with them, for each profile of the configuration.
/// Where none is named `default`, everything is verified for grants that name none, and all
/// methods are allowed that do not show the password.
///
/// # Errors
/// [`TlsError`] when a file of a profile cannot be used.
pub fn profiles(config: &Config) -> Result<Profiles, TlsError> {
    let mut named = BTreeMap::new();
    for (name, profile) in &config.profiles {
        if profile.trust.verify == Some(Verify::None) {
            warn!(
                profile = name.as_str(),
                "no certificate is verified in this profile: anybody on the way can pose as a host"
            );
        }
        let profile = Profile {
            policy: profile.policy.clone(),
            tls: Connector::new(&profile.trust)?,
        };
        named.insert(name.clone(), profile);
    }
    let default = named
        .iter()
        .find(|(name, _)| name.as_str() == DEFAULT_PROFILE);
    let default = match default {
        Some((_, profile)) => profile.clone(),
        None => Profile {
            policy: Policy::default(),
            tls: Connector::new(&Trust::default())?,
        },
    };
    Ok(Profiles::new(default, named))
}
