//! Two gateways and a Redis, as `deploy/compose.yaml` has them: read by Compose itself, then started
//! as it says, without containers.

use std::path::Path;
use std::process::Command;

use fanlight::reason::Reason;
use serde_json::Value;

use crate::common::gateway::TestGateway;
use crate::common::http::Request;
use crate::common::net::Family;
use crate::common::redis::RedisServer;
use crate::common::rfb_client::Viewer;
use crate::common::rfb_server::Manners;
use crate::common::websocket::End;
use crate::{output, sample, validator};

/// Where the containers find their secrets.
const SECRETS: &str = "/run/secrets";

/// The commands that stand in the file's comment, with which an operator makes the secrets. Owners
/// are for containers alone.
fn commands() -> String {
    let text = sample("compose.yaml");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("#     "))
        .filter(|line| !line.starts_with("chown"));
    let from = lines.skip_while(|line| !line.starts_with("mkdir secrets"));
    let taken: Vec<_> = from
        .take_while(|line| !line.starts_with("fanlight keys api"))
        .collect();
    assert!(taken.len() > 5, "{taken:?}");
    taken.join("\n")
}

/// The file as Compose reads it: variables, merges and all.
fn read(api_keys: &str) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/compose.yaml");
    let mut command = validator("docker-compose");
    command.args(["-f", file, "config", "--format", "json"]);
    let said = output(command.env("FANLIGHT_API_KEYS", api_keys));
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    serde_json::from_slice(&said.stdout).unwrap()
}

/// A service's variables, with what is particular to containers in the terms of this machine.
fn variables(service: &Value, secrets: &Path, redis: &RedisServer) -> Vec<(String, String)> {
    let here = |value: &Value| {
        let value = value.as_str().unwrap();
        value
            .replace(SECRETS, secrets.to_str().unwrap())
            .replace("//redis:6379", &format!("//127.0.0.1:{}", redis.port))
    };
    let all = service["environment"].as_object().unwrap();
    all.iter()
        .map(|(name, value)| (name.clone(), here(value)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Compose: make deploy-test"]
async fn the_gateways_of_the_compose_file_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_fanlight")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", &commands()]).current_dir(dir.path());
    let made = output(shell.env("PATH", path));
    assert!(made.status.success(), "{made:?}");
    let secrets = dir.path().join("secrets");

    let key = TestGateway::api_key_hash();
    let services = &read(&format!("tests={key}"))["services"];
    let command = services["redis"]["command"].as_array().unwrap();
    let mut command = command.iter().map(|word| word.as_str().unwrap().to_owned());
    assert_eq!(command.next().unwrap(), "redis-server");
    let options: Vec<_> = command
        .map(|word| word.replace(SECRETS, secrets.to_str().unwrap()))
        .collect();
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let redis = RedisServer::start(&options).await;

    let mut gateways = Vec::new();
    for name in ["one", "two"] {
        let variables = variables(&services[name], &secrets, &redis);
        let builder = variables
            .into_iter()
            .fold(TestGateway::builder(), |builder, (name, value)| {
                builder.env(name, value)
            });
        let gateway = builder.start().await;
        let ready = Request::get(gateway.address, "/readyz").send().await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        gateways.push(gateway);
    }
    let [one, two] = &gateways[..] else {
        unreachable!("there are two")
    };

    let host = Manners::default().host(Family::V4).await;
    let minted = one.mint_open(host.address).await;
    let viewer = Viewer::open(two, &minted).await;
    assert!(viewer.is_ok(), "the other opens what one has minted");
    let again = Viewer::open(one, &minted).await;
    let used = End::Close {
        code: Reason::TokenUsed.close_code(),
        reason: Reason::TokenUsed.code().to_owned(),
    };
    assert_eq!(again.err().unwrap().end, used);
}
