#!/usr/bin/env bash
# Prints the folder with the jars of Iceberg's own Java library and of its REST catalog server (infra/iceberg/pom.xml);
# fetches them through Maven first where they are not there (168 MB, once for all checkouts). Tests find them by
# COLDSTREAM_ICEBERG. Java 17 or later and Maven are needed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

maven_jars iceberg "Iceberg's Java library and REST catalog (168 MB)"
