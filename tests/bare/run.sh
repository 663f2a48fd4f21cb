#!/bin/sh
# Follows docs/install.md line by line on a Debian that has nothing else: a root made by debootstrap,
# booted with its own systemd once for each way of installing, and thrown away afterwards.
#
# `make bare-test` builds what is installed. Needs root, debootstrap and systemd-container, and 700 MB
# below target/. No name or address of this machine changes: the root has a network of its own, where
# there is nothing but itself.
set -eu

[ "$(id -u)" -eq 0 ] || { echo 'bare-test: needs root' >&2; exit 1; }
cd "$(dirname "$0")/../.."
binary=$1
work=target/bare
suite=bookworm
# What every Debian has, beside what debootstrap thinks is the least.
common=systemd,adduser,ca-certificates
# What the page takes for granted where it speaks of podman: the package and what it recommends for a
# network of its own.
podman='podman runc containernetworking-plugins iptables'

# A root with packages that are not in $work yet.
root() {
    name=$1
    shift
    [ ! -e "$work/$name.done" ] || return 0
    rm -rf "${work:?}/$name"
    mkdir -p "$work"
    echo "making the root $work/$name"
    if [ "$name" = debian ]; then
        debootstrap --variant=minbase --include="$common" "$suite" "$work/$name" >"$work/$name.log"
        echo 'APT::Get::Assume-Yes "true";' >"$work/$name/etc/apt/apt.conf.d/90assume-yes"
        # What starts at boot: the test.
        cp tests/bare/bare.service "$work/$name/etc/systemd/system/"
        mkdir -p "$work/$name/etc/systemd/system/multi-user.target.wants"
        ln -s ../bare.service "$work/$name/etc/systemd/system/multi-user.target.wants/"
    else
        cp -a "$work/debian" "$work/$name"
        cp /etc/resolv.conf "$work/$name/etc/resolv.conf"
        chroot "$work/$name" sh -c 'apt-get update && apt-get install --no-install-recommends "$@"' sh "$@" \
            >"$work/$name.log" 2>&1 </dev/null || {
            cat "$work/$name.log" >&2
            exit 1
        }
    fi
    touch "$work/$name.done"
}

# Boots a root that forgets what happens in it, and runs one section of the page there.
follow() {
    name=$1
    section=$2
    files=$work/files
    rm -rf "$files"
    mkdir -p "$files/target"
    cp "$binary" "$files/fanlight"
    cp deploy/fanlight.toml docs/install.md tests/bare/follow.sh "$files/"
    cp -r deploy "$files/deploy"
    for made in image debian; do
        [ ! -e "target/$made" ] || cp -r "target/$made" "$files/target/$made"
    done
    echo "$section" >"$files/section"
    # nspawn keeps things in /run, and its tidying up does not like it to be a disk.
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh \
        timeout 300 systemd-nspawn --quiet --register=no --keep-unit --private-network \
        --directory="$work/$name" --volatile=overlay --bind="$PWD/$files:/files" \
        --capability=all --system-call-filter='add_key keyctl bpf' \
        --console=pipe --boot >"$files/console" 2>&1 </dev/null || true
    if [ "$(cat "$files/result" 2>/dev/null)" = followed ]; then
        echo "followed: $section ($(cat "$files/version"))"
    else
        cat "$files/console" "$files/log" >&2 2>/dev/null || true
        echo "bare-test: \"$section\" of docs/install.md cannot be followed" >&2
        exit 1
    fi
}

root debian
# shellcheck disable=SC2086 # a list of words
root podman $podman
follow debian 'The binary'
follow debian 'Debian package'
follow debian 'systemd'
follow podman 'Containers'
