#!/usr/bin/env python3
"""Runs the load rig with Fanlight beside its peers and prints each target with what was reached.

    benches/beside_peers.py --rig DIR [--rounds 5] [--scale 1] [--tests ...] [--rest-sessions 9000]

The rig starts Fanlight's release binary, plain and with TLS, next to its peers and measures all of
them in turn. Each connection has a token of its own, minted offline. What the rig does not measure
comes from `cargo bench --bench rest`. docs/performance.md says how to read the table.
"""

import argparse
import json
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PEERS = ["direct", "websocat", "haproxy", "haproxy-splice", "nginx", "node-websockify-tls", "haproxy-tls", "nginx-tls"]

# what, test, figure, whose, whom it is compared with, bound on ours / theirs, and how far the row
# repeats: a ratio is met when it lies within that.
RATIOS = [
    ("host to browser, 1 session: CPU s/GB", "down1", "cpu_s_per_gb", "fanlight", "nginx", "<=", 1.05, 0.05),
    ("host to browser, 1 session: MB/s", "down1", "mb_s", "fanlight", "nginx", ">=", 0.95, 0.05),
    ("the same, against splice: CPU s/GB", "down1", "cpu_s_per_gb", "fanlight", "haproxy-splice", "<=", 1.0, 0.05),
    ("8 sessions: CPU s/GB", "down8", "cpu_s_per_gb", "fanlight", "nginx", "<=", 1.05, 0.05),
    ("8 sessions: MB/s", "down8", "mb_s", "fanlight", "nginx", ">=", 0.95, 0.15),
    ("TLS, 1 session: CPU s/GB", "down1", "cpu_s_per_gb", "fanlight-tls", "nginx-tls", "<=", 1.0, 0.05),
    ("TLS, 1 session: MB/s", "down1", "mb_s", "fanlight-tls", "nginx-tls", ">=", 1.0, 0.05),
    ("TLS, 8 sessions: CPU s/GB", "down8", "cpu_s_per_gb", "fanlight-tls", "nginx-tls", "<=", 1.0, 0.05),
    ("upload in 10 KiB frames: CPU s/GB", "up1", "cpu_s_per_gb", "fanlight", "nginx", "<=", 1.25, 0.05),
    ("upload in 10 KiB frames: MB/s", "up1", "mb_s", "fanlight", "nginx", ">=", 0.6, 0.05),
    ("key to update, idle: p50", "lat", "p50_us", "fanlight", "nginx", "<=", 1.0, 0.05),
    ("key to update, idle: p99", "lat", "p99_us", "fanlight", "nginx", "<=", 1.2, 0.2),
    ("key to update, idle: CPU a trip", "lat", "cpu_us_per_trip", "fanlight", "nginx", "<=", 1.0, 0.05),
    ("beside 4 floods: p99", "busy", "p99_us", "fanlight", "nginx", "<=", 1.0, 0.2),
    ("connects, 8 at once: rate", "conn", "per_s", "fanlight", "haproxy", ">=", 0.9, 0.15),
    ("connects over TLS: rate", "conn", "per_s", "fanlight-tls", "nginx-tls", ">=", 1.0, 0.15),
]

