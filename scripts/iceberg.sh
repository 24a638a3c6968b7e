#!/usr/bin/env bash
# Prints the folder with the jars of Iceberg's own Java library and of its REST catalog server (infra/iceberg/pom.xml);
# fetches them through Maven first where they are not there (168 MB, once for all checkouts). Tests find them by
# COLDSTREAM_ICEBERG. Java 17 or later and Maven are needed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

pom=$here/../infra/iceberg/pom.xml
folder=$CACHE/iceberg-$(sha256sum "$pom" | cut -c1-12)

fetch() {
  [ -d "$folder/libs" ] && return 0
  need java 'install a JDK, 17 or later (Debian and Ubuntu: apt-get install openjdk-17-jdk-headless)'
  need mvn 'install Maven (Debian and Ubuntu: apt-get install maven)'
  say "Fetching Iceberg's Java library and REST catalog (168 MB, once for all checkouts) into $folder"
  local work
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  cp "$pom" "$work/"
  (cd "$work" && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs >&2) ||
    die 'Maven could not fetch Iceberg: see its message above.'
  mv "$work/libs" "$folder/libs"
  rm -rf "$work"
}

once iceberg fetch
printf '%s\n' "$folder/libs"
