#!/bin/sh
# Runs schemathesis over the OpenAPI document of a gateway of its own: requests made up from the
# document, right and wrong ones, whose answers have to be as the document says.
#
# Needs Python 3.10 or newer; schemathesis goes into a folder below target/. SEED repeats a run.
set -eu

VERSION=4.32.5
cd "$(dirname "$0")/../.."
settings=$PWD/tests/conformance/schemathesis.toml
work=$PWD/target/tmp/schemathesis
rm -rf "$work/run"
mkdir -p "$work/run"

if ! "$work/venv/bin/schemathesis" --version 2>/dev/null | grep -q "$VERSION"; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet "schemathesis==$VERSION"
fi

cargo build --locked --quiet
fanlight=$PWD/target/debug/fanlight
key=$("$fanlight" keys api --name schemathesis --scope admin)
secret=$(printf '%s\n' "$key" | sed -n 2p)
line=$(printf '%s\n' "$key" | sed -n 4p)
cat >"$work/run/fanlight.toml" <<END
listen = "127.0.0.1:0"
state_dir = "state"
[api]
keys = [$line]
[audit]
to = "audit.log"
[log]
format = "json"
END

"$fanlight" serve --config "$work/run/fanlight.toml" >"$work/run/log" 2>&1 &
gateway=$!
trap 'kill "$gateway" 2>/dev/null || true' EXIT
address=
for _ in $(seq 1 100); do
    address=$(sed -n 's/.*"address":"\([0-9.:]*\)".*/\1/p' "$work/run/log" | head -n 1)
    [ -n "$address" ] && break
    kill -0 "$gateway" || { cat "$work/run/log" >&2; exit 1; }
    sleep 0.1
done

# It leaves a folder where it runs: .schemathesis.
cd "$work/run"
status=0
"$work/venv/bin/schemathesis" --config-file "$settings" \
    run "http://$address/api/openapi.json" --url "http://$address" \
    --header "Authorization: Bearer $secret" \
    --max-examples "${EXAMPLES:-100}" ${SEED:+--seed "$SEED"} || status=$?

# Every line of the audit log has to be there, whatever was asked.
kill "$gateway"
wait "$gateway" || true
trap - EXIT
"$fanlight" audit verify "$work/run/audit.log"
if grep -q -e "$secret" -e '"level":"ERROR"' -e panicked "$work/run/log"; then
    echo 'schemathesis: the gateway logged an error, or the key' >&2
    exit 1
fi
exit "$status"
