#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps: install the Debian packages that holdline needs. The one place that
# names packages; demo.sh, tests/run.sh and CI all come here.
#
#   sh deploy/deps.sh [-l] [build] [test] [bench] [cross] [vm] [systemd]
#
# Without a group: build. -l lists the packages of the groups and installs
# nothing. Says nothing when everything is there already; asks nothing ever.
# Needs root, or sudo without a password, and only if something is missing.
set -eu

# What building and running needs. meson brings ninja and python3 along; they
# are named because demo.sh and the tests use them by name.
build='gcc libc6-dev meson ninja-build pkgconf python3 libevent-dev
  libhttp-parser-dev libjansson-dev libbsd-dev libconfig-dev libpcre2-dev
  libseccomp-dev'

# What tests/run.sh needs beyond that; systemd is for systemd-analyze verify,
# gdb for the commands of deploy/gdb, scdoc and mandoc for manual pages, the
# last two are compared with.
test='check clang binutils git patch ca-certificates systemd gdb scdoc mandoc
  nginx-light haproxy'

# Published clients come from npm. Any node and npm do: npm fetches the node
# that the tests run on, of the version in tests/e2e/package.json.
command -v node >/dev/null 2>&1 || test="$test nodejs"
command -v npm >/dev/null 2>&1 || test="$test npm"

# What tests/bench measures against and with; go is a peer of common/flow, s6 and
# uwsgi of poold.
bench='nginx-light wrk golang-go s6 uwsgi-core uwsgi-plugin-python3'

# What tests/cross builds and runs with; the libraries for aarch64 are unpacked
# by tests/cross/sysroot.sh, not installed.
cross='gcc-aarch64-linux-gnu qemu-user-static'

# What tests/e2e/vm.sh boots another kernel with.
vm='qemu-system-x86 busybox-static cpio'

# What tests/e2e/systemd.sh makes a Debian with and boots it.
systemd='debootstrap systemd-container'

say() { printf 'deps: %s\n' "$*" >&2; }

usage()
{
  say "unknown argument '$1'"
  say 'usage: sh deploy/deps.sh [-l] [build] [test] [bench] [cross] [vm]' \
    '[systemd]'
  exit 2
}

# The packages among "$@" that are not installed.
missing()
{
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
      2>/dev/null) || status=
    [ "$status" = installed ] || printf '%s ' "$package"
  done
}

# Run apt-get with the log kept; one word of progress per package.
apt()
{
  log=$(mktemp)
  rc=$(mktemp)
  echo 1 >"$rc"
  { $as_root apt-get -q -o Dpkg::Use-Pty=0 "$@" </dev/null 2>&1 &&
    echo 0 >"$rc"; } | tee "$log" | awk '
      /newly installed/ { total = $3 }
      /^Setting up/ && ++n && (n % 25 == 0 || n == total) {
        printf "deps: %d of %d packages set up\n", n, total
        fflush()
      }' >&2
  code=$(cat "$rc")
  [ "$code" = 0 ] || tail -n 15 "$log" >&2
  rm -f "$log" "$rc"
  return "$code"
}

list=
groups=
for word in "$@"; do
  case $word in
  -l) list=1 ;;
  build | test | bench | cross | vm | systemd) groups="$groups $word" ;;
  *) usage "$word" ;;
  esac
done

wanted=
for group in ${groups:-build}; do
  eval "wanted=\"\$wanted \$$group\""
done
if [ -n "$list" ]; then
  printf '%s\n' $wanted
  exit 0
fi

command -v dpkg-query >/dev/null 2>&1 || {
  say 'this is not a Debian system. What is needed, by its Debian names:'
  say $wanted
  exit 1
}
absent=$(missing $wanted)
[ -n "$absent" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root='env DEBIAN_FRONTEND=noninteractive'
elif sudo -n true 2>/dev/null; then
  as_root='sudo -n env DEBIAN_FRONTEND=noninteractive'
else
  say 'these packages are missing, and installing them needs root:'
  say "  apt-get install --no-install-recommends $absent"
  exit 1
fi

say "installing: $absent"
apt update >/dev/null || {
  say 'the package lists could not be fetched; trying once more'
  apt update >/dev/null || exit 1
}

# A package that brings a service along (nginx) must not start it here.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e $policy ]; then
  made_policy=1
  $as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy &&
    chmod 755 $policy"
fi
end() { [ -z "$made_policy" ] || $as_root rm -f $policy; }
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

apt install -y --no-install-recommends $absent || {
  say 'the installation failed; trying once more'
  apt install -y --no-install-recommends $absent || exit 1
}
absent=$(missing $absent)
[ -z "$absent" ] || {
  say "still missing after the installation: $absent"
  exit 1
}
say 'done'
