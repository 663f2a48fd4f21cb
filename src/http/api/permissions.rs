//! `permissions` in the API: what the viewer may do.

use serde::Deserialize;

use crate::rfb::permissions::{Clipboard, DEFAULT_TO_MACHINE, MAX_TO_MACHINE, Permissions};

/// What is absent is as usual.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PermissionsRequest {
    view_only: bool,
    clipboard: Option<Ways>,
    clipboard_to_machine_max: u32,
    clipboard_from_machine_max: Option<u32>,
    resize: bool,
    power: bool,
}

/// The ways that text may go.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ways {
    None,
    ToMachine,
    FromMachine,
    Both,
}

impl Default for PermissionsRequest {
    fn default() -> Self {
        let Permissions {
            view_only,
            resize,
            power,
            ..
        } = Permissions::default();
        Self {
            view_only,
            clipboard: None,
            clipboard_to_machine_max: DEFAULT_TO_MACHINE,
            clipboard_from_machine_max: None,
            resize,
            power,
        }
    }
}

impl PermissionsRequest {
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn into_permissions(self) -> Result<Permissions, (&'static str, String)> {
        let to_machine = self.clipboard_to_machine_max;
        if !(1..=MAX_TO_MACHINE).contains(&to_machine) {
            let words = format!("a number of bytes from 1 to {MAX_TO_MACHINE}");
            return Err(("permissions.clipboard_to_machine_max", words));
        }
        let from_machine = self.clipboard_from_machine_max;
        if from_machine == Some(0) {
            let words = "a number of bytes from 1".to_owned();
            return Err(("permissions.clipboard_from_machine_max", words));
        }
        let ways = self.clipboard.unwrap_or(match self.view_only {
            true => Ways::None,
            false => Ways::Both,
        });
        let to = matches!(ways, Ways::ToMachine | Ways::Both);
        let from = matches!(ways, Ways::FromMachine | Ways::Both);
        Ok(Permissions {
            view_only: self.view_only,
            clipboard: Clipboard {
                to_machine: if to { to_machine } else { 0 },
                from_machine: if from {
                    from_machine.unwrap_or(Clipboard::UNBOUNDED)
                } else {
                    0
                },
            },
            resize: self.resize,
            power: self.power,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Permissions, (&'static str, String)> {
        serde_json::from_str::<PermissionsRequest>(json)
            .unwrap()
            .into_permissions()
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        assert_eq!(read("{}"), Ok(Permissions::default()));
        let clipboard = |json| read(json).unwrap().clipboard;
        assert_eq!(clipboard(r#"{"clipboard": "none"}"#), Clipboard::NONE);
        let one = clipboard(r#"{"clipboard": "from_machine", "clipboard_from_machine_max": 9}"#);
        assert_eq!((one.to_machine, one.from_machine), (0, 9));
        let other = clipboard(r#"{"clipboard": "to_machine", "clipboard_to_machine_max": 9}"#);
        assert_eq!((other.to_machine, other.from_machine), (9, 0));
        let all = read(r#"{"view_only": true, "resize": false, "power": true}"#).unwrap();
        assert!(all.view_only && !all.resize && all.power);
        assert_eq!(all.clipboard, Clipboard::NONE);
        let copying = clipboard(r#"{"view_only": true, "clipboard": "from_machine"}"#);
        assert_eq!(copying.from_machine, Clipboard::UNBOUNDED);
    }

    #[test]
    fn bounds_hold() {
        for (json, field) in [
            (r#"{"clipboard_to_machine_max": 0}"#, "to"),
            (r#"{"clipboard_to_machine_max": 1048577}"#, "to"),
            (r#"{"clipboard_from_machine_max": 0}"#, "from"),
        ] {
            let (named, _) = read(json).unwrap_err();
            assert_eq!(named, format!("permissions.clipboard_{field}_machine_max"));
        }
        assert!(serde_json::from_str::<PermissionsRequest>(r#"{"clipboard": "all"}"#).is_err());
        assert!(serde_json::from_str::<PermissionsRequest>(r#"{"keys": true}"#).is_err());
    }
}
