#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run: every test of holdline, on a fresh Debian 12.
#
#   sh tests/run.sh [unit] [lint] [mutants] [deploy] [cross] [e2e] [systemd]
#     [bench] [conformance]
#
# Without a word: everything but the last three: systemd takes a Debian of its
# own to boot, the others are reports. Installs what is missing (deps.sh), builds under gcc for release and with ASan and UBSan,
# and under clang, runs the tests and ends with one line: N passed, N failed, N
# skipped.
# Build directories stand in build-tests/ and are used again.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
exec </dev/null
export PYTHONDONTWRITEBYTECODE=1
unset MAKEFLAGS NOTIFY_SOCKET LISTEN_FDS LISTEN_PID 2>/dev/null || true

# Backends of a poold that runs as root are no root: a checkout that others
# cannot enter (in root's home) is tested in a copy that they can.
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 \
  --clear-groups test -r "$root/tests/run.sh"; then
  copy=$(mktemp -d "${TMPDIR:-/tmp}/holdline-tests-XXXXXX")
  chmod 755 "$copy"
  trap 'rm -rf "$copy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  echo "run: others cannot read $root; testing a copy in $copy"
  tar -C "$root" --exclude='./build*' --exclude=node_modules -cf - . |
    tar -C "$copy" --no-same-owner -xf -
  sh "$copy/tests/run.sh" "$@"
  exit
fi

parts=${*:-unit lint mutants deploy cross e2e}
for part in $parts; do
  case $part in
  unit | lint | mutants | deploy | cross | e2e | systemd | bench) ;;
  conformance) ;;
  *)
    echo "run: no part is called '$part'; there are: unit lint mutants" \
      'deploy cross e2e systemd bench conformance' >&2
    exit 2
    ;;
  esac
done
wants() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

began=$(date +%s)
work=$(mktemp -d)
: >"$work/counts"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n== %3ds  %s\n' $(($(date +%s) - began)) "$*"; }

# A step that is no test: its failure is one failed test and is said.
broken()
{
  echo "run: FAILED: $*"
  echo 0 1 0 >>"$work/counts"
}

# tested KIND WHAT COMMAND…: run a runner, show what it says, count its tests.
tested()
{
  kind=$1 what=$2
  shift 2
  say "$what"
  { code=0; "$@" 2>&1 || code=$?; echo "$code" >"$work/code"; } |
    tee "$work/log"
  python3 tests/count.py "$kind" "$(cat "$work/code")" "$work/log" \
    >"$work/one" || echo 0 1 0 >"$work/one"
  cat "$work/one" >>"$work/counts"
  read -r p f s <"$work/one"
  echo "   $what: $p passed, $f failed, $s skipped"
}

# suite KIND SUITE NAME: a suite of meson in the build NAME, counted from what
# its programs said.
suite()
{
  what="$2 tests of meson, $3"
  say "$what"
  rm -f "build-tests/$3/meson-logs/testlog.json"
  code=0
  meson test -C "build-tests/$3" --no-rebuild --suite "$2" \
    --print-errorlogs >"$work/log" 2>&1 || code=$?
  [ "$code" = 0 ] || cat "$work/log"
  python3 tests/count.py "$1" "$code" \
    "build-tests/$3/meson-logs/testlog.json" >"$work/one" ||
    echo 0 1 0 >"$work/one"
  cat "$work/one" >>"$work/counts"
  read -r p f s <"$work/one"
  echo "   $what: $p passed, $f failed, $s skipped"
}

