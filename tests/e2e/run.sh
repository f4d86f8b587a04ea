#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: the end-to-end tests against one build.
#
#   sh tests/e2e/run.sh node|python|script BUILD [FILE…]
#
# A sanitized build runs all but what measures memory.
set -eu
kind=$1
HOLDLINE_BUILD=$(cd "$2" && pwd)
export HOLDLINE_BUILD PYTHONDONTWRITEBYTECODE=1
shift 2
cd "$(dirname "$0")"
if nm -D "$HOLDLINE_BUILD/poold/poold" 2>/dev/null | grep -q __asan_init; then
  export HOLDLINE_SANITIZED=1
fi

# The node of the lock file; where there is none for this machine, its own.
node=$(ls node_modules/node-linux-*/bin/node 2>/dev/null || echo node)

case $kind in
script) "$node" "$@" ;;
node)
  "$node" --test --test-reporter=spec --test-timeout=180000 \
    ${*:-*.test.mjs}
  ;;
python)
  if [ $# = 0 ]; then
    set -- test_pool.py test_start.py test_end.py test_kill.py test_http.py \
      test_call.py test_life.py test_world.py test_peers.py test_escape.py test_tree.py
    [ -n "${HOLDLINE_SANITIZED:-}" ] || set -- "$@" test_stream.py
  fi
  python3 -m unittest -v "$@"
  ;;
esac
