//! `binding` in the API: from where a console may be opened.

use serde::Deserialize;

use crate::network;
use crate::origin::BadOrigin;
use crate::token::binding::Binding;

/// What is narrowed beside the configuration.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BindingRequest {
    clients: Vec<String>,
    origins: Vec<String>,
}

impl BindingRequest {
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn into_binding(self) -> Result<Binding, (&'static str, String)> {
        let clients = self.clients.iter().map(|text| network::parse(text));
        let clients: Option<Vec<_>> = clients.collect();
        let clients = clients.ok_or_else(|| {
            let words = "expected networks and addresses such as \"192.0.2.0/24\"";
            ("binding.clients", words.to_owned())
        })?;
        let origins = self.origins.iter().map(|text| text.parse());
        let origins: Result<Vec<_>, _> = origins.collect();
        let origins = origins.map_err(|error: BadOrigin| ("binding.origins", error.to_string()))?;
        let binding = Binding { clients, origins };
        let bounds = binding.check();
        bounds.map_err(|error| ("binding", error.to_string()))?;
        Ok(binding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_addresses_and_origins_are_read() {
        let read = |json| {
            serde_json::from_str::<BindingRequest>(json)
                .unwrap()
                .into_binding()
        };
        let binding = read(
            r#"{"clients": ["192.0.2.0/24", "2001:db8::1"], "origins": ["https://cloud.example"]}"#,
        );
        let binding = binding.unwrap();
        assert_eq!(binding.clients[1].to_string(), "2001:db8::1/128");
        assert_eq!(binding.origins.len(), 1);
        assert_eq!(read("{}"), Ok(Binding::default()));
        let (field, _) = read(r#"{"clients": ["everywhere"]}"#).unwrap_err();
        assert_eq!(field, "binding.clients");
        let (field, _) = read(r#"{"origins": ["cloud.example"]}"#).unwrap_err();
        assert_eq!(field, "binding.origins");
    }
}
