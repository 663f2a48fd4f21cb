//! The manifests against the schemas of the API.

use std::path::{Path, PathBuf};

use crate::{output, validator};

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

/// What `kubectl apply -k` would send for an overlay.
fn rendered(overlay: &str) -> String {
    let mut command = validator("kubectl");
    let said = output(command.arg("kustomize").arg(folder().join(overlay)));
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

#[test]
#[ignore = "needs kubectl and a validator: make deploy-test"]
fn every_manifest_fits_the_schemas() {
    for overlay in ["overlays/ingress", "overlays/tls"] {
        let text = rendered(overlay);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        for version in VERSIONS {
            let mut command = validator("kubernetes-validate");
            command.args(["--strict", "-k", version]).arg(file.path());
            let said = output(&mut command);
            assert!(said.status.success(), "{overlay}, {version}: {said:?}");
        }
        // What the patches and the component change is there, and nothing that they do not.
        for kept in [
            "FANLIGHT_PUBLIC_URL",
            "FANLIGHT_STORE_URL",
            "/run/secrets/fanlight",
            "/run/secrets/redis",
            "readOnlyRootFilesystem: true",
            "path: /readyz",
        ] {
            assert!(text.contains(kept), "no {kept} in {overlay}:\n{text}");
        }
        let https = text.matches("scheme: HTTPS").count();
        assert_eq!(https, if overlay.ends_with("tls") { 3 } else { 0 });
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
