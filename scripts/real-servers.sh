#!/usr/bin/env bash
# Apache Kafka (KRaft, one node) and MinIO on free loopback ports, for tests on the real servers.
#
#   real-servers.sh start        starts both, waits until they answer, prints the export lines that tests read
#   real-servers.sh stop         ends exactly the processes that start began, and removes their data
#   real-servers.sh run -- CMD   starts both, runs CMD with those variables, stops both; exits as CMD did
#   real-servers.sh fetch        starts nothing: fetches and builds what is missing, prints the export lines that say where it is
#
# Kafka comes as jars through Maven (43 MB), MinIO is built from its Go module (about three minutes); both once, into the
# user's cache folder. Java 17 or later and Maven are installed with apt-get where that is possible. Data is temporary,
# but Kafka's stays where COLDSTREAM_KAFKA_DATA names a folder for it: a benchmark's topic is filled once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

kafka_version=4.3.0
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
kafka_home=$CACHE/kafka-$kafka_version
minio_home=$CACHE/tools/minio-$minio_version
current=$CACHE/real-servers # what `start` began
minio_user=coldstream
minio_password=coldstream-secret
start_seconds=90

# install COMMAND PACKAGE: gets a missing command where this is root on a Debian, else says how to.
install() {
  command -v "$1" >/dev/null 2>&1 && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing $2"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2"; } >&2 ||
      die "$1 is missing and apt-get could not install $2."
  else
    die "$1 is missing: install it (Debian and Ubuntu: sudo apt-get install $2)."
  fi
}

check_java() {
  install java openjdk-17-jre-headless
  local major
  major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${major:-0}" -ge 17 ] || die "Kafka $kafka_version needs Java 17 or later and this is ${major:-unknown}: install a newer one and put it first on PATH."
}

fetch_kafka() {
  [ -d "$kafka_home/libs" ] && return 0
  install mvn maven
  say "Fetching Apache Kafka $kafka_version (43 MB, once for all checkouts) into $kafka_home"
  local work
  mkdir -p "$kafka_home"
  work=$(mktemp -d "$kafka_home/fetch.XXXXXX")
  cp "$here/../infra/kafka/pom.xml" "$work/"
  (cd "$work" && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs >&2) ||
    die "Maven could not fetch Kafka $kafka_version: see its message above."
  mv "$work/libs" "$kafka_home/libs"
  rm -rf "$work"
}

build_minio() {
  [ -x "$minio_home/minio" ] && return 0
  need_go
  say "Building MinIO, once for all checkouts, into $minio_home (about three minutes)"
  mkdir -p "$minio_home"
  (cd "$minio_home" && GOBIN=$minio_home/new GOFLAGS= CGO_ENABLED=0 go install "github.com/minio/minio@$minio_version" >&2)
  mv "$minio_home/new/minio" "$minio_home/minio"
  rmdir "$minio_home/new"
}

# answers PORT: does anything listen there?
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: a loopback port that nothing listens on and that this script has not given out.
taken_ports=' '
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); do
    case $taken_ports in *" $port "*) continue ;; esac
    answers "$port" || break
  done
  taken_ports+="$port "
  found_port=$port
}

# kafka_answers PORT: sends ApiVersions version 0 and waits for a reply.
kafka_answers() {
  local reply
  reply=$({
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf '\0\0\0\012\0\022\0\0\0\0\0\001\377\377' >&3
    timeout 2 head -c 8 <&3 | wc -c
  } 2>/dev/null) || return 1
  [ "$reply" = 8 ]
}

# minio_answers PORT: is it alive?
minio_answers() {
  local reply
  reply=$({
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET /minio/health/live HTTP/1.0\r\n\r\n' >&3
    timeout 2 head -n 1 <&3
  } 2>/dev/null) || return 1
  case $reply in *' 200 '*) return 0 ;; *) return 1 ;; esac
}

# remember FOLDER NAME PID: notes a process that was started, with the moment at which it began.
remember() { printf '%s %s %s\n' "$2" "$3" "$(began "$3")" >>"$1/pids"; }

# began PID: when a process began, in clock ticks since boot; empty when there is none.
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20 || true; }

# certify FOLDER: a certificate for loopback that is its own authority, for Kafka and (ca.pem) for its clients.
certify() {
  local key=(-keystore "$1/kafka.p12" -storetype PKCS12 -storepass coldstream -alias kafka)
  keytool -genkeypair "${key[@]}" -keyalg EC -dname CN=localhost -ext SAN=dns:localhost,ip:127.0.0.1 -validity 2 >"$1/keytool.log" 2>&1 &&
    keytool -exportcert "${key[@]}" -rfc >"$1/ca.pem" 2>>"$1/keytool.log" || fail "$1" keytool 'keytool (of Java) could not make a certificate'
}

