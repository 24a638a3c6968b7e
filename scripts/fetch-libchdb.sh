#!/usr/bin/env bash
# Puts libchdb, the ClickHouse engine as a library, into the user's cache folder, where every checkout finds it,
# and prints its path on standard output. Does nothing when it is there already, or when COLDSTREAM_LIBCHDB names one.
#
# Tried on Linux x86-64 with glibc only. Untried: other processors, musl (Alpine), macOS, Windows.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

version=26.7.3-stable.1
package=@chdb/lib-linux-x64-gnu@$version
# What the package's archive and the library in it must hash to: sha512 as npm writes it (base64), and sha256 in hex.
archive_sha512='XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=='
library_sha256=36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5

folder=$CACHE/libchdb/$version
library=$folder/libchdb.so

check_platform() {
  local system
  system="$(uname -s) $(uname -m)"
  [ "$system" = 'Linux x86_64' ] ||
    die "libchdb is fetched for Linux x86-64 only and this is $system: set COLDSTREAM_LIBCHDB to a libchdb of your own, or use a ClickHouse server with --clickhouse-addr and --clickhouse-user."
  getconf GNU_LIBC_VERSION >/dev/null 2>&1 ||
    die 'libchdb needs glibc and this system has another C library: use a ClickHouse server with --clickhouse-addr and --clickhouse-user.'
}

# still WHAT: a line every five seconds, until it is killed, so that a slow download does not look hung.
still() {
  local seconds=0
  while sleep 5; do
    seconds=$((seconds + 5))
    say "  … $1, $seconds s"
  done
}

download() {
  local ticker status=0
  say "Fetching libchdb $version (178 MB, once for all checkouts) into $folder"
  still downloading &
  ticker=$!
  # npm keeps a second copy of what it downloads: in the temporary folder, where it goes away.
  (cd "$work" && npm pack --silent --cache "$work/npm" "$package" >"$work/name") || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [ "$status" = 0 ] || die "npm could not fetch $package: see its message above; a library from elsewhere can be named by COLDSTREAM_LIBCHDB."
}

verify_archive() {
  local want got
  want=$(printf '%s' "$archive_sha512" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  got=$(sha512sum "$1" | cut -d' ' -f1)
  [ "$want" = "$got" ] || die "the archive of $package has the wrong sha512 ($got): it was not used."
}

install_library() {
  local found
  tar -xzf "$1" -C "$work"
  found=$(find "$work" -name libchdb.so -type f -print -quit)
  [ -n "$found" ] || die "the archive of $package holds no libchdb.so."
  printf '%s  %s\n' "$library_sha256" "$found" | sha256sum --check --status ||
    die "libchdb.so of $package has the wrong sha256: it was not used."
  chmod 0755 "$found"
  # The same file system, so this is a rename: nobody ever sees half a library.
  mv "$found" "$library"
}

fetch() {
  [ -s "$library" ] && return 0
  need npm 'install Node.js 20 or later, which brings it (https://nodejs.org, or: apt-get install npm), or name a libchdb.so that you have by COLDSTREAM_LIBCHDB'
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  download
  local archive
  archive=$work/$(tail -n 1 "$work/name")
  verify_archive "$archive"
  install_library "$archive"
  rm -rf "$work"
}

if [ -n "${COLDSTREAM_LIBCHDB:-}" ]; then
  [ -r "$COLDSTREAM_LIBCHDB" ] || die "COLDSTREAM_LIBCHDB names $COLDSTREAM_LIBCHDB, which cannot be read: correct it or unset it."
  printf '%s\n' "$COLDSTREAM_LIBCHDB"
  exit 0
fi
check_platform
once libchdb fetch
printf '%s\n' "$library"
