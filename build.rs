//! Checks that the web assets were built, and tells the code their hashed names.
//!
//! `make assets` writes `static/dist/manifest.json`, which maps a logical name such as
//! `console.js` to the file that holds it, such as `console-3aa162a0d12748ec.js`. Each becomes a
//! variable for `env!`: `ASSET_CONSOLE_JS`.

use std::collections::BTreeMap;
use std::path::Path;

fn main() {
    let manifest = Path::new("static/dist/manifest.json");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", manifest.display());
    match read(manifest) {
        Ok(assets) => {
            for (name, file) in assets {
                let variable = name.replace(['.', '-'], "_").to_ascii_uppercase();
                println!("cargo::rustc-env=ASSET_{variable}={file}");
            }
        }
        Err(problem) => {
            println!("cargo::error=the web assets are not built: run `make assets` ({problem})");
        }
    }
}

/// The manifest, if it is whole: every file that it names is there.
fn read(manifest: &Path) -> Result<BTreeMap<String, String>, String> {
    let shown = manifest.display();
    let text = std::fs::read_to_string(manifest).map_err(|error| format!("{shown}: {error}"))?;
    let assets: BTreeMap<String, String> =
        serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    for file in assets.values() {
        if !manifest.with_file_name("assets").join(file).is_file() {
            return Err(format!("{shown} names {file}, which is missing"));
        }
    }
    Ok(assets)
}
