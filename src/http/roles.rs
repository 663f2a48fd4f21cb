//! What a listener answers with.

use std::fmt;
use std::str::FromStr;

/// One kind of request that a listener may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The console page, its assets, and its WebSocket.
    Public,
    /// The API.
    Api,
    /// What Prometheus asks.
    Metrics,
    /// The way to HTTPS, and nothing else.
    Redirect,
}

impl Role {
    /// Every role, in the order of the enum.
    pub const ALL: [Self; 4] = [Self::Public, Self::Api, Self::Metrics, Self::Redirect];

    /// The word in the configuration and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Api => "api",
            Self::Metrics => "metrics",
            Self::Redirect => "redirect",
        }
    }

    /// Its place in [`Roles`].
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Why a text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected public, api, metrics or redirect")]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(BadRole)
    }
}

/// What one listener answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// Whether this role is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is this role and no other.
    #[must_use]
    pub const fn is_only(self, role: Role) -> bool {
        self.0 == role.bit()
    }

    /// Whether people or cloud management come here, and not those alone who watch the gateway or
    /// have to be shown the way.
    #[must_use]
    pub const fn serves(self) -> bool {
        self.has(Role::Public) || self.has(Role::Api)
    }

    /// Those that there are, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let bits = roles.into_iter().map(Role::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// As in an environment variable: `public+api`.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Role::as_str).collect();
        f.write_str(&words.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_itself_alone() {
        for role in Role::ALL {
            let roles = Roles::from_iter([role]);
            assert!(roles.has(role) && roles.is_only(role));
            assert_eq!(roles.iter().collect::<Vec<_>>(), [role]);
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        let both = Roles::from_iter([Role::Api, Role::Public]);
        assert!(both.serves() && !both.is_only(Role::Api) && !both.has(Role::Metrics));
        assert_eq!(both.to_string(), "public+api");
        assert_eq!("Public".parse::<Role>(), Err(BadRole));
    }
}
