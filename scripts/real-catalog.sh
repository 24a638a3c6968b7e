#!/usr/bin/env bash
# Iceberg's own REST catalog server on a free loopback port, for tests that commit through one.
#
#   real-catalog.sh run -- CMD   starts it over the object store of COLDSTREAM_TEST_S3 (host:port,key,secret; see
#                                real-servers.sh), runs CMD with COLDSTREAM_TEST_CATALOG, stops it; exits as CMD did
#
# It is the test fixture of apache/iceberg, with its state in a temporary SQLite file; up in a few seconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

[ "${1:-}" = run ] && [ "${2:-}" = -- ] && [ $# -gt 2 ] || die 'usage: real-catalog.sh run -- COMMAND…'
shift 2
IFS=, read -r store key secret <<<"${COLDSTREAM_TEST_S3:?names the object store: run this inside real-servers.sh run}"
jars=$("$here/iceberg.sh")
folder=$(mktemp -d "${TMPDIR:-/tmp}/coldstream-catalog.XXXXXX")
pid=

cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

while port=$((20000 + RANDOM % 12000)); do
  answers "$port" || break
done
CATALOG_REST_PORT=$port CATALOG_URI="jdbc:sqlite:$folder/catalog.db" CATALOG_CLIENTS=1 CATALOG_WAREHOUSE=s3://unused/ \
  CATALOG_IO__IMPL=org.apache.iceberg.aws.s3.S3FileIO CATALOG_S3_ENDPOINT="http://$store" CATALOG_S3_PATH__STYLE__ACCESS=true \
  CATALOG_S3_ACCESS__KEY__ID=$key CATALOG_S3_SECRET__ACCESS__KEY=$secret AWS_REGION=us-east-1 \
  java -Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*" org.apache.iceberg.rest.RESTCatalogServer \
  >"$folder/log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 600); do
  answers "$port" && break
  kill -0 "$pid" 2>/dev/null || { tail -n 20 "$folder/log" >&2; die 'the REST catalog ended instead of starting.'; }
  sleep 0.1
done
answers "$port" || die 'the REST catalog did not answer within 60 s.'
status=0
COLDSTREAM_TEST_CATALOG=http://127.0.0.1:$port "$@" || status=$?
[ "$status" = 0 ] || grep -v "^[[:space:]]*at " "$folder/log" | tail -n 20 >&2
exit "$status"
