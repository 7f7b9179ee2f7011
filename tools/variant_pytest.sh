#!/usr/bin/env bash
# Runs pytest on a build with other flags, in a folder of its own (build/<variant>).
#
#   tools/variant_pytest.sh asan|tsan|poll PYTHON [PYTEST-ARGUMENT...]
set -euo pipefail

variant=$1
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
shift 2
root=$PWD
folder=build/$variant
mkdir -p "$folder"
"$python" tools/mirror_tree.py "$folder"
cd "$folder"
logs=$PWD/build/sanitizer-logs
rm -rf "$logs"
mkdir -p "$logs"

case $variant in
    asan)
        flags="-fsanitize=address,undefined -fno-sanitize-recover=all"
        LTDIC_CFLAGS="$flags -O1 -fno-omit-frame-pointer -U_FORTIFY_SOURCE" LTDIC_LDFLAGS="$flags" \
            "$python" setup.py -q build_ext --inplace
        LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
        # The interpreter itself leaks on purpose: leaks are looked for by the C units.
        ASAN_OPTIONS=detect_leaks=0:log_path=$logs/asan
        UBSAN_OPTIONS=print_stacktrace=1
        PYTHONMALLOC=malloc
        export LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS PYTHONMALLOC LTDIC_SANITIZE=1
        ;;
    tsan)
        flags="-fsanitize=thread"
        LTDIC_CFLAGS="$flags -O1 -fno-omit-frame-pointer -U_FORTIFY_SOURCE" LTDIC_LDFLAGS="$flags" \
            "$python" setup.py -q build_ext --inplace
        LD_PRELOAD=$(gcc -print-file-name=libtsan.so)
        # Neither the interpreter nor OpenSSL is instrumented: only what is in our library counts.
        TSAN_OPTIONS=suppressions=$root/tools/tsan.supp:ignore_noninstrumented_modules=1:die_after_fork=0:log_path=$logs/tsan
        export LD_PRELOAD TSAN_OPTIONS LTDIC_SANITIZE=1
        ;;
    poll)
        LTDIC_POLLER=poll "$python" setup.py -q build_ext --inplace
        ;;
    *)
        echo "unknown variant $variant" >&2
        exit 2
        ;;
esac

export PYTHONPATH=$PWD
rc=0
# Capture in Python only: with the descriptors captured, the last words of a dying process are lost.
"$python" -m pytest --capture=sys "$@" 2>"$logs/stderr" || rc=$?
reports=$(cat "$logs"/* | grep -vE '^ltdic: ' || true)
if grep -qE 'Sanitizer|runtime error' <<<"$reports" || { [ $rc != 0 ] && [ -n "$reports" ]; }; then
    echo "Written to standard error, and by the sanitizers:"
    head -n 200 <<<"$reports"
    [ $rc != 0 ] || rc=1
fi
exit $rc
