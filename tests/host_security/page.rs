//! The rows as `docs/hosts.md` shows them.

use std::path::Path;

use fanlight::reason::Reason;
use fanlight::rfb::security::SecurityType;

use super::table::{Row, rows};

const START: &str = "<!-- The test host_security writes and checks this table. -->\n";
const END: &str = "<!-- The end of the table. -->\n";

#[test]
fn the_page_claims_what_is_tested_and_nothing_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hosts.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).expect("the table's start");
    let (_, after) = rest.split_once(END).expect("the table's end");
    let written = format!("{before}{START}{}{END}{after}", table());
    if std::env::var_os("UPDATE_HOSTS").is_some() {
        std::fs::write(&path, &written).unwrap();
    } else {
        assert!(
            page == written,
            "docs/hosts.md does not show the rows: UPDATE_HOSTS=1 cargo test --test host_security claims"
        );
    }
}

fn table() -> String {
    let mut text = "| server | started with | RFB | offers | logged in with | wrong login | certificate of another authority |\n|---|---|---|---|---|---|---|\n".to_owned();
    for row in rows() {
        text.push_str(&line(&row));
    }
    text
}

fn line(row: &Row) -> String {
    let offers: Vec<String> = row
        .offers
        .iter()
        .map(|number| SecurityType(*number).to_string())
        .collect();
    let end = match row.end {
        Ok(method) => format!("`{method}`"),
        Err(reason) => format!("refused: `{reason}`"),
    };
    let where_allowed = if row.clear_text {
        ", where clear text is allowed"
    } else {
        ""
    };
    let refused = |is_tried: bool, reasons: &[Reason]| {
        let reasons = if is_tried { reasons } else { &[] };
        let codes: Vec<_> = reasons.iter().map(|it| format!("`{it}`")).collect();
        codes.join(" or ")
    };
    format!(
        "| {} | {} | {} | {} | {end}{where_allowed} | {} | {} |\n",
        row.server.name(),
        row.server.started_with(),
        row.version,
        offers.join(", "),
        refused(row.asks_for_a_login(), row.wrong_login),
        refused(row.shows_a_certificate(), &[Reason::HostTlsVerify]),
    )
}
