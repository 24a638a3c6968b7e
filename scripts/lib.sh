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

# maven_jars NAME WHAT: prints the folder with the jars that infra/NAME/pom.xml needs; fetches them first where they are not there.
maven_jars() {
  local pom=$here/../infra/$1/pom.xml folder
  folder=$CACHE/$1-$(sha256sum "$pom" | cut -c1-12)
  once "$1" fetch_jars "$pom" "$folder" "$2"
  printf '%s\n' "$folder/libs"
}

fetch_jars() {
  local pom=$1 folder=$2 work
  [ -d "$folder/libs" ] && return 0
  need java 'install a JDK, 17 or later (Debian and Ubuntu: apt-get install openjdk-17-jdk-headless)'
  need mvn 'install Maven (Debian and Ubuntu: apt-get install maven)'
  say "Fetching $3, once for all checkouts, into $folder"
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  cp "$pom" "$work/"
  (cd "$work" && mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs >&2) ||
    die 'Maven could not fetch them: see its message above.'
  mv "$work/libs" "$folder/libs"
  rm -rf "$work"
}
