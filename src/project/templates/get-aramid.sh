#!/bin/sh
# Prints the path of Aramid's program; downloads it when it is not there. Made by `aramid init`.
#
# Looked for in this order: aramid in PATH, bin/aramid of this project, and what ARAMID_DOWNLOAD_URL
# leads to. A download is only used when its SHA-256 is the one in ARAMID_SHA256.
set -eu

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

die() {
    echo "get-aramid: $*" >&2
    exit 3
}

found() {
    # On GitHub Actions the steps that follow find it in PATH.
    [ -z "${GITHUB_PATH:-}" ] || dirname -- "$1" >>"$GITHUB_PATH"
    printf '%s\n' "$1"
    exit 0
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi |
        cut -c1-64
}

if path=$(command -v aramid); then found "$path"; fi
if [ -f "$project/bin/aramid" ]; then
    [ -x "$project/bin/aramid" ] ||
        die "bin/aramid is not executable; type: git update-index --chmod=+x bin/aramid"
    found "$project/bin/aramid"
fi

[ -n "${ARAMID_DOWNLOAD_URL:-}" ] ||
    die "there is no aramid in PATH and no bin/aramid; put it there, or set ARAMID_DOWNLOAD_URL and ARAMID_SHA256"
wanted=$(printf '%s' "${ARAMID_SHA256:-}" | tr 'A-F' 'a-f')
case $wanted in
    *[!0-9a-f]* | "") die "ARAMID_SHA256 must be the SHA-256 of the program, 64 hexadecimal digits" ;;
esac
[ "${#wanted}" -eq 64 ] || die "ARAMID_SHA256 has ${#wanted} characters instead of 64"

target=$project/.aramid/bin/aramid
if [ -x "$target" ] && [ "$(sha256 "$target")" = "$wanted" ]; then found "$target"; fi

mkdir -p "$project/.aramid/bin"
new=$(mktemp "$project/.aramid/bin/new-XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 --max-time 600 \
        --output "$new" "$ARAMID_DOWNLOAD_URL" || die "the download failed"
else
    wget -q -T 60 -O "$new" "$ARAMID_DOWNLOAD_URL" || die "the download failed"
fi
got=$(sha256 "$new")
[ "$got" = "$wanted" ] || die "the download has the SHA-256 $got instead of $wanted; it is not used"
chmod 755 "$new"
mv -f "$new" "$target"
found "$target"