start_kafka() {
  local folder=$1 port=$2 controller=$3 secured=$4 id data=${COLDSTREAM_KAFKA_DATA:-$1/kafka}
  certify "$folder"
  cat "$here/../infra/kafka/server.properties" "$here/../infra/kafka/secured.properties" |
    sed -e "s|@KAFKA_PORT@|$port|g; s|@CONTROLLER_PORT@|$controller|g; s|@SECURED_PORT@|$secured|g; s|@KEYSTORE@|$folder/kafka.p12|g; s|@DATA@|$data|g" \
      >"$folder/server.properties"
  cp "$here/../infra/kafka/log4j2.xml" "$folder/"
  local java=(java -Dlog4j2.configurationFile="$folder/log4j2.xml" -cp "$kafka_home/libs/*")
  if [ ! -f "$data/meta.properties" ]; then
    id=$("${java[@]}" kafka.tools.StorageTool random-uuid 2>/dev/null | tail -n 1)
    "${java[@]}" kafka.tools.StorageTool format --standalone -t "$id" -c "$folder/server.properties" >"$folder/kafka.log" 2>&1 ||
      fail "$folder" kafka 'Kafka could not make its data folder'
  fi
  "${java[@]}" -Xmx1g kafka.Kafka "$folder/server.properties" >>"$folder/kafka.log" 2>&1 </dev/null &
  remember "$folder" kafka $!
}

start_minio() {
  local folder=$1 port=$2 console=$3
  mkdir -p "$folder/minio"
  MINIO_ROOT_USER=$minio_user MINIO_ROOT_PASSWORD=$minio_password MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=1 \
    "$minio_home/minio" server --quiet --address "127.0.0.1:$port" --console-address "127.0.0.1:$console" "$folder/minio" \
    >"$folder/minio.log" 2>&1 </dev/null &
  remember "$folder" minio $!
}

# fail FOLDER NAME WHY: shows the end of a server's log, stops what runs and leaves.
fail() {
  tail -n 20 "$1/$2.log" >&2 || true
  stop_all "$1"
  die "$3."
}

# wait_for FOLDER NAME CHECK PORT: until the server answers; not beyond its death or start_seconds.
wait_for() {
  local folder=$1 name=$2 check=$3 port=$4 pid deadline=$((SECONDS + start_seconds))
  pid=$(sed -n "s/^$name \([0-9]*\) .*/\1/p" "$folder/pids")
  until "$check" "$port"; do
    kill -0 "$pid" 2>/dev/null || fail "$folder" "$name" "$name ended instead of starting"
    [ "$SECONDS" -lt "$deadline" ] || fail "$folder" "$name" "$name did not answer within $start_seconds s"
    sleep 0.2
  done
}

# start_all FOLDER: both servers, with their data and pids in FOLDER; FOLDER/env gets the variables.
start_all() {
  local folder=$1 kafka controller secured minio console
  check_java
  once kafka fetch_kafka
  once minio build_minio
  free_port && kafka=$found_port
  free_port && controller=$found_port
  free_port && secured=$found_port
  free_port && minio=$found_port
  free_port && console=$found_port
  start_minio "$folder" "$minio" "$console"
  start_kafka "$folder" "$kafka" "$controller" "$secured"
  wait_for "$folder" kafka kafka_answers "$kafka"
  wait_for "$folder" minio minio_answers "$minio"
  printf 'export COLDSTREAM_TEST_KAFKA=127.0.0.1:%s\n' "$kafka" >"$folder/env"
  printf 'export COLDSTREAM_TEST_KAFKA_SECURED=127.0.0.1:%s,ann,coldstream-secret,%s\n' "$secured" "$folder/ca.pem" >>"$folder/env"
  printf 'export COLDSTREAM_TEST_S3=127.0.0.1:%s,%s,%s\n' "$minio" "$minio_user" "$minio_password" >>"$folder/env"
}

# stop_all FOLDER: ends what FOLDER/pids names, if it is still the process that was started, and removes FOLDER.
stop_all() {
  local folder=$1 name pid since
  [ -d "$folder" ] || return 0
  if [ -f "$folder/pids" ]; then
    while read -r name pid since; do
      [ -n "$since" ] && [ "$(began "$pid")" = "$since" ] || continue
      kill "$pid" 2>/dev/null || continue
      for _ in $(seq 100); do
        [ "$(began "$pid")" = "$since" ] && kill -0 "$pid" 2>/dev/null || continue 2
        sleep 0.1
      done
      say "$name (process $pid) did not end within 10 s: killed."
      kill -KILL "$pid" 2>/dev/null || true
    done <"$folder/pids"
  fi
  rm -rf "$folder"
}

case ${1:-} in
  fetch)
    check_java
    once kafka fetch_kafka
    once minio build_minio
    printf 'export COLDSTREAM_KAFKA_LIBS=%s\n' "$kafka_home/libs"
    printf 'export COLDSTREAM_MINIO=%s\n' "$minio_home/minio"
    ;;
  start)
    [ ! -e "$current" ] || die "servers are noted in $current: run real-servers.sh stop first."
    mkdir -p "$current"
    start_all "$current"
    cat "$current/env"
    ;;
  stop)
    stop_all "$current"
    ;;
  run)
    shift
    [ "${1:-}" = -- ] && shift
    [ $# -gt 0 ] || die 'usage: real-servers.sh run -- COMMAND…'
    folder=$(mktemp -d "${TMPDIR:-/tmp}/coldstream-real.XXXXXX")
    trap 'stop_all "$folder"' EXIT
    trap 'exit 130' INT TERM
    start_all "$folder"
    . "$folder/env"
    status=0
    "$@" || status=$?
    exit "$status"
    ;;
  *)
    die 'usage: real-servers.sh start | stop | fetch | run -- COMMAND…'
    ;;
esac