# what, figure of benches/rest, bound
BOUNDS = [
    ("memory at rest, plain: PSS KiB a session", "at rest PSS KiB a session", "<=", 5.0),
    ("memory at rest, TLS: PSS KiB a session", "TLS at rest PSS KiB a session", "<=", 14.0),
    ("CPU at rest with pings: % of a core", "CPU at rest %", "<=", 2.0),
    ("the same over TLS", "TLS CPU at rest %", "<=", 2.0),
    ("after a burst / at rest", "after burst / at rest", "<=", 1.3),
    ("the same over TLS", "TLS after burst / at rest", "<=", 1.3),
    ("8 browsers that read nothing: MiB above base", "slow readers stalled, above base MiB", "<=", 2.0),
    ("cold start to listening: ms", "cold start ms", "<=", 50.0),
    ("binary: MB", "binary MB", "<=", 20.0),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Fanlight:
    """What the rig is told about one gateway: a table of its --targets file."""

    def __init__(self, name, binary, dir, tls=None):
        self.name, self.binary, self.tls = name, binary, tls
        self.port = free_port()
        self.config = dir / f"{name}.toml"
        self.config.write_text(
            f'listen = "127.0.0.1:{self.port}"\n'
            f'tokens.keyring_file = "{dir}/keyring"\n'
            # All sessions of the rig are with one fake host, and of one client.
            "host.dials_per_host = 1000\n"
            'targets.allow = ["127.0.0.0/8"]\n'
            "limits.handshakes = 100000\n"
            'limits.connections_per_client = "1000000/s"\n'
            'limits.handshakes_per_client = "1000000/s"\n'
            'log.level = "warn"\n'
            + (f'tls.certificate_file = "{tls / "crt.pem"}"\ntls.key_file = "{tls / "key.pem"}"\n' if tls else "")
        )
        self.password = dir / "password"

    def table(self):
        binary, config = shlex.quote(str(self.binary)), shlex.quote(str(self.config))
        password = shlex.quote(str(self.password))
        mint = (
            f'printf %s "$RIG_PASSWORD" >{password} && {binary} mint --config {config} '
            f'--host "${{RIG_SIM%:*}}" --port "${{RIG_SIM##*:}}" --password-file {password} '
            '--ttl 1h --count "$N" | sed "s/.*token=//"'
        )
        scheme = "wss" if self.tls else "ws"
        keys = {
            "cmd": f"exec {binary} serve --config {config}",
            "url": f"{scheme}://127.0.0.1:{self.port}/websockify?token={{token}}",
            "urls_cmd": mint,
        }
        lines = [f"[{self.name}]", f"port = {self.port}"]
        return "\n".join(lines + [f"{key} = {json.dumps(value)}" for key, value in keys.items()])


def medians(results, rounds_of):
    """(target, test, figure) -> {round: value}."""
    values = {}
    for line in results.read_text().splitlines():
        record = json.loads(line)
        for figure, value in record.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                values.setdefault((record["target"], record["test"], figure), {})[record["round"]] = value
    rounds_of.extend(sorted({r for by_round in values.values() for r in by_round}))
    return values


def verdict(sense, bound, slack, value):
    if sense == "<=":
        return "met" if value <= bound else "met within its repeatability" if value <= bound * (1 + slack) else "MISSED"
    return "met" if value >= bound else "met within its repeatability" if value >= bound * (1 - slack) else "MISSED"


def show(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def rig_table(values):
    rows = ["| what | Fanlight | beside | ratio: median (least to most) | target | |", "|---|---:|---:|---:|---:|---|"]
    for what, test, figure, ours, theirs, sense, bound, slack in RATIOS:
        mine, other = values.get((ours, test, figure), {}), values.get((theirs, test, figure), {})
        both = [mine[r] / other[r] for r in mine.keys() & other.keys() if other[r]]
        if not both:
            continue
        ratio = statistics.median(both)
        rows.append(
            f"| {what} | {show(statistics.median(mine.values()))} | {theirs} {show(statistics.median(other.values()))} "
            f"| {ratio:.2f} ({min(both):.2f} to {max(both):.2f}) | {sense} {bound} | {verdict(sense, bound, slack, ratio)} |"
        )
    for target in ("fanlight", "fanlight-tls"):
        failed = values.get((target, "check", "failed"), {})
        if failed:
            wrong = sum(failed.values())
            rows.append(f"| every byte and checksum, {target} | {wrong:.0f} wrong | | | 0 | {'met' if wrong == 0 else 'MISSED'} |")
    return "\n".join(rows)


def rest_table(figures):
    rows = ["| what | Fanlight | target | |", "|---|---:|---:|---|"]
    for what, figure, sense, bound in BOUNDS:
        if figure in figures:
            value = figures[figure]
            rows.append(f"| {what} | {show(value)} | {sense} {bound} | {verdict(sense, bound, 0, value)} |")
    return "\n".join(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rig", required=True, type=Path, help="a writable copy of the rig")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--scale", type=float, default=1.0, help="multiplies the rig's sizes and counts")
    p.add_argument("--tests", default="check,conn,lat,busy,down1,down8,up1", help="of the rig; 'none'")
    p.add_argument("--peers", default=",".join(PEERS))
    p.add_argument("--noise", type=float, default=0.2, help="cores that others may use before the rig measures again")
    p.add_argument("--rest", default="start,slow,rest,rest-tls", help="rows of benches/rest; 'none'")
    p.add_argument("--rest-sessions", type=int, default=9000)
    p.add_argument("--rest-seconds", type=int, default=60)
    p.add_argument("--out", type=Path, help="where the raw figures go")
    p.add_argument("--binary", type=Path, default=None, help="the gateway; target/release/fanlight")
    opts = p.parse_args()

    target = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target"))
    binary = (opts.binary or target / "release/fanlight").resolve()
    with tempfile.TemporaryDirectory() as temporary:
        dir = Path(temporary)
        tables = []
        if opts.tests != "none":
            rig = opts.rig.resolve()
            # The certificate is the peers'.
            subprocess.run([rig / "setup.sh"], check=True)
            # Whoever comes first in a test finds the machine as its rest has left it: a tenth slower. So that
            # is somebody whose figures nobody looks at.
            first = Fanlight("first", binary, dir)
            gateways = [first, Fanlight("fanlight", binary, dir), Fanlight("fanlight-tls", binary, dir, rig / "target/peers")]
            subprocess.run([binary, "keys", "new", "--config", gateways[0].config], check=True, stdout=subprocess.DEVNULL)
            (dir / "targets.toml").write_text("\n".join(g.table() for g in gateways) + "\n")
            out = (opts.out or dir / "out").resolve()
            subprocess.run(
                ["python3", rig / "suite.py", "--targets", dir / "targets.toml", "--peers", opts.peers,
                 "--tests", opts.tests, "--rounds", str(opts.rounds), "--scale", str(opts.scale),
                 "--noise", str(opts.noise), "--sim-port", str(free_port()), "--out", out],
                check=True, stdout=subprocess.DEVNULL)
            rounds = []
            tables.append(rig_table(medians(out / "results.jsonl", rounds)))
            say(f"{len(rounds)} rounds")
        if opts.rest != "none":
            # Under cargo, so that the program and the gateway are of one build.
            ran = subprocess.run(
                ["cargo", "bench", "--quiet", "--bench", "rest", "--", "--rows", opts.rest,
                 "--sessions", str(opts.rest_sessions), "--seconds", str(opts.rest_seconds)],
                check=True, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
            lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
            tables.append(rest_table({line["figure"]: line["value"] for line in lines}))
        print("\n\n".join(tables))


if __name__ == "__main__":
    main()
