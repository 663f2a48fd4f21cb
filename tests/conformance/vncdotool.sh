#!/bin/sh
# Logs in with vncdotool, which speaks Apple's ARD, to the host that the gateway's ARD is tested
# against (tests/host_logins.rs).
#
# This takes the Python named by $PYTHON, or python3, and installs vncdotool into target/vncdotool
# once.
set -eu
cd "$(dirname "$0")/../.."

client=$PWD/target/vncdotool
if [ ! -x "$client/bin/vncdo" ]; then
    echo "conformance: installing vncdotool into $client"
    rm -rf "$client"
    "${PYTHON:-python3}" -m venv "$client"
    "$client/bin/python" -m pip --disable-pip-version-check install --quiet vncdotool==1.4.2
fi

VNCDO=$client/bin/vncdo exec \
    cargo test --locked --test host_logins -- --ignored --nocapture vncdotool
