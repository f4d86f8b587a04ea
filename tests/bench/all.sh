#!/bin/sh
# SPDX-License-Identifier: MIT
#
# all: every benchmark, one after the other, as tables for README.md.
# HOLDLINE_BUILD names the build directory (a release build); default build/.
set -eu
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1
code=0
for script in proxy cold parked; do
  python3 $script.py || code=1
done
sh pool/run.sh || code=1
sh flow/run.sh || code=1
exit $code
