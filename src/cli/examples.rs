//! What `--help` shows last.

pub(super) const SERVE: &str = "\
Examples:
  fanlight serve --config fanlight.toml
  fanlight serve --listen '[::]:8080' --public-url https://console.example";

pub(super) const DEMO: &str = "\
Examples:
  fanlight demo
  fanlight demo --open --listen 127.0.0.1:9000";

pub(super) const HEALTH: &str = "\
Examples:
  fanlight health --config fanlight.toml
  fanlight health --ready --listen 127.0.0.1:8080";

pub(super) const PROBE: &str = "\
Examples:
  fanlight probe --host 10.0.0.5 --port 5901
  fanlight probe --host hypervisor-7.example --port 5901 --password-file web-01.password
  fanlight probe --host 10.0.0.5 --port 5901 --profile libvirt --config fanlight.toml
  fanlight probe --unix /run/vms/web-01.vnc --config fanlight.toml
  fanlight probe --tunnel 'https://xen-1/console?uuid=...' --cookie-file session";

pub(super) const KEYS: &str = "\
Examples:
  fanlight keys new
  fanlight keys api --name cloud";

pub(super) const KEYS_NEW: &str = "\
Examples:
  fanlight keys new
  FANLIGHT_STATE_DIR=./state fanlight keys new";

pub(super) const KEYS_LIST: &str = "\
Examples:
  fanlight keys list --config fanlight.toml";

pub(super) const KEYS_ROTATE: &str = "\
Examples:
  fanlight keys rotate --config fanlight.toml";

pub(super) const KEYS_API: &str = "\
Examples:
  fanlight keys api --name cloud
  fanlight keys api --name support --scope sessions:read --scope sessions:end";

pub(super) const MINT: &str = "\
Examples:
  fanlight mint --host 10.0.0.5 --port 5901 --password-file web-01.password --name web-01
  fanlight mint --host 10.0.0.5 --port 5901 --ttl 8h --label vm=web-01 --label user=ada
  fanlight mint --host 10.0.0.5 --port 5901 --profile libvirt --require-tls
  fanlight mint --host 10.0.0.5 --port 5901 --relay --ttl 5m
  fanlight mint --host 10.0.0.5 --port 5901 --client 192.0.2.0/24 --origin https://cloud.example
  fanlight mint --tunnel 'https://xen-1/console?uuid=...' --cookie-file session
  fanlight mint --websocket wss://cluster/... --subprotocol plain.kubevirt.io --header-file bearer
  vault read -field=password vnc/web-01 | fanlight mint --host 10.0.0.5 --port 5901 --password-file -";

pub(super) const RELOAD: &str = "\
Examples:
  fanlight reload --api http://127.0.0.1:8080 --key-file admin.key
  fanlight reload --api unix:/run/fanlight/api.sock --key-file admin.key
  fanlight reload --api https://console.example:8443 --cert admin.pem";

pub(super) const TOKEN: &str = "\
Examples:
  fanlight token inspect <console.url";

pub(super) const TOKEN_INSPECT: &str = "\
Examples:
  fanlight token inspect <console.url
  fanlight mint --host 10.0.0.5 --port 5901 | fanlight token inspect -";

pub(super) const CHECK_CONFIG: &str = "\
Examples:
  fanlight check-config --config fanlight.toml
  FANLIGHT_LISTEN='[::]:8080' fanlight check-config";

pub(super) const AUDIT: &str = "\
Examples:
  fanlight audit verify /var/log/fanlight/audit.log";

pub(super) const AUDIT_VERIFY: &str = "\
Examples:
  fanlight audit verify /var/log/fanlight/audit.log
  fanlight audit verify audit.log.2 audit.log.1 audit.log";

pub(super) const SESSIONS: &str = "\
Examples:
  fanlight sessions list --api https://console.example --key-file api.key";

pub(super) const SESSIONS_LIST: &str = "\
Examples:
  fanlight sessions list --api https://console.example --key-file api.key
  fanlight sessions list --label vm=web-01 --json --api https://console.example --key-file api.key";

pub(super) const SESSIONS_SHOW: &str = "\
Examples:
  fanlight sessions show 5f0c6a4be1d24a0f9a7e8c0d1b2a3f4e \\
    --api https://console.example --key-file api.key";

pub(super) const SESSIONS_PERMIT: &str = "\
Examples:
  fanlight sessions permit 5f0c6a4be1d24a0f9a7e8c0d1b2a3f4e --view-only true \\
    --api https://console.example --key-file api.key";

pub(super) const SESSIONS_PRESS: &str = "\
Examples:
  fanlight sessions press 5f0c6a4be1d24a0f9a7e8c0d1b2a3f4e ctrl-alt-del \\
    --api https://console.example --key-file api.key";

pub(super) const SESSIONS_END: &str = "\
Examples:
  fanlight sessions end 5f0c6a4be1d24a0f9a7e8c0d1b2a3f4e \\
    --message 'Maintenance until five' --api https://console.example --key-file api.key";

pub(super) const CONSOLES: &str = "\
Examples:
  fanlight consoles revoke --label user=ada --api https://console.example --key-file api.key";

pub(super) const CONSOLES_REVOKE: &str = "\
Examples:
  fanlight consoles revoke 5f0c6a4be1d24a0f9a7e8c0d1b2a3f4e \\
    --api https://console.example --key-file api.key
  fanlight consoles revoke --label user=ada --api https://console.example --key-file api.key";
