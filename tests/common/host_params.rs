//! What the library is told when a test reaches hosts through it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fanlight::drive::Deadlines;
use fanlight::host::profile::{Profile, Profiles};
use fanlight::host::ra2_key::Ra2Key;
use fanlight::host::targets::Targets;
use fanlight::host::{Params, courtesy};
use fanlight::rfb::policy::Policy;
use fanlight::target::TargetRules;
use fanlight::tls::connect::{Connector, Trust};

/// One profile with this policy, which believes this authority if any, and so much time for each
/// step; hosts on this
/// machine, and no Unix sockets.
pub fn with(policy: Policy, ca_file: Option<&Path>, step: Duration) -> Params {
    let trust = Trust {
        ca_file: ca_file.map(Path::to_owned),
        ..Trust::default()
    };
    let tls = Connector::new(&trust).unwrap();
    Params {
        targets: Targets {
            rules: TargetRules {
                allow: ["127.0.0.0/8", "::1"].map(|it| it.parse().unwrap()).into(),
                deny: Vec::new(),
            },
            own_listeners: Vec::new(),
        },
        connect: step,
        handshake: Deadlines::all(step),
        profiles: Profiles::new(Profile { policy, tls }, BTreeMap::new()),
        courtesy: courtesy::Params::default(),
        unix_root: None,
        ra2_key: Ra2Key::default(),
    }
}
