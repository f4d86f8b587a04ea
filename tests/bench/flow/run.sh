#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: common/flow beside Go, Effection, asyncio and swapcontext, as a table.
#
#   sh tests/bench/flow/run.sh [-r ROUNDS]
#
# Packages: `deploy/deps.sh build bench`; npm brings Effection and its node.
# HOLDLINE_BUILD names a release build; without it build-tests/release is made.
# About a minute, three at most.
set -eu
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1

for command in go npm ninja python3; do
  command -v $command >/dev/null 2>&1 || {
    echo "flow/run: no $command here: sh deploy/deps.sh build test bench" >&2
    exit 1
  }
done
root=$(cd ../../.. && pwd)
if [ -z "${HOLDLINE_BUILD:-}" ]; then
  HOLDLINE_BUILD=$root/build-tests/release
  [ -f "$HOLDLINE_BUILD/build.ninja" ] ||
    meson setup "$HOLDLINE_BUILD" "$root" --buildtype=release >&2
fi
export HOLDLINE_BUILD
ninja -C "$HOLDLINE_BUILD" tests/bench/flow/bench_flow \
  tests/bench/flow/bench_swapcontext >&2

sh ../../e2e/clients.sh "$PWD" >&2
node=$PWD/node_modules/.bin/node
[ -x "$node" ] || node=$(command -v node)

peers=$(mktemp -d)
trap 'rm -rf "$peers"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
GOCACHE=$peers/cache GO111MODULE=off \
  go build -o "$peers/peer" peer.go
python3 bench.py "$@" "$peers/peer" "$node"
