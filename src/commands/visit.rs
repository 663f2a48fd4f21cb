//! The machine that a command speaks of, as a grant would say it.

use super::password;
use crate::cli::{IdentityArgs, SecurityArgs, TargetArgs};
use crate::host::visit::Visit;
use crate::rfb::identity::Identity;
use crate::rfb::login::Login;
use crate::rfb::terms::Terms;
use crate::target::{Endpoint, Target, Way};
use crate::token::Credentials;

/// Reads what the flags name.
pub(super) fn visit(
    args: TargetArgs,
    security: &SecurityArgs,
    identity: IdentityArgs,
) -> anyhow::Result<Visit> {
    let endpoint = Endpoint {
        host: args.host,
        port: args.port,
    };
    let way = if args.tls {
        Way::Tls(endpoint)
    } else {
        Way::Tcp(endpoint)
    };
    let password = args.password_file.as_deref();
    let visit = Visit {
        target: Target {
            way,
            profile: args.profile,
        },
        credentials: Credentials {
            login: Login {
                username: args.username,
                password: password.map(password::read).transpose()?,
                xvp_target: args.xvp_target,
                repeater_id: args.repeater_id,
                ..Login::default()
            },
            ..Credentials::default()
        },
        terms: Terms {
            require_tls: security.require_tls,
            allow_clear_text: security.allow_clear_text,
            refuse_none: security.refuse_none,
        },
        identity: Identity {
            certificates: identity.pin_certificate,
            ra2_key: identity.pin_ra2_key,
            desktop_name: identity.pin_desktop_name,
            machine_uuid: identity.pin_machine_uuid,
        },
        without: &[],
    };
    visit.credentials.check()?;
    visit.identity.check()?;
    Ok(visit)
}
