#!/usr/bin/env bash
# Meshes, with a detector and a classifier (apart) and with a node that does both (fused), beside the same work in one process,
# in turns on the same machine, so that noise hits all of them.
#   benchmarks/mesh-vs-in-process.sh PICTURE [SECONDS] [ROUNDS] [JSON]
# Needs FRAMEMESH_MODELS with yolo-fastest-1.1 and squeezenet-1.1, a release build, and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
picture=${1:?usage: $0 PICTURE [SECONDS] [ROUNDS] [JSON]} seconds=${2:-10} rounds=${3:-3} json=${4:-/dev/null}
framemesh=.build/release/framemesh
models=(--detect-model yolo-fastest-1.1 --classify-model squeezenet-1.1)
folder=$(mktemp -d)
results=$folder/results
meshes=()
trap 'kill "${meshes[@]}" 2>/dev/null; wait "${meshes[@]}" 2>/dev/null || true; rm -r "$folder"' EXIT

# Where a mesh of these nodes can be called.
up() { # name, then options
    local ready=$folder/$1; shift
    $framemesh up --no-gateway --coordinator-port 0 "$@" "${models[@]}" >"$ready" 2>/dev/null &
    meshes+=($!)
    for _ in $(seq 600); do grep -q '^ready' "$ready" && break; sleep 0.1; done
    coordinator=$(sed -n 's/^ready coordinator=//p' "$ready")
    [ -n "$coordinator" ] || { echo "the mesh did not start" >&2; exit 1; }
}
up apart --detectors 1 --classifiers 1
apart=$coordinator
up fused --nodes 1
fused=$coordinator

run() { # label, then arguments of bench
    local label=$1; shift
    $framemesh bench --pipeline detect+classify --duration "$seconds" --warmup 1 --input "$picture" --json - "$@" |
        jq -c --arg name "$label" '.points[0] + {name: $name}' >>"$results"
}
for _ in $(seq "$rounds"); do
    # The others idle, but for their health watches, while one runs.
    for concurrency in 1 8; do
        for mesh in apart fused; do
            run "$mesh, unary, $concurrency" --coordinator "${!mesh}" --concurrency "$concurrency"
            run "$mesh, stream, $concurrency" --coordinator "${!mesh}" --concurrency "$concurrency" --stream
        done
    done
    run "in process, 1 thread" --in-process "${models[@]}" --concurrency 1
    run "in process, 2 threads" --in-process "${models[@]}" --concurrency 2
done
# The median of the rounds.
jq -s 'def median: sort | .[length / 2 | floor];
    [group_by(.name)[] | {name: .[0].name, rounds: length, failed: (map(.failed) | add),
    frames_per_second: (map(.frames_per_second) | median), p50_ms: (map(.latency_ms.p50) | median),
    p99_ms: (map(.latency_ms.p99) | median)}]' "$results" | tee "$json" |
    jq -r '.[] | [.name, .frames_per_second, .p50_ms, .p99_ms] | @tsv' |
    awk -F '\t' 'BEGIN { printf "%-24s %10s %10s %10s\n", "", "frames/s", "p50 ms", "p99 ms" }
        { printf "%-24s %10.1f %10.1f %10.1f\n", $1, $2, $3, $4 }'
