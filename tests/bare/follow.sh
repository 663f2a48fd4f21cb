# Inside the booted root: runs the commands of one section of docs/install.md as they are written, and
# looks at what came of it.
set -eux

section=$(cat section)
# The binary alone is wherever somebody put it; the other ways install it.
[ "$section" != 'The binary' ] || export PATH="/files:$PATH"
. /etc/os-release
echo "$PRETTY_NAME, $(systemctl --version | head -n 1)" >version

# The section's commands, one a line. What stays in the foreground is sent to the background, and what
# needs Rust was done before.
awk -v section="## $section" '$0 == section { on = 1; next } /^## / { on = 0 } on && /^    /' install.md |
    sed -e 's/^    //' -e ':more' -e '/\\$/{N;s/\\\n *//;b more' -e '}' |
    sed -e '/^make /d' -e 's/^\(fanlight serve\|podman run\) .*/&  \&/' >commands
[ -s commands ]

# Whether a command succeeds within 20 s.
soon() {
    for _ in $(seq 100); do
        ! "$@" || return 0
        sleep 0.2
    done
    "$@"
}

# podman would take crun and systemd's cgroups, which a container within a container cannot have
# everywhere; and what is read-only for this one may be written for those within.
if [ "$section" = Containers ]; then
    for mounted in $(awk '$3 == "cgroup" { print $2 }' /proc/mounts) /sys/fs/cgroup; do
        mount -o remount,bind,rw "$mounted"
    done
    cat >/etc/containers/containers.conf <<'END'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
END
    printf '[storage]\ndriver = "vfs"\nrunroot = "/run/storage"\ngraphroot = "/var/storage"\n' \
        >/etc/containers/storage.conf
fi

. ./commands

case $section in
'The binary')
    soon fanlight health --ready --config fanlight.toml
    ;;
'Debian package')
    [ "$(systemctl is-active fanlight)" = active ]
    soon fanlight health --ready
    [ "$(stat -c %U "/proc/$(systemctl show --property MainPID --value fanlight)")" = fanlight ]
    [ "$(stat -c '%U %a' /var/lib/fanlight/keyring)" = 'fanlight 600' ]
    systemctl reload fanlight
    # The other unit that it brings: a port below 1024, and TLS there.
    systemctl disable --now fanlight
    systemctl enable --now fanlight.socket
    soon env FANLIGHT_TLS_MODE=on fanlight health --ready --listen 127.0.0.1:443
    # A package that is removed leaves its state, and one that is purged nothing.
    apt-get remove fanlight
    [ "$(systemctl is-active fanlight fanlight.socket | sort -u)" = inactive ]
    [ -e /var/lib/fanlight/keyring ]
    apt-get purge fanlight
    [ ! -e /var/lib/fanlight ] && [ ! -e /etc/fanlight ]
    ;;
systemd)
    [ "$(systemctl is-active fanlight)" = active ]
    soon fanlight health --ready
    systemctl restart fanlight
    soon fanlight health --ready
    ;;
Containers)
    soon podman exec --latest /usr/bin/fanlight health --ready
    # From outside of the container, through the port that is published.
    soon env FANLIGHT_TLS_MODE=on /files/fanlight health --ready --listen 127.0.0.1:8080
    podman stop --latest
    ;;
esac
echo followed >result
