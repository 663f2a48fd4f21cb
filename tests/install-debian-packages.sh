#!/bin/sh
# Installs what the tests need beyond Rust, Node and make: a browser, real VNC servers, proxies, and
# what builds and runs the container image. Given packages, installs those instead.
# Only what is missing; with sudo when not root; nothing at all when everything is there.
set -eu

packages='chromium
qemu-system-x86 qemu-system-data seabios ipxe-qemu
tigervnc-standalone-server tigervnc-tools x11vnc tightvncserver xfonts-base
wayvnc sway sasl2-bin libsasl2-modules libpam-modules
xvfb xdotool xterm x11-utils
redis-server
haproxy nginx systemd python3-venv
buildah podman runc ca-certificates'
[ "$#" -eq 0 ] || packages=$*

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "make test installs Debian packages, and this system has no apt-get." >&2
    echo "Use Debian or Ubuntu, or install the counterparts of these yourself and run cargo test:" >&2
    echo "$packages" >&2
    exit 1
fi

missing=
for package in $packages; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These packages are missing, and installing them needs root or sudo:$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

echo "Installing:$missing"
# Another apt may be running on a machine that has just started: wait for it.
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600"
$apt update
# shellcheck disable=SC2086 # a list of words
$apt install -y --no-install-recommends $missing
