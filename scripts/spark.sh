#!/usr/bin/env bash
# Prints the folder with the jars of Spark and of Iceberg's runtime for it (infra/spark/pom.xml); fetches them through
# Maven first where they are not there (375 MB, once for all checkouts). Tests find them by COLDSTREAM_SPARK. Java 17 or
# later and Maven are needed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

maven_jars spark "Spark and Iceberg's runtime for it (375 MB)"
