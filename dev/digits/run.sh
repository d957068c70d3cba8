#!/usr/bin/env bash
# Makes both models, their manifests, the demo's pictures and video, and prints the accuracy report. Takes about
# 26 minutes on two free cores. Needs Debian's opencv-doc, ffmpeg and python3-venv.
set -euo pipefail
cd "$(dirname "$0")"
work=${1:-../../.build/digits}
models=$(realpath ../../Sources/framemesh/Resources/models)
mkdir -p "$work"
[ -e "$work/venv" ] || python3 -m venv "$work/venv"
python="$work/venv/bin/python"
"$python" -m pip install --quiet --requirement requirements.txt

# Threads that wait asleep leave the core to the one that makes scenes; memory that stays mapped is not cleared again.
export OMP_WAIT_POLICY=PASSIVE MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=16000000000
"$python" -W ignore train_classifier.py --output "$models/digits-classifier.onnx"
"$python" -W ignore train_detector.py --checkpoint "$work/detector.pt" --output "$work/first-course.onnx"
"$python" -W ignore train_detector.py --onward "$work/first-course.onnx" --steps 3250 --decay 1200 --stop 3250 \
    --checkpoint "$work/second-course.pt" --output "$models/digits-detector.onnx"
"$python" make_manifests.py
"$python" make_demo.py
"$python" evaluate.py | tee "$work/report.json"
