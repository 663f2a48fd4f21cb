//! `permissions` in the API: what the viewer may do.

use serde::{Deserialize, Deserializer, Serialize};

use crate::http::api::whole::Whole;
use crate::rfb::permissions::{Clipboard, DEFAULT_TO_MACHINE, MAX_TO_MACHINE, Permissions};

/// What is absent stays as it was.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PermissionsRequest {
    #[serde(deserialize_with = "said")]
    view_only: Option<bool>,
    #[serde(deserialize_with = "said")]
    clipboard: Option<Ways>,
    #[serde(deserialize_with = "said")]
    clipboard_to_machine_max: Option<Whole<u32>>,
    #[serde(deserialize_with = "said")]
    clipboard_from_machine_max: Option<Whole<u32>>,
    #[serde(deserialize_with = "said")]
    resize: Option<bool>,
    #[serde(deserialize_with = "said")]
    power: Option<bool>,
}

/// The ways that text may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ways {
    None,
    ToMachine,
    FromMachine,
    Both,
}

/// What the API tells of permissions.
#[derive(Debug, Serialize)]
pub(super) struct PermissionsDocument {
    view_only: bool,
    clipboard: Ways,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_to_machine_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clipboard_from_machine_max: Option<u32>,
    resize: bool,
    power: bool,
}

impl PermissionsRequest {
    /// The permissions of a console that is minted.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn into_permissions(self) -> Result<Permissions, (&'static str, String)> {
        let mut usual = Permissions::default();
        if self.view_only == Some(true) {
            usual.clipboard = Clipboard::NONE;
        }
        self.over(usual)
    }

    /// Other permissions with what is said here in place of theirs. A way that is opened has the
    /// usual bound where none is said.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn over(self, was: Permissions) -> Result<Permissions, (&'static str, String)> {
        let to_machine = self.clipboard_to_machine_max.map(|Whole(most)| most);
        if to_machine.is_some_and(|most| !(1..=MAX_TO_MACHINE).contains(&most)) {
            let words = format!("a number of bytes from 1 to {MAX_TO_MACHINE}");
            return Err(("permissions.clipboard_to_machine_max", words));
        }
        let from_machine = self.clipboard_from_machine_max.map(|Whole(most)| most);
        if from_machine == Some(0) {
            let words = "a number of bytes from 1".to_owned();
            return Err(("permissions.clipboard_from_machine_max", words));
        }
        let ways = self.clipboard.unwrap_or(Ways::of(was.clipboard));
        let bound = |open: bool, said: Option<u32>, was: u32, usual: u32| match (open, was) {
            (false, _) => 0,
            (true, 0) => said.unwrap_or(usual),
            (true, was) => said.unwrap_or(was),
        };
        let to = matches!(ways, Ways::ToMachine | Ways::Both);
        let from = matches!(ways, Ways::FromMachine | Ways::Both);
        let Clipboard {
            to_machine: was_to,
            from_machine: was_from,
        } = was.clipboard;
        Ok(Permissions {
            view_only: self.view_only.unwrap_or(was.view_only),
            clipboard: Clipboard {
                to_machine: bound(to, to_machine, was_to, DEFAULT_TO_MACHINE),
                from_machine: bound(from, from_machine, was_from, Clipboard::UNBOUNDED),
            },
            resize: self.resize.unwrap_or(was.resize),
            power: self.power.unwrap_or(was.power),
        })
    }
}

impl PermissionsDocument {
    pub(super) fn new(permissions: Permissions) -> Self {
        let Permissions {
            view_only,
            clipboard,
            resize,
            power,
        } = permissions;
        let bounded = |most: u32| (!matches!(most, 0 | Clipboard::UNBOUNDED)).then_some(most);
        Self {
            view_only,
            clipboard: Ways::of(clipboard),
            clipboard_to_machine_max: bounded(clipboard.to_machine),
            clipboard_from_machine_max: bounded(clipboard.from_machine),
            resize,
            power,
        }
    }
}

impl Ways {
    const fn of(clipboard: Clipboard) -> Self {
        match (clipboard.to_machine > 0, clipboard.from_machine > 0) {
            (false, false) => Self::None,
            (true, false) => Self::ToMachine,
            (false, true) => Self::FromMachine,
            (true, true) => Self::Both,
        }
    }
}

/// What is there: not null, which serde takes for absent.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
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
    fn a_change_leaves_alone_what_it_does_not_name() {
        let change = |was: Permissions, json: &str| {
            let change: PermissionsRequest = serde_json::from_str(json).unwrap();
            change.over(was).unwrap()
        };
        let bounded = read(r#"{"clipboard_from_machine_max": 9, "power": true}"#).unwrap();
        assert_eq!(change(bounded, "{}"), bounded);
        let looking = change(bounded, r#"{"view_only": true}"#);
        let expected = Permissions {
            view_only: true,
            ..bounded
        };
        assert_eq!(looking, expected);
        assert_eq!(change(looking, r#"{"view_only": false}"#), bounded);
        let one_way = change(bounded, r#"{"clipboard": "from_machine", "power": false}"#);
        assert_eq!(
            (one_way.clipboard.to_machine, one_way.clipboard.from_machine),
            (0, 9)
        );
        assert!(!one_way.power && one_way.resize);
        // Nothing is known any more of the bound that a closed way had.
        let none = change(bounded, r#"{"clipboard": "none"}"#);
        let both = change(
            none,
            r#"{"clipboard": "both", "clipboard_to_machine_max": 7}"#,
        );
        assert_eq!(both.clipboard.to_machine, 7);
        assert_eq!(both.clipboard.from_machine, Clipboard::UNBOUNDED);
        assert!(serde_json::from_str::<PermissionsRequest>(r#"{"power": null}"#).is_err());
    }

    #[test]
    fn what_is_told_can_be_said() {
        for json in [
            r#"{"view_only":true,"clipboard":"none","resize":false,"power":true}"#,
            r#"{"view_only":false,"clipboard":"both","clipboard_to_machine_max":9,"clipboard_from_machine_max":8,"resize":true,"power":false}"#,
            r#"{"view_only":false,"clipboard":"from_machine","resize":true,"power":false}"#,
        ] {
            let told = PermissionsDocument::new(read(json).unwrap());
            assert_eq!(serde_json::to_string(&told).unwrap(), json);
        }
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
