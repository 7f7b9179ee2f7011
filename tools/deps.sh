#!/usr/bin/env bash
# Installs what is missing of Debian's packages (12 and 13; Ubuntu has the same names), quietly and
# only then: with everything in place no network is needed.
#
#   tools/deps.sh build|test|bench|all PYTHON
set -euo pipefail

group=${1:-all}
python=${2-python3}
missing=()

need() { # PACKAGE COMMAND...: the package is missing when the command fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1" || [ -x "/usr/sbin/$1" ]; } # users have no sbin on their path
includes_cxx() { echo "#include <$1>" | g++ -E -x c++ - -o /dev/null; }
includes() { echo "#include <$1>" | gcc -E -x c - -o /dev/null; }
gcc_has() { [ -e "$(gcc -print-file-name="$1")" ]; }
clang_has() { [ -e "$(clang -print-resource-dir)/lib/linux/libclang_rt.$1-$(uname -m).a" ]; }
clang_major() { clang -dumpversion 2>/dev/null | cut -d. -f1; }
provider() { [ -e "$(openssl version -m 2>/dev/null | cut -d'"' -f2)/$1.so" ]; }
python_has() { "$python" -c "$1"; }

look() {
    missing=()
    need gcc has gcc
    need libc6-dev includes stdio.h
    need libssl-dev includes openssl/ssl.h
    # A Python that does not come from Debian brings these two itself.
    if [ -z "$python" ]; then
        missing+=(python3 python3-venv python3-dev)
        python=python3 # as it will be called
    else
        need python3-venv python_has 'import ensurepip, venv'
        need python3-dev python_has \
            'import os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")'
    fi
    [ "$group" = build ] && return
    need binutils has readelf
    need openssl has openssl
    need pkgconf has pkg-config
    need dcmtk has storescu
    need chromium has chromium # the page of the diagnosis is looked at in a browser
    need orthanc has Orthanc
    need haproxy has haproxy
    need stunnel4 has stunnel
    need tshark has tshark
    # Keys in tokens: the token, the tool that fills it, and OpenSSL's way to it.
    need softhsm2 has softhsm2-util
    need opensc has pkcs11-tool
    need pkcs11-provider provider pkcs11
    need openssl-provider-legacy provider legacy # Debian 12 has it in libssl3
    need iproute2 has ip
    need sslscan has sslscan
    need testssl.sh has testssl
    [ "$group" = test ] && return
    if [ "$group" = bench ]; then
        need g++ has g++
        need libdcmtk-dev includes_cxx dcmtk/dcmtls/tlslayer.h
        need util-linux has taskset
        return
    fi
    need clang has clang
    need clang-tidy has clang-tidy
    need libgcc-12-dev gcc_has libtsan.so
    need "libclang-rt-$(clang_major)-dev" clang_has fuzzer
}

install() {
    if [ "$(id -u)" = 0 ]; then
        sudo=()
    elif sudo -n true 2>/dev/null; then
        sudo=(sudo)
    else
        sudo=(none)
    fi
    if [ "${sudo[*]:-}" = none ] || ! has apt-get >/dev/null; then
        echo "Missing: ${missing[*]} (names of Debian's packages). Install them, as root:" >&2
        echo "    apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "deps: installing ${missing[*]}"
    log=$(mktemp)
    if ! "${sudo[@]}" apt-get update -qq >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
    rest=()
    for package in "${missing[@]}"; do
        if [ "$package" = pkcs11-provider ] && ! apt-cache show pkcs11-provider >/dev/null 2>&1; then
            install_provider
        else
            rest+=("$package")
        fi
    done
    [ ${#rest[@]} = 0 ] && return
    if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${rest[@]}" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
}

# Debian 12 has this one among its backports only. They are asked for it alone.
install_provider() {
    own=$(mktemp -d)
    . "$(dirname "$0")/debian_source.sh"
    echo "deps: installing pkcs11-provider"
    if ! { "${sudo[@]}" bash -c '. "$1"; own_apt "$2" deb -backports update &&
            DEBIAN_FRONTEND=noninteractive own_apt "$2" deb -backports \
                install -y --no-install-recommends pkcs11-provider' \
        sh "$(dirname "$0")/debian_source.sh" "$own"; } >"$own/log" 2>&1; then
        cat "$own/log" >&2
        exit 1
    fi
    "${sudo[@]}" rm -rf "$own"
}

# The compilers come in the first round; the second one can ask them for their own parts.
for round in 1 2; do
    look
    [ ${#missing[@]} = 0 ] && break
    if [ $round = 1 ]; then
        kept=()
        for package in "${missing[@]}"; do
            case $package in
                libclang-rt-*) has clang >/dev/null && kept+=("$package") ;;
                libgcc-*) has gcc >/dev/null && kept+=("libgcc-$(gcc -dumpversion | cut -d. -f1)-dev") ;;
                *) kept+=("$package") ;;
            esac
        done
        missing=(${kept[@]+"${kept[@]}"})
    fi
    [ ${#missing[@]} = 0 ] || install
done
look
if [ ${#missing[@]} != 0 ]; then
    echo "Still missing after installing: ${missing[*]}" >&2
    exit 1
fi
