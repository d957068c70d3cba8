#!/usr/bin/env bash
# Trains digits-keras with TensorFlow, writes it in both formats, all manifests, and the tests' networks of Caffe, and
# prints the accuracy report of each file. Takes about 5 minutes on one free core, and 2 GB of disk for TensorFlow. Needs
# Debian's opencv-doc and python3-venv.
set -euo pipefail
cd "$(dirname "$0")"
work=${1:-../../.build/digits}
models=$(realpath ../../Sources/framemesh/Resources/models)
mkdir -p "$work"
[ -e "$work/tensorflow-venv" ] || python3 -m venv "$work/tensorflow-venv"
python="$work/tensorflow-venv/bin/python"
"$python" -m pip install --quiet --requirement requirements-tensorflow.txt

export PYTHONDONTWRITEBYTECODE=1
"$python" -W ignore train_tensorflow.py --output "$models"
"$python" make_manifests.py
"$python" ../../Tests/VisionTests/Fixtures/make_caffe.py
for file in digits-keras.pb digits-keras.onnx; do
    "$python" evaluate.py --classifier "$models/$file" | tee "$work/report-$file.json"
done
