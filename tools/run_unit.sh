#!/usr/bin/env bash
# Runs one C test: one line when it passes, the end of its output when it does not (all of it lies
# beside the program).
#
#   tools/run_unit.sh VARIANT SECONDS PROGRAM [ARGUMENT...]     (SECONDS 0: no limit)
set -euo pipefail

variant=$1
limit=$2
program=$3
shift 3
name=$(basename "$program")
prefix=()
if [ "$variant" = tsan ] && setarch -R true 2>/dev/null; then
    prefix=(setarch -R) # gcc's thread sanitizer and wide address randomisation do not go together
fi
log=$program.log
start=$(date +%s%N)
rc=0
timeout -k 5 "$limit" ${prefix[@]+"${prefix[@]}"} "$program" "$@" >"$log" 2>&1 || rc=$?
elapsed=$((($(date +%s%N) - start) / 1000000))
case $rc in
    0) word=ok ;;
    77) word=skipped ;;
    124 | 137) word="TIMED OUT after $limit s" ;;
    *) word="FAILED ($rc)" ;;
esac
printf '  %-6s %-32s %s  %d.%02d s\n' "$variant" "$name" "$word" $((elapsed / 1000)) $((elapsed % 1000 / 10))
[ $rc = 77 ] && rc=0
[ $rc = 0 ] || tail -n 200 "$log"
exit $rc
