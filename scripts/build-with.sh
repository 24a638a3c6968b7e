#!/usr/bin/env bash
# build-with.sh [-o FILE] FOLDER…: builds a coldstream that has the processors of Go modules of your own in it.
# Each FOLDER holds a module whose root package registers them (package custom); FILE is bin/coldstream unless told.
# Nothing of the tree changes: the modules are joined by a workspace, and the import by an overlay, both for this build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/lib.sh"
need_go

out=$root/bin/coldstream
if [ "${1:-}" = -o ]; then
  [ $# -ge 2 ] || die 'build-with.sh: -o wants a file.'
  out=$(realpath -m "$2")
  shift 2
fi
[ $# -gt 0 ] || die 'build-with.sh [-o FILE] FOLDER…: name the folders of the modules to build in, such as docs/examples/processor.'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folders=()
printf 'package main\n\nimport (\n' >"$work/with.go"
for folder; do
  [ -f "$folder/go.mod" ] || die "build-with.sh: $folder holds no Go module (go.mod)."
  folder=$(cd "$folder" && pwd)
  folders+=("$folder")
  printf '\t_ "%s"\n' "$(cd "$folder" && GOWORK=off go list -m)" >>"$work/with.go"
done
printf ')\n' >>"$work/with.go"
printf '{"Replace": {"%s": "%s"}}\n' "$root/cmd/coldstream/zz_with.go" "$work/with.go" >"$work/overlay.json"
export GOWORK=$work/go.work
go work init "$root" "${folders[@]}"
cd "$root"
version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
go build -overlay "$work/overlay.json" -ldflags "-X main.version=$version+own" -o "$out" ./cmd/coldstream
say "Built $out with ${#folders[@]} module(s) of your own"
