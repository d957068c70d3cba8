#!/usr/bin/env bash
# All comparisons, one after the other: what `make bench` runs on a release build.
# Results come to their places when all is done, since each says whether the work tree was changed.
set -euo pipefail

help() {
    cat <<'END'
Usage: benchmarks/run.sh [NAME…]

Runs all comparisons of a release build, one after the other, or those that are
named. `make bench` builds it before (ONLY="NAME…" names some).

  --list   the names of all
  --help   this text

Each has a time limit. One that fails, is late, or lacks what it needs does not
keep the others from running; what became of each stands at the end, with the
files that were written. Output is in .build/bench; results come to
benchmarks/results and to the table of benchmarks/README.md, which
benchmarks/summary.py writes from them. Those of what failed are removed.

Environment:
  PICTURE           a JPEG (default: ../shared/golden/pictures/fd0.jpg if it is
                    there, else a bundled one)
  FRAMEMESH_MODELS  a folder with yolo-fastest-1.1 and squeezenet-1.1 (default:
                    ../shared/models if it is there)

Exit code 1 if one failed or was late, 2 for a wrong name, 130 on Ctrl-C, which
keeps the results until then.
END
}

cd "$(dirname "$0")/.."
shared=$PWD/../shared
if [ -z "${PICTURE:-}" ]; then
    PICTURE=$shared/golden/pictures/fd0.jpg
    [ -f "$PICTURE" ] || PICTURE=Sources/framemesh/Resources/demo/numbers-01.jpg
fi
if [ -z "${FRAMEMESH_MODELS:-}" ] && [ -d "$shared/models" ]; then FRAMEMESH_MODELS=$shared/models; fi
export PICTURE FRAMEMESH_MODELS=${FRAMEMESH_MODELS:-}
results=.build/bench/results

has() { command -v "$1" >/dev/null || { echo "$1 is not there"; return 1; }; }
models() { [ -n "$FRAMEMESH_MODELS" ] || { echo "FRAMEMESH_MODELS is not set"; return 1; }; }
root() { [ "$(id -u)" = 0 ] || { echo "it takes root"; return 1; }; }

# Enough rounds for a median, in six to nine minutes each.
servers="--rounds 3 --seconds 2.5 --picture \"\$PICTURE\""
# Name, seconds at most, what it needs, the command.
benchmarks=(
    "scaling|600|true|benchmarks/scaling.py --nodes 1,2,4,8 --json $results/scaling.json"
    "reach|600|true|benchmarks/scaling.py --nodes 1,8,64 --rounds 2 --json $results/reach.json"
    "flat|600|true|benchmarks/scaling.py --nodes 1,8,64 --ms 1 --rate 0.5,40,400 --seconds 8 --json $results/flat.json"
    "coordinator|300|true|benchmarks/scaling.py --ms 0 --nodes 4 --concurrency 8 --json $results/coordinator.json"
    "latency|300|true|benchmarks/coordinator-latency.py --json $results/latency.json"
    "overload|600|true|benchmarks/overload.py --json $results/overload.json"
    "in-process|1200|models|benchmarks/mesh-vs-in-process.py \"\$PICTURE\" 2 3 --json $results/in-process.json"
    "processor|600|models|benchmarks/mesh-cpu.py \"\$PICTURE\" 4 3 --json $results/processor.json"
    "gateway|300|has h2load|benchmarks/gateway/overhead.py --json $results/gateway.json"
    "clients|300|true|benchmarks/gateway/many_clients.py --json $results/clients.json"
    "servers|1200|true|benchmarks/flask/run.py $servers --peers waitress,gunicorn,gunicorn-threads,litserve,mlserver --output $results/servers.json"
    "engines|1200|models|benchmarks/flask/run.py $servers --models FastestDet,squeezenet-1.1 --engine opencv+onednn --engine openvino \
        --peers gunicorn,gunicorn-onnxruntime,gunicorn-openvino,gunicorn-openvino-default --output $results/engines.json"
    "vision|1200|models|benchmarks/vision/run.sh --rounds 5 --models \"\$FRAMEMESH_MODELS\" --output $PWD/$results/vision"
    "micro|1200|has valgrind|make --no-print-directory micro MICRO=\"--json $PWD/$results/micro.json\""
    "tracking|1800|[ -x .build/release/tracker-run ]|benchmarks/tracking/run.py --quick --json $results/tracking.json"
    "rpc|4800|root|benchmarks/rpc/run.sh --seconds 0.5 --minutes 20 --output $PWD/$results/rpc"
)

case ${1:-} in
    --help | -h)
        help
        exit 0
        ;;
    --list)
        for line in "${benchmarks[@]}"; do echo "${line%%|*}"; done
        exit 0
        ;;
esac
for name in "$@"; do
    printf '%s\n' "${benchmarks[@]}" | grep -q "^$name|" || { echo "there is no benchmark $name; --list names all" >&2; exit 2; }
done

rm -rf "$results"
mkdir -p "$results" benchmarks/results
summary=() measured=() failures=() files=() running=

# Results and the table. Of what failed nothing is told, nor what it was before.
tell() {
    for name in "${failures[@]}"; do
        [ -f "benchmarks/results/$name.json" ] || continue
        rm "benchmarks/results/$name.json"
        files+=("removed: benchmarks/results/$name.json")
    done
    for name in "${measured[@]}"; do
        for file in "$results/$name".*; do
            mv "$file" benchmarks/results/ && files+=("written: benchmarks/results/${file##*/}")
        done
    done
    [ $((${#measured[@]} + ${#files[@]})) = 0 ] && return
    benchmarks/summary.py "${measured[@]}" || return
    files+=("written: benchmarks/results/runs.json" "written: benchmarks/README.md (its table)")
}

tell_files() { [ ${#files[@]} = 0 ] || printf '%s\n' "${files[@]}"; }

# Ctrl-C and SIGTERM: what runs is ended first (timeout hands the signal on).
end() {
    trap '' INT TERM
    if [ -n "$running" ]; then
        kill -TERM "$running" 2>/dev/null || true
        wait "$running" || true
        echo "ended in $name" >&2
    fi
    # What it fails with it says itself, and the exit code is that of the signal.
    tell || true
    tell_files
    exit 130
}
trap end INT TERM

for line in "${benchmarks[@]}"; do
    IFS='|' read -r name limit _ <<<"$line"
    command=${line##*|}
    needs=${line#"$name|$limit|"}
    needs=${needs%"|$command"}
    if [ $# -gt 0 ] && ! printf '%s\n' "$@" | grep -qx "$name"; then continue; fi
    log=.build/bench/$name.log
    echo "== $name: at most $limit s, $log"
    if ! lack=$(eval "$needs" 2>&1); then
        summary+=("$(printf '%-12s skipped: %s' "$name" "${lack:-$needs}")")
        continue
    fi
    start=$SECONDS status=0
    # It has a process group of its own, where Ctrl-C does not come: `end` sees to that.
    timeout --kill-after=30 "$limit" bash -c "$command" >"$log" 2>&1 </dev/null &
    running=$!
    wait "$running" || status=$?
    running=
    cat "$log"
    case $status in
        0) how=done measured+=("$name") ;;
        124 | 137) how="late, ended after $limit s" failures+=("$name") ;;
        *) how="failed with $status" failures+=("$name") ;;
    esac
    summary+=("$(printf '%-12s %4d s  %s' "$name" $((SECONDS - start)) "$how")")
done
tell || failures+=(table)
echo
printf '%s\n' "${summary[@]}"
tell_files
[ ${#failures[@]} = 0 ]
