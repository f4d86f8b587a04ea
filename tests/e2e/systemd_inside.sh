#!/bin/bash
# SPDX-License-Identifier: MIT
#
# systemd_inside: what systemd.sh runs in its container: the life of
# holdline.service from the first start to its end. TAP on stdout.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
n=0

# ok CLAIM COMMAND…: one test; what the command says is said when it fails.
ok()
{
  local claim=$1 said
  shift
  n=$((n + 1))
  if said=$("$@" 2>&1); then
    echo "ok $n - $claim"
  else
    printf '%s\n' "$said" | sed 's/^/# /'
    echo "not ok $n - $claim"
  fi
}

skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
note() { sed 's/^/# /'; }

# until_ok COMMAND…: wait until it holds; 60 s at most.
until_ok()
{
  local end=$((SECONDS + 60))
  until "$@" >/dev/null; do
    [ $SECONDS -lt $end ] || { "$@"; return 1; }
    read -r -t 0.05 <>"$never" || true
  done
}
never=$(mktemp -u)
mkfifo "$never"

show() { systemctl show --value -p "$1" holdline; }
main_pid() { show MainPID; }

# Pids of the service, and what it made, as the kernel tells; zombies too.
family()
{
  grep -ls '[/]holdline\.service' /proc/[0-9]*/cgroup | tr -dc '0-9\n'
}

# The pid of a process by its title.
titled()
{
  local pid
  for pid in $(family); do
    case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
    "$1"*) echo "$pid" ;;
    esac
  done
}

is_gone()
{
  local pid
  for pid in "$@"; do
    [ ! -e "/proc/$pid" ] || { echo "$pid is there:"
      tr '\0' ' ' <"/proc/$pid/cmdline"; return 1; }
  done
}
is_new() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] &&
  [ "$(show ActiveState)" = active ]; }
is() { [ "$1" = "$2" ] || { echo "is '$1', not '$2'"; return 1; }; }
has() { case $1 in *"$2"*) ;; *) echo "no '$2' in: $1"; return 1 ;; esac; }

book()
{
  local said
  said=$(holdline call --answers /check/answers.json --json \
    "http://acme.localhost:8080/mcp" book_flight city=Oslo date=2026-12-24) ||
    { echo "$said"; return 1; }
  has "$said" 'HL 230'
}

cat >/check/answers.json <<'JSON'
{ "pickFlight": { "number": "HL 230" }, "pickSeat": { "number": "11B" },
  "sample": "Take a coat." }
JSON
mkdir -p /usr/local/etc/holdline
cat >/usr/local/etc/holdline/holdline.conf <<'CONF'
switchboard = { listen = "127.0.0.1:8080"; admin = "127.0.0.1:8081"; };
tenants = (
  { host = "acme.localhost";
    tools = [ "/usr/local/libexec/holdline/tools/book_flight.so" ]; },
  { host = "beta.localhost"; spawn = "exec";
    tools = [ "/usr/local/libexec/holdline/tools/book_flight.so" ]; }
);
CONF

echo "systemd $(systemctl --version | head -1), $(uname -sr)" | note
ok 'nothing is to be said about the unit' \
  is "$(systemd-analyze verify holdline.service 2>&1)" ''
systemd-analyze security holdline.service --no-pager 2>&1 | tail -1 | note

ok 'it starts, and says when it is ready' systemctl start holdline
ok 'it is active' is "$(show ActiveState)/$(show SubState)" active/running
ok 'its status is said' is "$(show StatusText)" Answering
first=$(main_pid)
ok 'a flight is booked' book
backend=$(titled 'holdline: backend acme.localhost')
ok 'its tenant has a process' [ -n "$backend" ]
uids=$(awk '/^Uid/ { print $2, $3, $4 }' "/proc/$backend/status")
ok 'the tenant is a user of its own' \
  is "$uids" '1879048192 1879048192 1879048192'
ok 'the tenant is in a PID namespace of its own' \
  is "$(awk '/^NSpid/ { print NF - 1 }' "/proc/$backend/status")" 2
ok 'the tenant is filtered' \
  is "$(awk '/^Seccomp:/ { print $2 }' "/proc/$backend/status")" 2
lacks=$(journalctl -u holdline -o cat | grep isolation: || true)
printf '%s\n' "$lacks" | note

group=$(sed -n 's/^0:://p' "/proc/$first/cgroup")
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
  ok 'the unit delegates' is "$(show Delegate)" yes
  # Only where there is a controller to give on, of those that limits take.
  unit=${group%%/holdline-*}
  if grep -Eqw 'cpu|memory|pids' "/sys/fs/cgroup$unit/cgroup.controllers"
  then place='*/holdline.service/holdline-*/pool'
  else place='*/holdline.service'; fi
  # shellcheck disable=SC2254 # a pattern
  has_place() { case $group in $place) ;;
    *) echo "poold is in $group"; return 1 ;; esac; }
  ok 'poold is in a group of its own if controllers want that' has_place
  leaf=$(sed -n 's/^0:://p' "/proc/$backend/cgroup")
  in_leaf() { case $leaf in "$unit"/holdline-*/slot-*) [ "$leaf" != "$group" ] ;;
    *) echo "the tenant is in $leaf"; return 1 ;; esac; }
  ok 'the tenant has a group of its own' in_leaf
  cat "/sys/fs/cgroup$leaf/cgroup.controllers" | sed 's/^/controllers: /' |
    note
else
  skip 'the tenant has a group of its own' 'no v2 hierarchy here'
fi

kill -9 "$backend"
ok 'a killed backend is gone' until_ok is_gone "$backend"
ok 'and the next one books' book
ok 'poold is the same' is "$(main_pid)" "$first"

old=$(family)
kill -9 "$first"
ok 'a killed poold is started again' until_ok is_new "$first"
ok 'nothing is left of the old one' until_ok is_gone $old
ok 'the new one books' book
ok 'systemd counted it' is "$(show NRestarts)" 1

old=$(family)
second=$(main_pid)
ok 'it is restarted by hand' systemctl restart holdline
ok 'with another process' is_new "$second"
ok 'of which nothing is left' is_gone $old
ok 'and it books' book

old=$(family)
ok 'it is stopped' systemctl stop holdline
ok 'in order' is "$(show ActiveState)/$(show Result)/$(show ExecMainStatus)" \
  inactive/success/0
ok 'no process is left' is_gone $old
ok 'no group is left' is "$(find /sys/fs/cgroup -name 'holdline*')" ''
ok 'no socket is left' is "$(ls -A /run/holdline 2>/dev/null)" ''
ok 'its tenants keep their folders' [ -d /var/lib/holdline/acme.localhost ]

journal=$(journalctl -u holdline -o cat)
for words in 'ready' 'switchboard: ready' \
  'backend acme.localhost: gone -> starting' 'signal 9 (Killed)' \
  'exchange ' 'ending: ' 'ended'; do
  ok "the journal has '$words'" has "$journal" "$words"
done
ok 'nothing was killed at an end in order' \
  is "$(printf '%s\n' "$journal" | grep -c 'left behind')" 0
printf '%s\n' "$journal" >/check/journal
echo "1..$n"
rm -f "$never"
