#!/usr/bin/env bash
# Prints the path of a Python that has scripts/requirements.txt, in a virtual environment in the user's cache folder;
# makes it first where it is not there. Tests find it by COLDSTREAM_PYTHON.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

need python3 'install Python 3.10 or later with venv (Debian and Ubuntu: apt-get install python3-venv)'
key=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')-$(sha256sum "$here/requirements.txt" | cut -c1-12)
folder=$CACHE/python/$key

build() {
  [ -e "$folder/complete" ] && return 0
  say "Installing Python clients for tests, once for all checkouts, into $folder"
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  python3 -m venv "$folder" >&2 ||
    die 'Python cannot make virtual environments here: install its venv module (Debian and Ubuntu: apt-get install python3-venv).'
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --requirement "$here/requirements.txt" >&2
  touch "$folder/complete"
}

once python build
printf '%s\n' "$folder/bin/python"
