#!/usr/bin/env bash
# tool.sh NAME: prints the path of a development tool, building it first where it is not there.
# Each is built once at the version written here and kept in the user's cache folder under that version.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

name=${1:-}
case $name in
  golangci-lint) version=v2.15.0 path=github.com/golangci/golangci-lint/v2/cmd/golangci-lint ;;
  gofumpt) version=v0.12.0 path=mvdan.cc/gofumpt ;;
  govulncheck) version=v1.9.0 path=golang.org/x/vuln/cmd/govulncheck ;;
  benchstat) version=v0.0.0-20260908200009-22c9c6c9d4da path=golang.org/x/perf/cmd/benchstat ;;
  *) die "tool.sh knows golangci-lint, gofumpt, govulncheck and benchstat, not \"$name\"." ;;
esac
folder=$CACHE/tools/$name-$version

build() {
  [ -x "$folder/$name" ] && return 0
  need_go
  say "Building $name $version, once for all checkouts, into $folder"
  # Outside the module, so that its go.mod has no say; moved when complete.
  mkdir -p "$folder"
  (cd "$folder" && GOBIN=$folder/new GOFLAGS= go install "$path@$version" >&2)
  mv "$folder/new/$name" "$folder/$name"
  rmdir "$folder/new"
}

once "$name" build
printf '%s\n' "$folder/$name"
