#!/usr/bin/env bash
# Makes .venv under the project's root: Python with stock gRPC, which the conformance tests speak with, with what drives
# a browser and checks the gateway's API, with what receives traces, with what scores detectors and trackers, and with
# OpenVINO's libraries. Quick when it is there already with the pinned versions.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=(
    Tests/ConformanceTests/python/requirements.txt Tests/GatewayTests/python/requirements.txt
    Tests/KubernetesTests/requirements.txt Tests/TelemetryTests/python/requirements.txt
    Tests/EvaluationTests/python/requirements.txt Tests/VisionTests/requirements.txt
)
installed=.venv/requirements.installed

say() { echo "python-env: $*" >&2; }
fail() { say "$*"; exit 3; }

if [ -x .venv/bin/python ] && cat "${requirements[@]}" | cmp -s - "$installed" &&
    .venv/bin/python -c 'import grpc, playwright, schemathesis, kubernetes_validate, opentelemetry.proto.trace.v1.trace_pb2, pycocotools, motmetrics' 2>/dev/null; then
    exit 0
fi
python3 -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv is missing: run dev/setup.sh test"
say "making .venv with $(cat "${requirements[@]}" | paste -sd ' ')"
rm -rf .venv
python3 -m venv .venv || fail "python3 -m venv failed"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "${requirements[@]/#/-r}" ||
    fail "pip could not install what ${requirements[*]} name"
cat "${requirements[@]}" >"$installed"
