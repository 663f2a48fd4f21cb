//! From where a console may be opened.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::origin::Origin;

/// The most networks of clients, and the most origins.
pub const MAX_EACH: usize = 8;

/// What a grant narrows beside the configuration. Empty lists narrow nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The networks that the client's address has to be in one of, at most [`MAX_EACH`].
    pub clients: Vec<IpNet>,
    /// The origins of which the page has to have one, at most [`MAX_EACH`].
    pub origins: Vec<Origin>,
}

/// Why a binding cannot stand in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a console is bound to at most {MAX_EACH} {0}")]
pub struct BadBinding(&'static str);

impl Binding {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`BadBinding`].
    pub const fn check(&self) -> Result<(), BadBinding> {
        if self.clients.len() > MAX_EACH {
            return Err(BadBinding("networks"));
        }
        if self.origins.len() > MAX_EACH {
            return Err(BadBinding("origins"));
        }
        Ok(())
    }

    /// Whether a client may come from this address.
    #[must_use]
    pub fn admits_client(&self, client: IpAddr) -> bool {
        self.clients.is_empty() || self.clients.iter().any(|net| net.contains(&client))
    }

    /// Whether a page of this origin may open the console. One without is no page, and bound to
    /// none of those that are named.
    #[must_use]
    pub fn admits_origin(&self, origin: Option<&Origin>) -> bool {
        self.origins.is_empty() || origin.is_some_and(|origin| self.origins.contains(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_narrows_nothing() {
        let binding = Binding::default();
        assert!(binding.admits_client([192, 0, 2, 7].into()));
        assert!(binding.admits_origin(None));
        assert_eq!(binding.check(), Ok(()));
    }

    #[test]
    fn one_of_those_that_are_named_has_to_fit() {
        let binding = Binding {
            clients: ["192.0.2.0/24", "2001:db8::/32"]
                .map(|net| net.parse().unwrap())
                .into(),
            origins: vec!["https://cloud.example".parse().unwrap()],
        };
        assert!(binding.admits_client([192, 0, 2, 7].into()));
        assert!(binding.admits_client("2001:db8::7".parse().unwrap()));
        assert!(!binding.admits_client([192, 0, 3, 7].into()));
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert!(binding.admits_origin(Some(&origin("https://cloud.example"))));
        assert!(!binding.admits_origin(Some(&origin("https://cloud.example:8443"))));
        assert!(!binding.admits_origin(None));
    }

    #[test]
    fn there_are_not_many() {
        let net: IpNet = "192.0.2.0/24".parse().unwrap();
        let binding = Binding {
            clients: vec![net; MAX_EACH + 1],
            origins: Vec::new(),
        };
        assert_eq!(binding.check(), Err(BadBinding("networks")));
    }
}
