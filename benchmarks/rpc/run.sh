#!/bin/bash
# Measures our RPC beside its peers, and writes latest.md and latest.json to results, where git does not look.
#
#   benchmarks/rpc/run.sh [--quick] [--no-build] [--only small,latency,…] [--congestion bbr,cubic] …  (--help: all)
#
# Installs Debian's packages, builds what is measured, each in its own folder, then runs all in network and process
# namespaces of their own: no port is taken, and whatever happens, nothing stays behind.
set -euo pipefail
cd "$(dirname "$0")"

packages=(libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libnghttp2-dev nghttp2-client
    nghttp2-server iproute2 util-linux procps pkg-config g++ make)
arguments=()
builds=yes
for argument in "$@"; do
    case "$argument" in
        --no-build) builds=no ;;
        --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exec python3 harness/measure.py --help ;;
        *) arguments+=("$argument") ;;
    esac
done

if [ "$builds" = yes ]; then
    missing=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "installing ${missing[*]}"
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    fi
    echo "building the load generator, the probes and gRPC C++"
    make -s -C load
    make -s -C probes
    make -s -C peers/grpc-cpp
    echo "building ours"
    touch Package.swift # else the build does not see files that are new in the package above
    swift build -c release
    echo "building grpc-swift-2 (some minutes the first time)"
    swift build -c release --package-path peers/grpc-swift
fi

command=(python3 -B harness/measure.py "${arguments[@]}")
if isolated=(unshare --net --pid --fork --kill-child --mount-proc) && "${isolated[@]}" true 2>/dev/null; then
    command=("${isolated[@]}" bash -c 'ip link set lo up && exec "$@"' _ "${command[@]}")
else
    echo "no namespaces here: port 17300 must be free" >&2
fi

"${command[@]}" &
measuring=$!
# unshare itself ignores both; the measurement within writes what it has, and ends.
trap 'pkill -TERM -P "$measuring" || kill -TERM "$measuring" 2>/dev/null || true' INT TERM
status=0
wait "$measuring" || status=$?
while kill -0 "$measuring" 2>/dev/null; do
    status=0
    wait "$measuring" || status=$?
done
exit "$status"
