#!/usr/bin/env bash
# Forward passes of OpenCV, OpenCV with layers on oneDNN, ONNX Runtime and OpenVINO, preprocessing, and whole pipelines, one
# thread each, in turns.
#   benchmarks/vision/run.sh [--models FOLDER] [--rounds N] [--passes N] [--seconds S] [--picture JPEG] [--only NAME…]
#                            [--output NAME]
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
cxx=("${CXX:-$(command -v clang++ || command -v g++)}" -std=c++17 -O2 -DVISION_ONEDNN -I"$core/include" -isystem /usr/include/opencv4)
libraries=(-Wl,--as-needed -lopencv_imgcodecs -lopencv_dnn -lopencv_imgproc -lopencv_core -ldnnl -lgomp -lturbojpeg -lpng16 -lwebp)
newest=$(find "$core" "$here" \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' \) -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
if [ ! "$out/pipeline_opencv" -nt "$newest" ]; then
    rm -rf "$out/core"
    # Two folders may have files of one name.
    for folder in . onednn openvino; do
        mkdir -p "$out/core/$folder"
        (cd "$out/core/$folder" && find "$core/$folder" -maxdepth 1 -name '*.cpp' -print0 | xargs -0 -n 1 -P "$(nproc)" "${cxx[@]}" -c)
    done
    for program in forward preprocess pipeline pipeline_opencv; do
        "${cxx[@]}" "$here/$program.cpp" "$out"/core/*.o "$out"/core/*/*.o -o "$out/$program" "${libraries[@]}"
    done
fi
cd "$root"
FRAMEMESH_OPENVINO=$(echo "$out"/venv/lib/python3*/site-packages/openvino)
export FRAMEMESH_OPENVINO
exec "$out/venv/bin/python" "$here/run.py" "$@"
