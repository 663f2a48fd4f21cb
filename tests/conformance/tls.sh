#!/bin/sh
# Lets sslyze (Mozilla's configuration "intermediate") and testssl look at the TLS of a gateway of its
# own, with a certificate as an authority would give it: nothing above "low" may be found.
#
# Needs Python 3 and the package testssl.sh; sslyze goes into a folder below target/.
set -eu

VERSION=6.3.1
cd "$(dirname "$0")/../.."
work=target/tmp/tls
rm -rf "$work/run"
mkdir -p "$work/run"
if ! "$work/venv/bin/pip" show sslyze 2>/dev/null | grep -q "Version: $VERSION"; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" --disable-pip-version-check install --quiet "sslyze==$VERSION"
fi
command -v testssl >/dev/null || { echo 'tls: testssl is missing (package testssl.sh)' >&2; exit 1; }

cargo build --locked --quiet
fanlight=$PWD/target/debug/fanlight
venv=$PWD/$work/venv/bin
cd "$work/run"
# An authority, and a certificate by its hand: of the age, with the names and the list of what was
# revoked that scanners want.
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
cat >extensions <<'END'
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost,IP:127.0.0.1
crlDistributionPoints = URI:http://authority.invalid/list.crl
END
# shellcheck disable=SC2086 # a list of words
{
    openssl req -x509 $curve -keyout ca.key -out ca.pem -days 3650 -subj '/CN=Authority of a test' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
    openssl req $curve -keyout key.pem -out request.pem -subj /CN=localhost
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 89 \
        -extfile extensions -out certificate.pem
} 2>made || { cat made >&2; exit 1; }
cat >fanlight.toml <<'END'
listen = "127.0.0.1:0"
state_dir = "state"
[tls]
mode = "on"
certificate_file = "certificate.pem"
key_file = "key.pem"
# Scanners connect much faster than browsers.
[limits]
connections_per_client = "1000000/s"
[log]
format = "json"
END

"$fanlight" serve --config fanlight.toml >log 2>&1 &
gateway=$!
trap 'kill "$gateway" 2>/dev/null || true' EXIT
port=
for _ in $(seq 1 100); do
    port=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' log | head -n 1)
    [ -n "$port" ] && break
    kill -0 "$gateway" || { cat log >&2; exit 1; }
    sleep 0.1
done

status=0
PYTHONWARNINGS=ignore "$venv/sslyze" --mozilla_config=intermediate --certinfo_ca_file ca.pem "localhost:$port" >sslyze.txt || status=$?
grep -q 'OK - Compliant' sslyze.txt || status=1
[ "$status" -eq 0 ] || cat sslyze.txt
tail -n 3 sslyze.txt

testssl --quiet --color 0 --add-ca ca.pem --ip one --jsonfile testssl.json "https://localhost:$port" \
    </dev/null >testssl.txt || true
# A scan that broke off has found nothing either. A warning is what testssl could not find out, on a busy
# machine for example: it is shown, and is no finding.
"$venv/python" - testssl.json <<'END' || status=1
import collections, json, sys
findings = json.load(open(sys.argv[1]))
print("testssl:", dict(collections.Counter(it["severity"] for it in findings)))
bad = [it for it in findings if it["severity"] not in ("OK", "INFO", "LOW", "WARN")]
for it in findings:
    if it["severity"] not in ("OK", "INFO"):
        print(it["severity"], it["id"], it["finding"])
last = any(it["id"].startswith("clientsimulation") for it in findings)
sys.exit(bool(bad) or not last)
END
kill -0 "$gateway" || { cat log >&2; exit 1; }
exit "$status"
