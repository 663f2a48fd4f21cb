//! Flags for from where a console may be opened.

use clap::Args;
use ipnet::IpNet;

use crate::network;
use crate::origin::Origin;
use crate::token::binding::Binding;

/// What a console is bound to, beside the configuration.
#[derive(Clone, Debug, Args)]
pub struct BindingArgs {
    /// Only from this network or address, such as 192.0.2.0/24; can be given more than once.
    #[arg(long = "client", value_name = "NETWORK", value_parser = client)]
    pub clients: Vec<IpNet>,
    /// Only from a page of this origin, such as https://cloud.example; can be given more than once.
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub origins: Vec<Origin>,
}

impl From<BindingArgs> for Binding {
    fn from(args: BindingArgs) -> Self {
        Self {
            clients: args.clients,
            origins: args.origins,
        }
    }
}

fn client(text: &str) -> Result<IpNet, &'static str> {
    network::parse(text).ok_or("expected a network or an address such as 192.0.2.0/24")
}
