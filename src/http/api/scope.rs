//! What an API key is good for.

use std::fmt;
use std::str::FromStr;

/// One thing that a key may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Making console URLs.
    Mint,
    /// Seeing who is in.
    SessionsRead,
    /// Seeing where the machines are, beside it.
    SessionsTarget,
    /// Ending sessions, and revoking consoles.
    SessionsEnd,
    /// Changing what viewers may do, and pressing keys at their machines.
    SessionsControl,
    /// Everything, what is still to come included.
    Admin,
}

impl Scope {
    /// Every scope, in the order of the enum.
    pub const ALL: [Self; 6] = [
        Self::Mint,
        Self::SessionsRead,
        Self::SessionsTarget,
        Self::SessionsEnd,
        Self::SessionsControl,
        Self::Admin,
    ];

    /// The word in the configuration and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::SessionsRead => "sessions:read",
            Self::SessionsTarget => "sessions:target",
            Self::SessionsEnd => "sessions:end",
            Self::SessionsControl => "sessions:control",
            Self::Admin => "admin",
        }
    }

    /// Its place in a [`Scopes`].
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected mint, sessions:read, sessions:target, sessions:end, sessions:control or admin")]
pub struct BadScope;

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or(BadScope)
    }
}

/// What one key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether something may be done.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// The scopes that were given, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        let given = move |scope: &Scope| self.0 & scope.bit() != 0;
        Scope::ALL.into_iter().filter(given)
    }
}

impl Default for Scopes {
    /// For a key of which nothing is said: minting, and nothing that concerns others' sessions.
    fn default() -> Self {
        Self(Scope::Mint.bit())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let bits = scopes.into_iter().map(Scope::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_allows_itself_and_admin_allows_all() {
        for given in Scope::ALL {
            let scopes = Scopes::from_iter([given]);
            for asked in Scope::ALL {
                let right = given == asked || given == Scope::Admin;
                assert_eq!(scopes.allow(asked), right, "{given} {asked}");
            }
            assert_eq!(given.to_string().parse(), Ok(given));
        }
        assert_eq!("sessions".parse::<Scope>(), Err(BadScope));
        let usual: Vec<_> = Scopes::default().iter().collect();
        assert_eq!(usual, [Scope::Mint]);
    }
}
