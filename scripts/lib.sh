# Sourced by the other scripts: where things are kept, and how to say what is missing.

# Everything that is fetched or built once for all checkouts lives here.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/coldstream

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 3
}

# need COMMAND HOW: stops with one sentence when COMMAND is not installed.
need() {
  command -v "$1" >/dev/null 2>&1 || die "$1 is missing: $2."
}

need_go() { need go 'install Go 1.26 or later (https://go.dev/dl) and put its bin folder on PATH'; }

# once NAME COMMAND…: runs COMMAND while no other script runs one of the same NAME.
once() {
  local name=$1
  shift
  mkdir -p "$CACHE/locks"
  if command -v flock >/dev/null 2>&1; then
    (
      flock 9
      "$@" 9>&-
    ) 9>"$CACHE/locks/$name"
  else
    "$@"
  fi
}
