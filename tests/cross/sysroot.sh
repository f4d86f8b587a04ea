#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sysroot: a folder with Debian's libraries for aarch64, to link against and
# to run under qemu.
#
#   sh tests/cross/sysroot.sh DIRECTORY
#
# apt resolves, fetches and verifies the packages with lists of its own below
# DIRECTORY; they are unpacked, not installed. So this needs no root, adds no
# architecture to the machine, and does not mind that libevent-dev and
# libhttp-parser-dev cannot stand beside their amd64 twins. A folder that is
# whole already is left as it is.
set -eu

packages='libc6-dev libevent-dev libbsd-dev libjansson-dev libconfig-dev
  libpcre2-dev libseccomp-dev libhttp-parser-dev check'

say() { printf 'sysroot: %s\n' "$*" >&2; }

[ $# = 1 ] || {
  say 'usage: sh tests/cross/sysroot.sh DIRECTORY'
  exit 2
}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
stamp=$dir/.whole
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$packages" ]; then
  exit 0
fi
for command in apt-get dpkg-deb; do
  command -v $command >/dev/null 2>&1 || {
    say "no $command here: the packages of aarch64 come from a Debian system"
    exit 1
  }
done

rm -rf "$dir/apt" "$dir/root" "$stamp"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial" "$dir/root"
: >"$dir/apt/status"
for_arm64()
{
  apt-get -q -o Dpkg::Use-Pty=0 -o Debug::NoLocking=1 -o APT::Sandbox::User= \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Acquire::Languages=none -o Acquire::Retries=2 \
    -o Dir::State="$dir/apt" -o Dir::State::lists="$dir/apt/lists" \
    -o Dir::State::status="$dir/apt/status" -o Dir::Cache="$dir/apt" \
    -o Dir::Cache::archives="$dir/apt/archives" \
    "$@" </dev/null >"$dir/apt/log" 2>&1 || {
    tail -n 15 "$dir/apt/log" >&2
    say "apt-get $1 failed"
    return 1
  }
}
for_arm64 update
for_arm64 install -y --no-install-recommends --download-only $packages
for package in "$dir"/apt/archives/*.deb; do
  dpkg-deb -x "$package" "$dir/root"
done

# Absolute links lead out of the folder: bend them back into it.
find "$dir/root" -type l -lname '/*' | while read -r link; do
  ln -sfn "$dir/root$(readlink "$link")" "$link"
done
n=$(find "$dir/apt/archives" -name '*.deb' | wc -l)
rm -rf "$dir/apt"
printf '%s' "$packages" >"$stamp"
say "$n packages unpacked in $dir/root"
