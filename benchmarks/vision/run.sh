#!/usr/bin/env bash
# Forward passes of OpenCV, OpenCV with layers on oneDNN, ONNX Runtime and OpenVINO, and preprocessing, one thread each, in
# turns.
#   benchmarks/vision/run.sh [--models FOLDER] [--rounds N] [--passes N] [--only NAME…] [--output NAME]
# Needs libopencv-dev and libdnnl-dev (dev/setup.sh); the other engines come from PyPI into .build/vision-bench.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/.build/vision-bench
core=$root/Sources/CVision
mkdir -p "$out"
if ! cmp -s "$here/requirements.txt" "$out/requirements.installed"; then
    python3 -m venv --clear "$out/venv"
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$out/requirements.installed"
fi
cxx=${CXX:-$(command -v clang++ || command -v g++)}
newest=$(find "$core" "$here" \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' \) -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
if [ ! "$out/preprocess" -nt "$newest" ]; then
    "$cxx" -std=c++17 -O2 -DVISION_ONEDNN -I"$core/include" -isystem /usr/include/opencv4 "$here/forward.cpp" \
        "$core"/{engine,engine_opencv,mat,pool}.cpp "$core"/onednn/*.cpp "$core"/openvino/*.cpp -o "$out/forward" \
        -lopencv_dnn -lopencv_imgproc -lopencv_core -ldnnl -lgomp
    "$cxx" -std=c++17 -O2 -I"$core/include" -isystem /usr/include/opencv4 "$here/preprocess.cpp" \
        "$core"/{decode_jpeg,decode_png,decode_webp,exif,image,mat,orientation,pool,preprocess,raw,resize_kernels}.cpp \
        -o "$out/preprocess" -lopencv_imgproc -lopencv_core -lturbojpeg -lpng16 -lwebp
fi
cd "$root"
FRAMEMESH_OPENVINO=$(echo "$out"/venv/lib/python3*/site-packages/openvino)
export FRAMEMESH_OPENVINO
exec "$out/venv/bin/python" "$here/run.py" "$@"
