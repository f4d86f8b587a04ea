#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: cold tenants beside bare fork + exec, uWSGI, node and s6, as tables.
#
#   sh tests/bench/pool/run.sh [-s] [-p] [-r ROUNDS] [-n TENANTS] [PART...]
#
# Parts: single many. -s is a smoke run of seconds, -p runs all with real-time
# priority. Packages: `deploy/deps.sh build test bench`; npm brings the MCP SDK
# and its node. HOLDLINE_BUILD names a release build; without it
# build-tests/release is made. About half a minute. Root, or none is isolated.
set -eu
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1

for command in npm ninja python3 s6-svscan uwsgi; do
  command -v $command >/dev/null 2>&1 || {
    echo "pool/run: no $command here: sh deploy/deps.sh build test bench" >&2
    exit 1
  }
done
root=$(cd ../../.. && pwd)
if [ -z "${HOLDLINE_BUILD:-}" ]; then
  HOLDLINE_BUILD=$root/build-tests/release
  [ -f "$HOLDLINE_BUILD/build.ninja" ] ||
    meson setup "$HOLDLINE_BUILD" "$root" --buildtype=release >&2
fi
HOLDLINE_BUILD=$(cd "$HOLDLINE_BUILD" && pwd)
export HOLDLINE_BUILD
ninja -C "$HOLDLINE_BUILD" >&2
sh ../../e2e/clients.sh >&2
exec python3 bench.py "$@"
