#!/bin/sh
# SPDX-License-Identifier: MIT
#
# systemd: the installed service under a real systemd; TAP.
#
#   sh tests/e2e/systemd.sh BUILD [DIRECTORY]
#
# Boots a Debian of its own in a container (debootstrap, systemd-nspawn) that
# shares nothing with this machine but the kernel, has BUILD installed there
# and runs systemd_inside.sh. DIRECTORY (build-tests) gets systemd-root/, which
# is used again. Where that cannot be had, one test is skipped and says why.
set -eu
build=$(cd "${1:?usage: systemd.sh BUILD [DIRECTORY]}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
dir=${2:-$here/../../build-tests}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
root=$dir/systemd-root
log=$dir/systemd.log

skip() { echo "ok 1 # SKIP $*"; echo 1..1; exit 0; }
bail()
{
  tail -n 40 "$log" | sed 's/^/# /'
  echo "Bail out! $1"
  exit 1
}
[ "$(id -u)" = 0 ] || skip 'a container takes root'
for tool in debootstrap systemd-nspawn; do
  command -v "$tool" >/dev/null || skip "there is no $tool (deps.sh systemd)"
done

# The packages of the libraries that the programs were linked with.
libraries()
{
  for program in "$@"; do ldd "$program"; done |
    awk '$3 ~ "^/" { print $3 }' | sort -u | while read -r library; do
    dpkg-query -S "$library" 2>/dev/null ||
      dpkg-query -S "/usr$library" 2>/dev/null ||
      dpkg-query -S "${library#/usr}" || true
  done | sed -n 's/:.*//p' | sort -u | paste -sd ,
}

if [ ! -f "$root.made" ]; then
  rm -rf "$root"
  more=$(libraries "$build/poold/poold" "$build/backend/backend" \
    "$build/switchboard/switchboard" "$build/poold/ctl/holdline" 2>"$log")
  debootstrap --variant=minbase --include="systemd,systemd-sysv,dbus,$more" \
    bookworm "$root" >"$log" 2>&1 ||
    skip 'a Debian to boot cannot be fetched'
  touch "$root.made"
fi

# What an earlier run left is of no use; what is installed is today's.
rm -rf "$root/usr/local" "$root/etc/holdline" "$root/var/lib/holdline" \
  "$root/var/log/journal" "$root/check"
mkdir -p "$root/usr/local" "$root/check" "$root/var/log/journal"
DESTDIR=$root meson install -C "$build" --no-rebuild >"$log" 2>&1 ||
  bail 'it cannot be installed'
cp "$here/systemd_inside.sh" "$root/check/"
cat >"$root/etc/systemd/system/check.service" <<'UNIT'
[Unit]
Description=what tests/e2e/systemd.sh looks at
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/bash /check/systemd_inside.sh
StandardOutput=file:/check/said
StandardError=inherit
ExecStopPost=/bin/systemctl poweroff --no-block
TimeoutStartSec=120
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../check.service \
  "$root/etc/systemd/system/multi-user.target.wants/check.service"

# Containers of this make are refused these by default.
landlock='landlock_create_ruleset landlock_add_rule landlock_restrict_self'
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=${HOLDLINE_UNIFIED:-1} \
  timeout -k 10 240 systemd-nspawn -q -D "$root" -b --register=no --keep-unit \
  --private-network --link-journal=no --system-call-filter="$landlock" \
  </dev/null >"$log" 2>&1 || true
[ -s "$root/check/said" ] || bail 'the container did not come to the check'
cat "$root/check/said"
