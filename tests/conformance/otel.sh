#!/bin/sh
# Sends a console's trace to Rotel, a collector of OpenTelemetry that others have written.
#
# Installs it into target/rotel once, with the Python named by $PYTHON, or python3.
set -eu
cd "$(dirname "$0")/../.."

VERSION=0.0.1a15
rotel=$PWD/target/rotel
if [ ! -e "$rotel/$VERSION" ]; then
    echo "conformance: installing Rotel into $rotel"
    rm -rf "$rotel"
    "${PYTHON:-python3}" -m venv "$rotel"
    "$rotel/bin/python" -m pip --disable-pip-version-check install --quiet "rotel==$VERSION"
    touch "$rotel/$VERSION"
fi

ROTEL=$(ls "$rotel"/lib/python*/site-packages/rotel/rotel-agent) \
    cargo test --locked --features otel --test otel -- --ignored --nocapture rotel
