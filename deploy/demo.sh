#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo: from a checkout to a booked flight, on a fresh Debian 12.
#
#   sh deploy/demo.sh
#
# Installs what is missing (deps.sh), builds in build/, starts holdline with
# four tenants in a folder of its own, says what to type next, and stays until
# Ctrl-C; then nothing of it is left but build/. HOLDLINE_PORT is the port of
# the tenants (8080), the admin address has the next one.
set -eu
cd "$(dirname "$0")/.."
root=$PWD

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
  bold='' dim='' plain=''
fi
step() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

port=${HOLDLINE_PORT:-8080}
case $port in
'' | *[!0-9]*) fail "HOLDLINE_PORT is '$port', which is no port" ;;
esac
[ "$port" -ge 1 ] && [ "$port" -le 65534 ] ||
  fail "HOLDLINE_PORT is $port; it must be from 1 to 65534"
admin=$((port + 1))

step 'Packages'
sh deploy/deps.sh build

step 'Building in build/ (a minute the first time)'
if [ ! -f build/build.ninja ]; then
  meson setup build --buildtype=release >build.log 2>&1 || {
    cat build.log >&2
    rm -f build.log
    fail 'meson could not configure build/'
  }
  rm -f build.log
fi
ninja -C build || fail 'the build failed'

# Before anything is written, and in words: poold would say it too, but not
# what to do about it.
for p in "$port" "$admin"; do
  python3 - "$p" <<'PYTHON' || fail "port $p is taken; try another one:
  HOLDLINE_PORT=$((port + 1000)) sh deploy/demo.sh"
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
except OSError:
    sys.exit(1)
PYTHON
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/holdline-demo-XXXXXX")
poold=''
end()
{
  trap '' INT TERM HUP
  if [ -n "$poold" ]; then
    kill -TERM "$poold" 2>/dev/null || true
    wait "$poold" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
chmod 755 "$dir"
mkdir "$dir/run" "$dir/state"

# As root, backends run as somebody who may not be able to enter this
# checkout: give them a copy of the programs where they can.
programs=$root/build
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 \
  --clear-groups test -x "$root/build/poold"; then
  programs=$dir/programs
  mkdir -p "$programs/backend/tools"
  for program in poold/poold switchboard/switchboard backend/backend \
    backend/tools/book_flight.so; do
    mkdir -p "$programs/${program%/*}"
    cp "build/$program" "$programs/$program"
  done
fi

cat >"$dir/files.py" <<'PYTHON'
"""A tenant that is no tool: it shows a folder, on the socket it was given."""
import http.server
import socket


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    # A tenant has no sockets of the internet, unless network = true.
    address_family = socket.AF_UNIX


server = Server("", Handler, False)
server.socket.close()
server.socket = socket.socket(fileno=3)
with open("welcome.txt", "w") as f:
    f.write("Served by a plain python3 program behind holdline.\n")
server.serve_forever()
PYTHON

tool=$programs/backend/tools/book_flight.so
cat >"$dir/holdline.conf" <<CONF
switchboard = {
	listen = "127.0.0.1:$port";
	admin = "127.0.0.1:$admin";
};
pool = {
	runtime_dir = "$dir/run";
	state_dir = "$dir/state";
};
tenants = (
	{ host = "acme.localhost"; tools = [ "$tool" ]; },
	{ host = "beta.localhost"; tools = [ "$tool" ]; },
	{ host = "files.localhost";
	  command = [ "/usr/bin/python3", "$dir/files.py" ]; },
	{ host = "*.demo.localhost"; max_hosts = 20; tools = [ "$tool" ]; }
);
CONF

step 'Starting'
# In a session of its own: Ctrl-C reaches this script, which says SIGTERM once.
setsid "$programs/poold/poold" -c "$dir/holdline.conf" </dev/null &
poold=$!

# Ready when the admin address answers; a poold that ended is not waited for.
python3 - "$admin" "$poold" <<'PYTHON' || fail 'holdline did not start'
import os, select, sys, urllib.request
url = f"http://127.0.0.1:{sys.argv[1]}/__switchboard/health"
try:
    end = os.pidfd_open(int(sys.argv[2]))
except OSError:
    sys.exit(1)
for _ in range(600):
    try:
        urllib.request.urlopen(url, timeout=5).read()
        sys.exit(0)
    except OSError:
        if select.select([end], [], [], 0.05)[0]:
            break
sys.exit(1)
PYTHON

cat <<TEXT

${bold}holdline listens on 127.0.0.1:$port${plain} (health: http://127.0.0.1:$admin/__switchboard/health)

In another terminal, in $root:

  ${bold}build/poold/ctl/holdline call http://acme.localhost:$port/mcp book_flight city=Oslo date=2026-12-24${plain}

  curl http://files.localhost:$port/welcome.txt
  curl http://127.0.0.1:$admin/__switchboard/servers

Tenants: acme.localhost, beta.localhost, files.localhost, and any label in
front of .demo.localhost. ${dim}Ctrl-C ends everything. The log:${plain}

TEXT

code=0
wait "$poold" || code=$?
poold=''
exit "$code"
