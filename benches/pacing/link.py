#!/usr/bin/env python3
"""A link with latency between two network namespaces.

    link.py NAMESPACE ADDRESS NAMESPACE ADDRESS MILLISECONDS

Two TUN devices whose packets are carried over after MILLISECONDS, in either direction, by this process: not
every kernel has netem. It says `up` when packets pass, and ends with its standard input.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque

# From linux/if_tun.h: a device for packets without a header of its own.
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "link0"
LONGEST_PACKET = 65536


def hand_over(descriptor):
    """In the namespace: makes the device, and gives it to the process outside."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    socket.send_fds(socket.socket(fileno=descriptor), [b"."], [tun])


def device(namespace, address):
    """A device in a namespace, up and with an address."""
    ours, theirs = socket.socketpair()
    inside = ["ip", "netns", "exec", namespace]
    maker = [sys.executable, __file__, "--hand-over", str(theirs.fileno())]
    subprocess.run(inside + maker, pass_fds=[theirs.fileno()], check=True)
    _, (tun,), _, _ = socket.recv_fds(ours, 1, 1)
    for command in (
        ["addr", "add", address, "dev", DEVICE],
        ["link", "set", DEVICE, "up", "txqueuelen", "10000"],
    ):
        subprocess.run(["ip", "-n", namespace, *command], check=True)
    return tun


def carry(one, other, delay):
    """Carries packets until standard input ends."""
    towards = {one: other, other: one}
    under_way = deque()
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, tun, packet = under_way.popleft()
            try:
                os.write(tun, packet)
            except BlockingIOError:
                pass  # A full queue drops, as a router's does.
        patience = under_way[0][0] - time.monotonic() if under_way else None
        ready, _, _ = select.select([one, other, 0], [], [], patience and max(patience, 0))
        if 0 in ready and not os.read(0, 1):
            return
        for tun in ready:
            if tun == 0:
                continue
            try:
                while True:
                    packet = os.read(tun, LONGEST_PACKET)
                    under_way.append((time.monotonic() + delay, towards[tun], packet))
            except BlockingIOError:
                pass


if __name__ == "__main__":
    if sys.argv[1] == "--hand-over":
        hand_over(int(sys.argv[2]))
    else:
        first, second = sys.argv[1:3], sys.argv[3:5]
        tuns = [device(*first), device(*second)]
        print("up", flush=True)
        carry(*tuns, float(sys.argv[5]) / 1000)
