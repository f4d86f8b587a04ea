#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clients: fetch the published clients of package-lock.json into node_modules/,
# once for each lock, and the node that they run on. Quiet when they are there.
# With a folder: the same for the lock that stands there.
set -eu
cd "${1:-$(dirname "$0")}"
stamp=node_modules/.holdline-lock
if [ -f $stamp ] && cmp -s $stamp package-lock.json; then
  exit 0
fi
for try in 1 2; do
  if npm ci --loglevel=error --no-progress; then
    cp package-lock.json $stamp
    exit 0
  fi
  echo "clients: npm could not fetch the clients (attempt $try of 2)" >&2
done
exit 1
