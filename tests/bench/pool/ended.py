# SPDX-License-Identifier: MIT
"""ended: how long s6 takes to end as many children.

s6-svscan runs `sleep infinity`, with an s6-supervise above each. It is sent
SIGTERM when all of them run, and waited for.
"""

import os
import signal
import subprocess
import time

from common import describe, until
from pool import descendants

PATIENCE_S = 60


def sleepers(pid):
    return sum("sleep infinity" in describe(p) for p in descendants(pid))


def end_ms(argv, folder, n):
    """Start it, wait until n sleep, end it."""
    log = os.path.join(folder, os.path.basename(argv[0]) + ".log")
    with open(log, "ab") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, cwd=folder,
                                   stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: sleepers(process.pid) == n, f"all children of {argv[0]}",
              PATIENCE_S)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        return (time.monotonic() - began) * 1000
    finally:
        if process.poll() is None:
            for pid in descendants(process.pid) + [process.pid]:
                os.kill(pid, signal.SIGKILL)
            process.wait()


def s6_ms(folder, n):
    scan = os.path.join(folder, "s6")
    for i in range(n):
        os.makedirs(os.path.join(scan, str(i)))
        run = os.path.join(scan, str(i), "run")
        with open(run, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexec /bin/sleep infinity\n")
        os.chmod(run, 0o755)
    return end_ms(["s6-svscan", "-c", str(n + 2), scan], folder, n)
