#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""proxy: CPU time of a proxied request, beside nginx in the same run.

  python3 tests/bench/proxy.py [ROUNDS [SECONDS]]

Both proxies have one worker, keep-alive on both sides, write a log line a
request to a file, and send to the same process over the same unix socket.
wrk loads them in turn; the CPU time of the proxy's process (and of nothing
else) is divided by the requests that wrk counted. Ratios are of neighbouring
rounds, so that a change of the machine's speed touches both.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from measure import cpu_ns, median, progress, table, upstream
from pool import Pool, hold_ports, until
import http_client

CONNECTIONS = 32
HOST = "bench.localhost"

NGINX = """
worker_processes 1;
daemon off;
{user}
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log {dir}/access.log;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2;
  fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  keepalive_requests 1000000000;
  upstream behind {{
    server unix:{socket};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }}
  }}
}}
"""


def load(port, seconds):
    """Requests that wrk had answered within some seconds."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H",
         f"Host: {HOST}", f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit("proxy: wrk met errors:\n" + done.stdout)
    return int(re.search(r"(\d+) requests in", done.stdout).group(1))


def us_per_request(pid, port, seconds):
    before = cpu_ns(pid)
    n = load(port, seconds)
    return (cpu_ns(pid) - before) / n / 1000, n / seconds


def worker_of(pid):
    """The pid of nginx's only worker."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def start_nginx(folder, socket):
    held, = hold_ports(1)
    port = held.getsockname()[1]
    path = os.path.join(folder, "nginx.conf")
    user = "user root root;" if os.getuid() == 0 else ""
    with open(path, "w", encoding="utf-8") as f:
        f.write(NGINX.format(dir=folder, socket=socket, port=port,
                             user=user))
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    master = subprocess.Popen([nginx, "-c", path, "-e",
                               os.path.join(folder, "error.log")])
    worker = until(lambda: worker_of(master.pid), "nginx's worker")[0]
    return master, worker, port


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rows = []
    with tempfile.TemporaryDirectory() as folder, Pool(
            [{"host": HOST, "command": [upstream()]}],
            log_to=os.path.join(folder, "holdline.log")) as pool:
        if http_client.ask(pool, HOST)[0] != 200:
            raise SystemExit("proxy: the upstream does not answer")
        ours, = pool.pids_titled("holdline: switchboard")
        master, theirs, port = start_nginx(folder, pool.sockets()[0])
        try:
            for p in (pool.port, port):
                load(p, 1)  # both warm
            for n in range(rounds):
                progress(f"proxy: round {n + 1} of {rounds}")
                a, a_rate = us_per_request(ours, pool.port, seconds)
                b, b_rate = us_per_request(theirs, port, seconds)
                rows.append((a, b, a / b, a_rate, b_rate))
        finally:
            master.terminate()
            master.wait()
    table(("CPU per proxied request", "holdline", "nginx", "ratio",
           "requests/s holdline", "requests/s nginx"),
          [(f"round {n + 1}", f"{a:.1f} µs", f"{b:.1f} µs", f"{r:.2f}",
            f"{x:.0f}", f"{y:.0f}")
           for n, (a, b, r, x, y) in enumerate(rows)]
          + [("median", f"{median([r[0] for r in rows]):.1f} µs",
              f"{median([r[1] for r in rows]):.1f} µs",
              f"{median([r[2] for r in rows]):.2f}",
              f"{median([r[3] for r in rows]):.0f}",
              f"{median([r[4] for r in rows]):.0f}")])


if __name__ == "__main__":
    main()
