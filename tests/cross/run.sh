#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: build the tests of flow for aarch64 and run them under qemu; TAP.
#
#   sh tests/cross/run.sh [DIRECTORY]
#
# DIRECTORY (build-tests) gets aarch64-sysroot/ and aarch64/, both used again.
# The packages are those of `deploy/deps.sh build test cross`.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "${1:-build-tests}"
dir=$(cd "${1:-build-tests}" && pwd)
sysroot=$dir/aarch64-sysroot/root
build=$dir/aarch64
log=$dir/aarch64.log

bail()
{
  tail -n 40 "$log" | sed 's/^/# /'
  echo "Bail out! $1"
  exit 1
}

sh tests/cross/sysroot.sh "$dir/aarch64-sysroot" >"$log" 2>&1 ||
  bail 'the libraries of aarch64 cannot be had'
if [ ! -f "$build/build.ninja" ]; then
  rm -rf "$build"
  printf "[constants]\nsysroot = '%s'\n" "$sysroot" >"$dir/sysroot.ini"
  meson setup "$build" --cross-file "$dir/sysroot.ini" \
    --cross-file tests/cross/aarch64.ini -Dtests=enabled --werror \
    >"$log" 2>&1 || bail 'configuring failed'
fi
# Reconfigure first, so that the list of suites is today's.
ninja -C "$build" build.ninja >"$log" 2>&1 || bail 'configuring failed'
suites=$(python3 tests/cross/run.py "$build" 2>"$log") || bail 'no suites'
ninja -C "$build" $suites >"$log" 2>&1 || bail 'building failed'
python3 tests/cross/run.py "$build" "$sysroot"
