#!/usr/bin/env python3
"""Frames at a distance: what a browser 100 ms away sees of a machine that paints 30 times a second.

Chromium is in one network namespace, gateway and QEMU in another, with a link between them whose latency is
set (link.py). Each round has three visits: at 0 ms without pacing, at 100 ms without, at 100 ms with `auto`.
Needs root, `ip`, QEMU, Chromium and the packages of tests/browser. `make bench-pacing` runs it.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NEAR, FAR = "10.77.0.1", "10.77.0.2"
PORT = 8080
DISPLAY = 77
FAR_AWAY = 100
CASES = ((0, "off"), (FAR_AWAY, "off"), (FAR_AWAY, "auto"))

# In 16-bit real mode, loaded at 0x7c00. Once the space bar has it paint, the upper third of mode 13h gets
# other colours at each tick of a clock of 30 Hz; every key turns a block at the lower right black or white.
GUEST = """
    31c0 8ed8 8ed0 bc007c | xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 0x7c00
    b81300 cd10           | mov ax, 0x13; int 0x10: 320 by 200 in 256 colours
    b034 e643             | mov al, 0x34; out 0x43, al: timer 0 generates a rate
    b85d9b e640 88e0 e640 | mov ax, 39773; out 0x40, al; mov al, ah; out 0x40, al: of 30 Hz
    b800a0 8ec0           | mov ax, 0xa000; mov es, ax: es:di is the screen
    31db 31ed             | xor bx, bx; xor bp, bp: bl is the frame's number, bh whether it paints
    b021 e6e9 fc fb       | mov al, '!'; out 0xe9, al; cld; sti
    f4                    | idle: hlt
    b401 cd16 7426        | mov ah, 1; int 0x16; jz tick: no key
    30e4 cd16 e6e9        | xor ah, ah; int 0x16; out 0xe9, al
    3c20 7503 80f701      | cmp al, ' '; jne echo; xor bh, 1
    f7d5 89e8 250f0f      | echo: not bp; mov ax, bp; and ax, 0x0f0f
    bf6cde b210           | mov di, 56940; mov dl, 16
    b90800 f3ab           | row: mov cx, 8; rep stosw
    81c73001 feca 75f3    | add di, 304; dec dl; jnz row
    a16c04 39f0 74cc      | tick: mov ax, [0x46c]; cmp ax, si; je idle
    89c6 84ff 74c6        | mov si, ax; test bh, bh; jz idle
    31ff b90050           | xor di, di; mov cx, 20480
    89f8 30e0 00d8        | paint: mov ax, di; xor al, ah; add al, bl
    243f 0420 aa e2f3     | and al, 63; add al, 32; stosb; loop paint
    fec3 ebb0             | inc bl; jmp idle
