#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: are the flow tests able to fail?
#
#   sh tests/mutants/run.sh [NAME…]
#
# Each patch of tests/mutants/flow breaks common/flow in one place. It is
# applied alone to a copy of the tree, built, and the flow tests must see it.
# Without names: all. Prints a table and, last, N passed, N failed; a fault
# that no test sees is a failed one, and so is a tree whose tests fail unbroken.
# CC chooses the compiler. A run takes about a minute on two cores.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/holdline-mutants-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
exec </dev/null

# What sees most comes first; the last needs real processes and real time.
suites='task life halt cleanup scope boundary combine resource context wait action
  signal work select main stack process'
cc=${CC:-cc}
flags="-O1 -std=gnu11 -D_GNU_SOURCE -DFLOW_INSIDE -fexceptions
  -fno-strict-aliasing -I. $(pkg-config --cflags check libevent_core libbsd)"
libs="$(pkg-config --libs check libevent_core libbsd) -lpthread"

mkdir -p "$work/tree/tests/unit" "$work/obj"
cd "$work/tree" || exit 1
cp -R "$root/common" .
cp "$root"/tests/unit/flow_* "$root"/tests/unit/test_flow_* tests/unit/

# compile FILE…: into obj/, a name for each path.
compile() {
  for file in "$@"; do
    case $file in
    tests/*) printf '%s -UFLOW_INSIDE' "$file" ;;
    *) printf '%s' "$file" ;;
    esac
    printf ' -o %s\n' "$work/obj/$(echo "$file" | tr / _).o"
  done | xargs -P 2 -L 1 $cc $flags -c
}

# seen SECONDS: the first test that fails, each suite linked from what stands in
# obj/ and given so long; false when all pass.
seen() {
  rooms=$(ls "$work"/obj/common_* "$work"/obj/tests_unit_flow_*)
  for suite in $suites; do
    $cc "$work/obj/tests_unit_test_flow_$suite.c.o" $rooms $libs \
      -o "$work/test" || exit 1
    timeout -k 1 "$1" "$work/test" >"$work/said" 2>&1 && continue
    test=$(sed -n 's/^.*:[0-9]*:[FE]:[^:]*:\([^:]*\):.*$/\1/p' "$work/said" |
      head -1)
    echo "flow_$suite ${test:-(died)}"
    return 0
  done
  return 1
}

row() { printf '%-9s %-39s %s\n' "$@"; }

n_passed=0 n_failed=0
passed() { n_passed=$((n_passed + 1)); }
failed() { n_failed=$((n_failed + 1)); }

row verdict fault 'seen by'
compile common/base/must.c common/base/err.c common/base/mem.c \
  common/base/bytes.c common/base/clock.c common/base/random.c \
  common/base/outlet.c common/base/log.c common/base/fd.c \
  common/base/sigstack.c common/loop/*.c common/flow/*.c \
  "common/flow/switch_$(uname -m).S" tests/unit/flow_*.c \
  tests/unit/test_flow_*.c || exit 1
if by=$(seen 60); then
  failed
  row broken '(the tree as it is)' "$by"
  cat "$work/said"
else
  passed
  row passes '(the tree as it is)' '-'
fi

for patch in "$root"/tests/mutants/flow/*.patch; do
  name=$(basename "$patch" .patch)
  case " $* " in '  ' | *" $name "*) ;; *) continue ;; esac
  changed=$(sed -n 's,^+++ b/,,p' "$patch")
  if ! patch -s -p1 -i "$patch"; then
    failed
    row stale "$name" 'the patch does not apply'
    for file in $changed; do cp "$root/$file" "$file"; done
    continue
  fi
  if ! compile $changed; then
    failed
    row broken "$name" 'it does not compile'
  elif by=$(seen 20); then
    passed
    row caught "$name" "$by"
  else
    failed
    row MISSED "$name" '-'
  fi
  for file in $changed; do cp "$root/$file" "$file"; done
  compile $changed
done

echo "$n_passed passed, $n_failed failed"
[ "$n_failed" = 0 ]
