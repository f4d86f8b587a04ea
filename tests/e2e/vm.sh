#!/bin/sh
# SPDX-License-Identifier: MIT
#
# vm: run tests as root under another kernel: Debian 12's own, in qemu.
#
#   sh tests/e2e/vm.sh BUILD [FILE…]      python tests; default: test_escape.py
#   HOLDLINE_KERNEL=linux-image-….deb     that package instead of Debian's
#
# The machine is this one's root folder, read-only, with memory above it: what
# the tests write is gone with it. cgroup v2 has all its controllers there.
# Prints what the tests print; the status is theirs. Says `vm: skipped: …` and
# ends with 77 where the machine cannot run it.
set -eu
build=$(cd "${1:?usage: vm.sh BUILD [FILE…]}" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- test_escape.py

skip() { echo "vm: skipped: $*"; exit 77; }
for tool in qemu-system-x86_64 busybox cpio dpkg-deb apt-get; do
  command -v "$tool" >/dev/null || skip "there is no $tool (deps.sh vm)"
done
[ "$(uname -m)" = x86_64 ] || skip 'the machine is no x86-64'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

package=${HOLDLINE_KERNEL:-}
if [ -z "$package" ]; then
  name=$(apt-cache depends linux-image-amd64 |
    awk '$1 == "Depends:" { print $2; exit }')
  [ -n "$name" ] || skip 'apt knows no linux-image-amd64'
  (cd "$work" && apt-get -q download "$name" >/dev/null 2>&1) ||
    skip "$name cannot be fetched"
  package=$(ls "$work"/*.deb)
fi
dpkg-deb -x "$package" "$work/kernel"
kernel=$(ls "$work"/kernel/boot/vmlinuz-*)
modules=$(ls -d "$work"/kernel/lib/modules/*/kernel)

# The first file system: busybox, and what it takes to mount the real one.
mkdir -p "$work/root/bin" "$work/root/modules"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for module in virtio/virtio virtio/virtio_ring virtio/virtio_pci_modern_dev \
  virtio/virtio_pci_legacy_dev virtio/virtio_pci; do
  cp "$modules/drivers/$module.ko" "$work/root/modules/"
done
for module in fs/netfs/netfs fs/fscache/fscache net/9p/9pnet \
  net/9p/9pnet_virtio fs/9p/9p fs/overlayfs/overlay; do
  cp "$modules/$module.ko" "$work/root/modules/"
done
cat >"$work/root/init" <<INIT
#!/bin/busybox sh
b=/bin/busybox
\$b mkdir -p /proc /dev /lower /upper /new
\$b mount -t proc none /proc
for m in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev \
  virtio_pci netfs fscache 9pnet 9pnet_virtio 9p overlay; do
  \$b insmod /modules/\$m.ko
done
\$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose \
  host /lower || echo 'vm: no root'
\$b mount -t tmpfs -o mode=755 none /upper
\$b mkdir /upper/up /upper/work
\$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/up,workdir=/upper/work \
  none /new || echo 'vm: no overlay'
\$b umount /proc
exec \$b switch_root /new /bin/sh $work/inside
INIT
chmod 755 "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null | gzip -1) \
  >"$work/first.gz"

# What runs as the first process of the machine.
cat >"$work/inside" <<INSIDE
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp LANG=C.UTF-8
export HOLDLINE_SLOW=1
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /dev/shm && mount -t tmpfs none /dev/shm
mount -t tmpfs -o mode=755 none /run
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up 2>/dev/null || busybox ifconfig lo 127.0.0.1 up
cd $here
echo "vm: \$(uname -sr), Landlock \$(python3 -c 'import ctypes
print(ctypes.CDLL(None).syscall(444, None, 0, 1))')"
code=0
sh run.sh python $build $* 2>&1 || code=\$?
echo "vm: ended with \$code"
sync
busybox poweroff -f
INSIDE

qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2048 \
  -nodefaults -no-reboot -display none -serial stdio \
  -kernel "$kernel" -initrd "$work/first.gz" \
  -append 'console=ttyS0 quiet loglevel=3 panic=-1' \
  -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
  -device virtio-9p-pci,fsdev=host,mount_tag=host </dev/null |
  tr -d '\r' | tee "$work/log"
code=$(sed -n 's/^vm: ended with //p' "$work/log")
[ -n "$code" ] || { echo 'vm: the machine did not get to the end'; exit 1; }
exit "$code"