"""


def floppy():
    """A disk that boots the guest."""
    lines = (line.split("|")[0] for line in GUEST.splitlines())
    program = bytes.fromhex("".join(lines))
    return (program.ljust(510, b"\0") + b"\x55\xaa").ljust(1440 * 1024, b"\0")


def run(*command, **more):
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **more)
    return done.stdout.strip()


class Bench:
    """Everything that is started, and ended with it."""

    def __init__(self, binary, ends):
        self.binary = binary
        self.ends = ends
        self.dir = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        self.near, self.far = (f"fanlight-{side}-{os.getpid()}" for side in ("near", "far"))
        for namespace in (self.near, self.far):
            run("ip", "netns", "add", namespace)
            ends.callback(run, "ip", "netns", "del", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")

    def start(self, namespace, *command, ends=None, **more):
        inside = ["ip", "netns", "exec", namespace, *command]
        process = subprocess.Popen(inside, cwd=self.dir, **more)

        def end():
            process.send_signal(signal.SIGTERM)
            process.wait(20)

        (ends or self.ends).callback(end)
        return process

    @contextlib.contextmanager
    def link(self, trip):
        """The link between the namespaces, for as long as it is wanted."""
        command = [sys.executable, HERE / "link.py"]
        command += [self.near, f"{NEAR}/24", self.far, f"{FAR}/24", str(trip / 2)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as link:
            if link.stdout.readline() != "up\n":
                sys.exit("the link does not come up")
            # Its end of standard input is its end.
            yield

    def machine(self):
        (self.dir / "boot.img").write_bytes(floppy())
        self.start(
            self.near,
            *("qemu-system-x86_64", "-accel", "tcg,tb-size=8", "-m", "4", "-nodefaults"),
            *("-vga", "std", "-display", "none", "-boot", "a", "-debugcon", "file:said"),
            *("-drive", "file=boot.img,format=raw,if=floppy,readonly=on"),
            *("-vnc", f"127.0.0.1:{DISPLAY}"),
            stderr=(self.dir / "machine.log").open("w"),
        )
        said = self.dir / "said"
        self.wait("the machine", lambda: said.exists() and b"!" in said.read_bytes())

    def gateway(self):
        settings = f"""
            listen = "0.0.0.0:{PORT}"
            public_url = "http://{NEAR}:{PORT}"
            state_dir = "{self.dir}"
            [tls]
            mode = "off"
            [targets]
            allow = ["127.0.0.0/8"]
        """
        (self.dir / "fanlight.toml").write_text(settings)
        self.fanlight("keys", "new")
        log = (self.dir / "log").open("w")
        self.start(
            self.near, self.binary, "serve", "--config", "fanlight.toml", stdout=log, stderr=log
        )
        health = ("health", "--config", "fanlight.toml")
        inside = ["ip", "netns", "exec", self.near, self.binary, *health]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.dir}
        self.wait("the gateway", lambda: subprocess.run(inside, **quiet).returncode == 0)

    def fanlight(self, *arguments):
        return run(self.binary, *arguments, "--config", "fanlight.toml", cwd=self.dir)

    def wait(self, what, ready):
        began = time.monotonic()
        while not ready():
            if time.monotonic() > began + 30:
                sys.exit(f"{what} does not start")
            time.sleep(0.05)

    def visit(self, trip, pacing, seconds, keys):
        """What a browser sees: frames a second, and the trips of keys in milliseconds."""
        host = ("--host", "127.0.0.1", "--port", str(5900 + DISPLAY))
        url = self.fanlight("mint", *host, "--pacing", pacing)
        with self.link(trip):
            browser = ("node", HERE / "browser.mjs", str(seconds), str(keys))
            return json.loads(run("ip", "netns", "exec", self.far, *browser, input=url))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/fanlight")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15, help="of painting in each visit")
    parser.add_argument("--keys", type=int, default=30, help="in each visit, twice")
    asked = parser.parse_args()
    seen = {case: [] for case in CASES}
    with contextlib.ExitStack() as ends:
        bench = Bench(asked.binary.resolve(), ends)
        bench.gateway()
        bench.machine()
        for number in range(asked.rounds):
            for case in CASES:
                seen[case].append(bench.visit(*case, asked.seconds, asked.keys))
                print(f"round {number + 1}, {case[0]} ms, {case[1]}: done", file=sys.stderr)

    def median(case, what):
        return statistics.median(what(visit) for visit in seen[case])

    def rate(case):
        return median(case, lambda visit: visit["rate"])

    def echo(case, when):
        return median(case, lambda visit: statistics.median(visit[when]))

    print("| round trip | `pacing` | frames a second | echo of a key, still, ms | painting, ms |")
    print("|---:|---|---:|---:|---:|")
    for case in CASES:
        still, painting = echo(case, "still"), echo(case, "painting")
        print(f"| {case[0]} ms | {case[1]} | {rate(case):.1f} | {still:.0f} | {painting:.0f} |")
    near, plain, paced = CASES
    outcomes = (
        ("paced to near, frames", rate(paced) / rate(near), ">=", 0.85),
        ("plain, frames a second", rate(plain), "<=", 10),
        *(
            (f"paced to plain, echo, {when}", echo(paced, when) / echo(plain, when), "<=", 1.05)
            for when in ("still", "painting")
        ),
    )
    print()
    for what, reached, sign, target in outcomes:
        good = reached >= target if sign == ">=" else reached <= target
        print(f"{what}: {reached:.2f}, {sign} {target}: {'met' if good else 'MISSED'}")


if __name__ == "__main__":
    main()
