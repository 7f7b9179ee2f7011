#!/usr/bin/env bash
# Builds an OpenSSL that still has the suites of old devices (3DES; TLS 1.0 and 1.1), from the source
# of the Debian release this runs on. For docs/tls-legacy.md; nothing uses it by default.
#
#   tools/legacy_openssl.sh [PREFIX]      default: build/legacy-openssl
#
# About ten minutes. JOBS is the number of compilers (default: all cores).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian_source.sh"
prefix=${1:-$here/../build/legacy-openssl}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)

if [ -x "$prefix/bin/openssl" ] && LD_LIBRARY_PATH=$prefix/lib "$prefix/bin/openssl" version; then
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo "legacy_openssl: fetching the source"
own_apt "$work/apt" deb-src "" update
# Debian's own patches are not needed: the upstream archive is, whose digest is in the signed index.
own_apt "$work/apt" deb-src "" --download-only source openssl >"$work/log" 2>&1 || true
archive=$(ls "$work"/openssl_*.orig.tar.* 2>/dev/null | grep -v '\.asc$' | sort -V | tail -1 || true)
if [ -z "$archive" ]; then
    cat "$work/log" >&2
    echo "legacy_openssl: Debian's source of openssl cannot be fetched" >&2
    exit 1
fi
mkdir source
tar -xf "$archive" -C source --strip-components=1
cd source
echo "legacy_openssl: building $(basename "$archive")"
./Configure --prefix="$prefix" --libdir=lib --openssldir="$prefix/ssl" \
    enable-weak-ssl-ciphers no-tests shared >"$work/log" 2>&1 &&
    make -s -j"${JOBS:-$(nproc)}" build_sw >>"$work/log" 2>&1 &&
    make -s install_sw >>"$work/log" 2>&1 ||
    { tail -50 "$work/log" >&2; exit 1; }
LD_LIBRARY_PATH=$prefix/lib "$prefix/bin/openssl" version
echo "legacy_openssl: in $prefix"
