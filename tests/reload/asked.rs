//! Through the API and from the command line.

use fanlight::reason::Reason;
use serde_json::{Value, json};

use super::common::gateway::TestGateway;
use super::common::http::Request;
use super::common::net::Family;
use super::common::rfb_client::Viewer;
use super::common::rfb_server::Manners;
use super::common::wait::{until, within};
use super::{ANSWERED, OTHER_KEY, api_key, ask, command, goes_on, refused};

#[tokio::test]
async fn who_asks_through_the_api_is_answered_when_it_holds() {
    let host = Manners::default().host(Family::V4).await;
    let builder = TestGateway::builder().set("audit.to", "audit.log");
    let mut gateway = builder.start().await;
    let minted = gateway.mint_times(2, host.address, "").await;
    let mut running = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("log.level", "info");
        settings.set("limits.sessions", 7);
        let ours = api_key("ours", TestGateway::API_KEY, &["admin"]);
        let other = api_key("other", OTHER_KEY, &["mint", "sessions:end"]);
        settings.set("api.keys", vec![ours, other]);
    });
    let other = |gateway: &TestGateway, method, path| {
        let bearer = format!("Bearer {OTHER_KEY}");
        let request = Request::new(gateway.address, method, path);
        request.header("authorization", &bearer)
    };
    let path = "/api/v1/reload";
    let unknown = other(&gateway, "POST", path).send().await;
    assert_eq!(unknown.status, 401, "{}", unknown.text());

    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = json!({
        "changed": ["api.keys", "targets.deny", "log.level"],
        "needs_restart": ["limits.sessions"],
        "kept": [],
    });
    assert_eq!(answer.json(), said);
    let newcomer = Viewer::open(&gateway, &minted).await.err().unwrap();
    assert_eq!(newcomer.end, refused(Reason::TargetRefused));
    goes_on(&mut running, &host).await;
    let again = ask(&gateway).await.json();
    assert_eq!(again["changed"], json!([]), "{again}");
    assert_eq!(again["needs_restart"], json!(["limits.sessions"]));

    // The new key is known, and is no admin's.
    let ends = other(&gateway, "DELETE", "/api/v1/consoles/0").send().await;
    assert_eq!(ends.json()["code"], "invalid_parameter");
    let forbidden = other(&gateway, "POST", path).send().await;
    assert_eq!(forbidden.status, 403, "{}", forbidden.text());
    assert_eq!(forbidden.json()["code"], "missing_scope");

    let log = gateway.file("audit.log");
    let reloads = until("the audit log tells of both", ANSWERED, async || {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines = text.lines().map(|it| serde_json::from_str(it).unwrap());
        let reloads: Vec<Value> = lines.filter(|it: &Value| it["act"] == "reload").collect();
        (reloads.len() == 2).then_some(reloads).ok_or(text)
    })
    .await;
    let (first, second) = (&reloads[0], &reloads[1]);
    assert_eq!(
        (&first["key"], &second["key"]),
        (&json!("tests"), &json!("ours"))
    );
    assert_eq!(first["client"], "127.0.0.1");
    let detail = "changed: api.keys, targets.deny, log.level; needs a restart: limits.sessions";
    assert_eq!(first["detail"], detail);
}

#[tokio::test]
async fn who_asks_at_once_is_taken_in_turn() {
    let mut gateway = TestGateway::start().await;
    gateway.configure(|settings| settings.set("tokens.connect_within", "2m"));
    let asking = futures_util::future::join_all((0..8).map(|_| ask(&gateway)));
    let answers = within("all answers", ANSWERED, asking).await;
    let mut changed: Vec<Value> = Vec::new();
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        changed.extend(answer.json()["changed"].as_array().unwrap().clone());
    }
    assert_eq!(changed, ["tokens.connect_within"], "one found it changed");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_place_and_changes_nothing() {
    const SECRET: &str = "hunter2-in-the-wrong-place";
    let host = Manners::default().host(Family::V4).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_times(2, host.address, "").await;
    let mut running = Viewer::open(&gateway, &minted).await.unwrap();
    gateway.configure(|settings| {
        settings.set("targets.deny", vec!["127.0.0.0/8"]);
        settings.set("limits.sessions", "many");
        settings.set("store.kind", "redis");
        settings.set("store.url", format!("redis://:{SECRET}@store.example"));
        settings.set("tokens.conect_within", "2m");
        let key = toml::Table::from_iter([
            ("name".to_owned(), "spoilt".into()),
            ("hash".to_owned(), format!("sha256:{SECRET}").into()),
        ]);
        settings.set("api.keys", vec![toml::Value::Table(key)]);
    });
    let answer = ask(&gateway).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    let problem = answer.json();
    assert_eq!(problem["code"], "config_invalid");
    let errors = problem["errors"].as_array().unwrap();
    let about = |setting: &str| {
        let mut errors = errors.iter().filter(|error| error["setting"] == setting);
        let error = errors
            .next()
            .unwrap_or_else(|| panic!("{setting}: {problem}"));
        assert!(errors.next().is_none(), "{setting}: {problem}");
        let place = error["place"].as_str().unwrap();
        assert!(place.contains("fanlight.toml:"), "{error}");
        error["message"].as_str().unwrap().to_owned()
    };
    let unknown = about("tokens.conect_within");
    assert_eq!(
        unknown,
        "is not a setting; did you mean tokens.connect_within?"
    );
    for setting in ["limits.sessions", "store.url", "api.keys"] {
        assert!(!about(setting).is_empty());
    }
    assert_eq!(errors.len(), 4, "{problem}");

    let output = command(&gateway, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("everything stays as it was"), "{told}");
    assert_eq!(told.lines().count(), 1 + errors.len(), "{told}");
    assert!(
        told.contains("tokens.conect_within: is not a setting"),
        "{told}"
    );
    for text in [problem.to_string(), told] {
        assert!(!text.contains(SECRET), "{text}");
    }
    gateway.assert_log_has_no(SECRET);

    // The key of before is still good, and so are the targets.
    goes_on(&mut running, &host).await;
    let opened = Viewer::open(&gateway, &minted).await;
    assert!(opened.is_ok(), "{:?}", opened.err());

    gateway.configure(|settings| {
        settings.remove("store");
        settings.remove("tokens.conect_within");
        settings.set("limits.sessions", 7);
        let ours = api_key("tests", TestGateway::API_KEY, &["admin"]);
        settings.set("api.keys", vec![ours]);
    });
    let output = command(&gateway, &[]);
    assert!(output.status.success(), "{output:?}");
    let told = "changed: targets.deny\nneeds a restart: limits.sessions\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);
    gateway.configure(|settings| settings.set("limits.sessions", 5000));
    let output = command(&gateway, &[]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "nothing has changed\n"
    );
    let json: Value = serde_json::from_slice(&command(&gateway, &["--json"]).stdout).unwrap();
    assert_eq!(
        json,
        json!({ "changed": [], "needs_restart": [], "kept": [] })
    );
}

#[tokio::test]
async fn a_key_ring_that_is_no_good_is_told_of() {
    let gateway = TestGateway::start().await;
    let file = gateway.file("state/keyring");
    let ring = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "no ring\n").unwrap();
    let output = command(&gateway, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "nothing has changed\n"
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("stays as it was: key_ring: "), "{told}");
    std::fs::write(&file, ring).unwrap();
    let output = command(&gateway, &[]);
    assert!(output.status.success(), "{output:?}");
}
