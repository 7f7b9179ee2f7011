#!/usr/bin/env bash
# Installs the wheel of dist/ where there is no compiler and no source, and runs the sample on it.
#
#   tools/check_wheel.sh PYTHON
set -euo pipefail

python=$1
shopt -s nullglob
wheels=(dist/leadtools_compat-*.whl)
if [ ${#wheels[@]} != 1 ]; then
    echo "dist/ has ${#wheels[@]} wheels, not one: make clean wheel" >&2
    exit 1
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -m venv "$place/venv"
cp -r examples "$place/"
mkdir "$place/home"
clean=(env -i PATH="$place/venv/bin" HOME="$place/home" LANG=C.UTF-8)
wheel=$PWD/${wheels[0]}
install() {
    "$place/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: "$1" \
        >"$place/log" 2>&1 || { cat "$place/log" >&2; exit 1; }
}
install "$wheel"
cd "$place"
"${clean[@]}" "$place/venv/bin/python" - <<'P'
import shutil

assert not any(map(shutil.which, ("gcc", "cc", "clang"))), "a compiler is on PATH"
import leadtools_compat
import leadtools_compat.dicom

print(f"check-wheel: leadtools_compat {leadtools_compat.__version__} imported")
P
install "$wheel[testing]" # the sample's certificates
"${clean[@]}" "$place/venv/bin/python" examples/demo.py >"$place/log" 2>&1 || { cat "$place/log" >&2; exit 1; }
echo "check-wheel: examples/demo.py ran without a compiler on PATH"
