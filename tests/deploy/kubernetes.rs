//! The manifests against the schemas of the API.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::output;

/// The versions whose schemas the manifests have to fit: the oldest that the validator knows how to
/// take these manifests, and a late one.
const VERSIONS: [&str; 2] = ["1.27", "1.33"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn is_kustomization(path: &Path) -> bool {
    path.ends_with("kustomization.yaml")
}

/// Needs `kubernetes-validate` from PyPI: `make deploy-test` puts it where KUBERNETES_VALIDATE says.
#[test]
#[ignore = "needs a validator: make deploy-test"]
fn every_manifest_fits_the_schemas() {
    let validator = std::env::var_os("KUBERNETES_VALIDATE").expect("make deploy-test sets it");
    let yaml = |path: &PathBuf| path.extension().is_some_and(|it| it == "yaml");
    let manifests: Vec<_> = files(&folder())
        .into_iter()
        .filter(|path| yaml(path) && !is_kustomization(path))
        .collect();
    assert!(manifests.len() >= 5, "{manifests:?}");
    for version in VERSIONS {
        let mut command = Command::new(&validator);
        command.args(["--strict", "-k", version]).args(&manifests);
        let said = output(&mut command);
        assert!(said.status.success(), "{version}: {said:?}");
    }
}

/// Whatever a kustomization names is there, and whatever is there is named.
#[test]
fn kustomizations_name_every_file() {
    let files = files(&folder());
    for kustomization in files.iter().filter(|path| is_kustomization(path)) {
        let text = std::fs::read_to_string(kustomization).unwrap();
        let folder = kustomization.parent().unwrap();
        let beside = files.iter().filter(|path| path.parent() == Some(folder));
        for file in beside.filter(|path| !is_kustomization(path)) {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(
                text.contains(name),
                "{kustomization:?} does not name {name}"
            );
        }
        let named = text.lines().filter_map(|line| {
            let word = line.trim().trim_start_matches("- ");
            word.strip_prefix("path: ").or(Some(word)).filter(|it| {
                it.starts_with("../")
                    || it.ends_with(".yaml")
                    || it.ends_with(".json")
                    || it.ends_with(".toml")
            })
        });
        for name in named {
            assert!(folder.join(name).exists(), "{kustomization:?} names {name}");
        }
    }
}