# build NAME COMPILER OPTION…: configure once, build always.
build()
{
  name=$1 compiler=$2
  shift 2
  say "building $name ($compiler)"
  dir=build-tests/$name
  if [ ! -f "$dir/build.ninja" ]; then
    rm -rf "$dir"
    CC=$compiler meson setup "$dir" -Dtests=enabled -Dwarning_level=2 \
      --werror "$@" >"$work/log" 2>&1 || {
      cat "$work/log"
      broken "configuring $name"
      return 1
    }
  fi
  { code=0; ninja -C "$dir" 2>&1 || code=$?; echo "$code" >"$work/code"; } |
    tee "$work/log" | awk '
      match($0, /^\[[0-9]+\/[0-9]+\]/) {
        split(substr($0, 2, RLENGTH - 2), at, "/")
        quarter = int(4 * at[1] / at[2])
        if (quarter > shown) print "   " at[1] " of " at[2] " built"
        if (quarter > shown) shown = quarter
        fflush()
      }'
  [ "$(cat "$work/code")" = 0 ] || {
    sed -n '/^FAILED/,$p' "$work/log"
    broken "building $name"
    return 1
  }
}

groups='build test'
! wants bench || groups="$groups bench"
! wants cross || groups="$groups cross"
! wants systemd || groups="$groups systemd"
say "packages ($groups)"
sh deploy/deps.sh $groups

has_release='' has_sanitized='' has_clang=''
if [ "$parts" != cross ]; then
  build release gcc --buildtype=release && has_release=1
fi
if wants unit || wants e2e; then
  build sanitized gcc --buildtype=debugoptimized \
    -Db_sanitize=address,undefined && has_sanitized=1
fi
if wants unit; then
  build clang clang --buildtype=release && has_clang=1
fi

if wants lint; then
  tested tap 'lint' python3 tests/lint/lint.py \
    ${has_release:+--build build-tests/release}
  tested unittest 'the counting of tests' python3 tests/test_count.py
fi

# An impossible size is an answer (NULL) here as everywhere, no finding.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
if wants unit; then
  [ -z "$has_release" ] || suite check unit release
  [ -z "$has_sanitized" ] || suite check unit sanitized
  [ -z "$has_clang" ] || suite check unit clang
fi

if wants mutants; then
  tested plain 'faults in flow that its tests must see' \
    sh tests/mutants/run.sh
fi

if wants deploy && [ -n "$has_release" ]; then
  export HOLDLINE_BUILD="$root/build-tests/release"
  tested unittest 'service file and installation' \
    python3 tests/e2e/test_install.py -v
  tested unittest 'commands for gdb' python3 tests/gdb/test_gdb.py -v
  tested unittest 'manual pages' python3 tests/manual/test_manual.py -v
fi

if wants cross; then
  tested tap 'flow on aarch64, under qemu' sh tests/cross/run.sh build-tests
fi

if wants e2e; then
  # Each program alone, its neighbours played.
  [ -z "$has_release" ] || suite programs e2e release
  [ -z "$has_sanitized" ] || suite programs e2e sanitized
  for name in release sanitized; do
    [ -f "build-tests/$name/poold/poold" ] || continue
    tested unittest "e2e over plain sockets, $name" \
      sh tests/e2e/run.sh python "build-tests/$name"
  done
  say 'published clients (npm)'
  if sh tests/e2e/clients.sh; then
    for name in release sanitized; do
      [ -f "build-tests/$name/poold/poold" ] || continue
      tested node "e2e with published clients, $name" \
        sh tests/e2e/run.sh node "build-tests/$name"
    done
  else
    broken 'fetching the published clients'
  fi
fi

if wants systemd && [ -n "$has_release" ]; then
  tested tap 'the service under a real systemd' \
    sh tests/e2e/systemd.sh build-tests/release build-tests
fi

if wants bench && [ -n "$has_release" ]; then
  say 'benchmarks'
  HOLDLINE_BUILD="$root/build-tests/release" sh tests/bench/all.sh ||
    broken 'benchmarks'
fi

if wants conformance && [ -n "$has_release" ]; then
  say 'the published conformance suite (a report)'
  { sh tests/e2e/clients.sh && sh tests/e2e/clients.sh tests/conformance &&
    HOLDLINE_BUILD="$root/build-tests/release" \
      sh tests/e2e/run.sh script build-tests/release \
      ../conformance/run.mjs; } || broken 'running the conformance suite'
fi

say 'done'
awk '{ p += $1; f += $2; s += $3 }
  END { printf "%d passed, %d failed, %d skipped\n", p, f, s
        exit (f > 0) }' "$work/counts"
