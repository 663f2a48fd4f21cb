//! A real client of the API: curl, which scripts and people use.

use std::process::Command;

use serde_json::Value;

use super::gateway::TestGateway;

/// What curl was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.body))
    }
}

/// Runs curl with these arguments, a URL among them. Blocks meanwhile.
///
/// # Errors
/// What curl says where there was no answer.
pub fn curl(arguments: &[&str]) -> Result<Answer, String> {
    let mut command = Command::new("curl");
    command
        .args(["-sS", "--max-time", "20", "-w", "\n%{http_code}"])
        .args(arguments)
        .env_clear();
    let output = command.output().expect("curl runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let (body, status) = said.rsplit_once('\n').unwrap();
    Ok(Answer {
        status: status.parse().unwrap(),
        body: body.to_owned(),
    })
}

/// The same as somebody who has the tests' API key.
///
/// # Errors
/// What curl says where there was no answer.
pub fn curl_with_key(arguments: &[&str]) -> Result<Answer, String> {
    let key = format!("Authorization: Bearer {}", TestGateway::API_KEY);
    curl(&[&["-H", &key], arguments].concat())
}
