#!/usr/bin/env bash
# Builds the C++ core under the address and undefined-behaviour sanitizers, and runs its test, which is written in C.
# `run.sh SECONDS` fuzzes for so long (default 15). The picture libraries of OpenCV are linked here only, to compare with.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
core=$root/Sources/CVision
out=$root/.build/cvision-tests
mkdir -p "$out"

cc=${CC:-$(command -v clang || command -v gcc)}
cxx=${CXX:-$(command -v clang++ || command -v g++)}
# OpenCV is not instrumented, so its types are unknown to the vptr check.
flags=(-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all
    -Wall -Wextra -Werror -I"$core/include")
# Layers on oneDNN where version 2 of it is, as Package.swift has it.
sources=("$core"/*.cpp "$core"/openvino/*.cpp "$here"/*.cpp "$here"/*.c)
libraries=(-lopencv_imgcodecs -lopencv_dnn -lopencv_imgproc -lopencv_core -lturbojpeg -lpng16 -lwebp)
if grep -qsE '^#define[[:space:]]+DNNL_VERSION_MAJOR[[:space:]]+2[[:space:]]*$' /usr/include/oneapi/dnnl/dnnl_version.h; then
    sources+=("$core"/onednn/*.cpp)
    flags+=(-DVISION_ONEDNN)
    libraries+=(-ldnnl -lgomp)
fi
newest_header=$(find "$core" "$here" \( -name '*.h' -o -name '*.hpp' \) -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)

# Two folders may have files of one name.
object_of() { echo "$out/$(basename "$(dirname "$1")")-$(basename "$1").o"; }

compile() {
    local source=$1 object
    object=$(object_of "$source")
    if [ "$object" -nt "$source" ] && [ "$object" -nt "$newest_header" ] && [ "$object" -nt "$here/run.sh" ]; then return; fi
    echo "compiling $(basename "$source")"
    case "$source" in
        *.c) "$cc" -std=c11 "${flags[@]}" -c "$source" -o "$object" ;;
        *) "$cxx" -std=c++17 "${flags[@]}" -isystem /usr/include/opencv4 -c "$source" -o "$object" ;;
    esac
}
objects=()
running=()
for source in "${sources[@]}"; do
    objects+=("$(object_of "$source")")
    compile "$source" &
    running+=($!)
    if [ ${#running[@]} -ge 2 ]; then wait "${running[0]}"; running=("${running[@]:1}"); fi
done
for job in "${running[@]}"; do wait "$job"; done

# Swift's clang would take gold, which warns about the sanitizer itself.
"$cxx" "${flags[@]}" -fuse-ld=bfd "${objects[@]}" -o "$out/test" "${libraries[@]}"

# What libraries allocate once and keep is not ours.
cat >"$out/leaks" <<'TEXT'
leak:libtbb
leak:libgdal
leak:libgio
leak:libglib
leak:libproj
leak:libopencv_core
leak:libopencv_dnn
leak:libprotobuf
leak:libopenvino
leak:ld-linux
TEXT
export LSAN_OPTIONS=suppressions=$out/leaks:print_suppressions=0
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
cd "$root"
# OpenVINO where it is named, else where the tests' Python has it.
for package in .venv/lib/python3*/site-packages/openvino; do
    if [ -z "${FRAMEMESH_OPENVINO:-}" ] && [ -d "$package" ]; then export FRAMEMESH_OPENVINO=$root/$package; fi
done
models=$root/../shared/models
[ -d "$models" ] || models=
places=("$root/Tests/VisionTests/Fixtures" "$root/Sources/framemesh/Resources/models" "$models")
"$out/test" "${places[@]}" "${1:-15}"
# oneDNN takes the best instructions that it finds; here what it has for other machines.
for instructions in AVX2 SSE41; do
    echo "CVision on $instructions"
    ONEDNN_MAX_CPU_ISA=$instructions "$out/test" "${places[@]}" 0
done
