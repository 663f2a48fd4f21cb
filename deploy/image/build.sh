#!/bin/sh
# build.sh BINARY DIRECTORY: makes DIRECTORY/fanlight.oci.tar, a container image in an OCI archive, and
# prints its digest. The same inputs make the same digest.
#
# Needs buildah, and the certificate authorities of package ca-certificates (or CA_FILE).
# It runs nothing inside the image and keeps its storage in DIRECTORY, so that no engine has to be
# set up.
set -eu

binary=$1
out=$2
here=$(dirname "$0")
ca_file=${CA_FILE:-/etc/ssl/certs/ca-certificates.crt}

command -v buildah >/dev/null || {
    echo 'image: buildah is missing: install it (package buildah)' >&2
    exit 1
}
[ -r "$ca_file" ] || {
    echo "image: $ca_file is missing: install ca-certificates, or name another file in CA_FILE" >&2
    exit 1
}
if file=$(ldd "$binary" 2>&1) && ! echo "$file" | grep -q 'statically linked'; then
    echo "image: $binary is not static, and there is no C library in the image" >&2
    exit 1
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
# Every file gets the time of the commit, so that it does not matter when the image is built.
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

context=$out/context
storage=$out/storage
rm -rf "$context"
mkdir -p "$context/state"
put() { install -D -m "$1" "$2" "$context/files/$3"; }
put 755 "$binary" usr/bin/fanlight
put 644 "$ca_file" etc/ssl/certs/ca-certificates.crt
put 644 "$here/fanlight.toml" etc/fanlight/fanlight.toml
put 644 LICENSE usr/share/doc/fanlight/LICENSE
put 644 "$out/sbom.cdx.json" usr/share/doc/fanlight/sbom.cdx.json
find "$context" -type d -exec chmod 755 {} +

storage_options="--storage-driver vfs --root $storage/root --runroot $storage/run"
# shellcheck disable=SC2086 # a list of words
buildah $storage_options build --quiet --isolation chroot --format oci --no-cache \
    --timestamp "$time" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --file "$here/Containerfile" --tag "localhost/fanlight:$version" "$context" >/dev/null
rm -f "$out/fanlight.oci.tar"
# shellcheck disable=SC2086
buildah $storage_options push --quiet --digestfile "$out/digest" \
    "localhost/fanlight:$version" "oci-archive:$out/fanlight.oci.tar:fanlight:$version"
# shellcheck disable=SC2086
buildah $storage_options rmi --all --force >/dev/null
rm -rf "$storage"
echo "$out/fanlight.oci.tar $(cat "$out/digest")"
