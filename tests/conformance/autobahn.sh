#!/bin/sh
# Runs the Autobahn WebSocket suite against the gateway's codec (tests/autobahn.rs).
#
# The suite is Python 2 code. This takes the Python 2.7 named by $PYTHON27, the one in the path, or
# one that pyenv keeps, and installs the suite into target/autobahn once.
set -eu
cd "$(dirname "$0")/../.."

python=
for candidate in "${PYTHON27:-}" python2.7 python2 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7; do
    # A name in the path may be a shim with nothing behind it: only running it tells.
    if [ -n "$candidate" ] &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "conformance: no Python 2.7 here, and the Autobahn suite needs one." >&2
    echo "Install it (for instance: pyenv install 2.7.18), or name it in PYTHON27." >&2
    exit 1
fi

suite=$PWD/target/autobahn
if [ ! -d "$suite" ]; then
    echo "conformance: installing the suite into $suite"
    rm -rf "$suite.part"
    "$python" -m pip --no-python-version-warning install --quiet --target "$suite.part" autobahntestsuite==0.8.2
    # Without this file the installed namespace package does not import.
    touch "$suite.part/zope/__init__.py"
    mv "$suite.part" "$suite"
fi

AUTOBAHN_PYTHON=$python AUTOBAHN_SUITE=$suite exec \
    cargo test --locked --test autobahn -- --ignored --nocapture
