#!/usr/bin/env bash
# Starts the demo as a newcomer would, on free ports and a folder of its own, and checks what its screen promises:
# messages can be queried with curl, verify finds nothing wrong, Ctrl-C ends it within a minute, and no process of it is left.
# It needs bin/coldstream (make build), curl and python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

binary=$here/../bin/coldstream
patience=${SMOKE_SECONDS:-180} # for the first row, and for verify
need curl 'install it (Debian and Ubuntu: apt-get install curl)'
need python3 'install it (Debian and Ubuntu: apt-get install python3)'
[ -x "$binary" ] || die 'bin/coldstream is missing: run make build.'

folder=$(mktemp -d "${TMPDIR:-/tmp}/coldstream-smoke.XXXXXX")
ready=$folder/ready.json
pid= members=

# field NAME…: one value of ready.json.
field() { python3 -c 'import json,sys; v=json.load(open(sys.argv[1]))
for k in sys.argv[2:]: v=v[k]
print(v)' "$ready" "$@"; }

# family: the demo and its descendants, a process id a line.
family() {
  local parents=$pid next
  while [ -n "$parents" ]; do
    printf '%s\n' $parents
    next=
    for parent in $parents; do
      next+=" $(cat "/proc/$parent/task/"*/children 2>/dev/null || true)"
    done
    parents=$(printf '%s' "$next" | xargs)
  done
}

running() { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; }

fail() {
  say "smoke: $*"
  say "The demo's own last lines:"
  tail -n 40 "$folder/screen" "$folder/log" >&2 || true
  exit 1
}

cleanup() {
  if running; then
    members=$(family)
  fi
  [ -z "$members" ] || kill -KILL $members 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# query SQL: through ClickHouse's HTTP interface, as the demo's screen says.
query() {
  curl --silent --show-error --fail-with-body --max-time 30 --user "$user:$password" --data-binary "$1" \
    "http://$clickhouse/?database=coldstream"
}

began=$SECONDS
# A process group of its own, so that the signal below goes to the demo alone, as from a terminal's supervisor.
set -m
"$binary" demo --data "$folder/data" --ready-file "$ready" \
  --kafka-addr 127.0.0.1:0 --s3-addr 127.0.0.1:0 --clickhouse-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 \
  >"$folder/screen" 2>"$folder/log" </dev/null &
pid=$!
set +m

until [ -s "$ready" ]; do
  running || fail 'the demo ended before it was ready'
  [ $((SECONDS - began)) -lt "$patience" ] || fail "not ready after $patience s"
  sleep 0.2
done
say "smoke: ready after $((SECONDS - began)) s"
[ "$(stat -c %a "$ready")" = 600 ] || fail 'ready.json can be read by others'

clickhouse=$(field clickhouse addr) user=$(field clickhouse user) password=$(field clickhouse password)
until rows=$(query 'SELECT count() FROM messages') && [ "$rows" -gt 0 ]; do
  running || fail 'the demo ended before a message arrived'
  [ $((SECONDS - began)) -lt "$patience" ] || fail "no message after $patience s: ${rows:-no answer}"
  sleep 0.2
done
say "smoke: $rows messages after $((SECONDS - began)) s"

curl --silent --fail --max-time 10 --output /dev/null "http://$(field http addr)/readyz" || fail '/readyz does not say ready'
refused=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 --data-binary 'SELECT 1' "http://$clickhouse/")
[ "$refused" = 401 ] || [ "$refused" = 403 ] || fail "a query without the password was answered with $refused"

"$binary" verify --data "$folder/data" --wait "${patience}s" --json >"$folder/verify" || fail "verify: $(cat "$folder/verify")"
python3 -c 'import json,sys
v=json.load(open(sys.argv[1]))
assert v["ok"] is True and v["topic"]["events"] > 0 and v["lake"]["events"] > 0 and v["hot"]["messages"] > 0, v
print("smoke: verify compared %d events, %d in the lake, %d messages" % (v["topic"]["events"], v["lake"]["events"], v["hot"]["messages"]), file=sys.stderr)' \
  "$folder/verify" || fail "verify: $(cat "$folder/verify")"

members=$(family)
stopping=$SECONDS
kill -INT "$pid"
while running; do
  [ $((SECONDS - stopping)) -lt 60 ] || fail 'still running a minute after Ctrl-C'
  sleep 0.1
done
status=0
wait "$pid" || status=$?
[ "$status" = 0 ] || [ "$status" = 130 ] || fail "the demo ended with $status after Ctrl-C"
ended=$SECONDS
# A child that dies with its parent needs a moment to go.
for member in $members; do
  while kill -0 "$member" 2>/dev/null; do
    [ $((SECONDS - ended)) -lt 10 ] || fail "process $member ($(tr '\0' ' ' <"/proc/$member/cmdline")) is left"
    sleep 0.1
  done
done
say "smoke: ended with $status, $((SECONDS - stopping)) s after Ctrl-C, and nothing is left"
