#!/usr/bin/env bash
# Builds the executables of an image, with Swift's libraries in them; they need a C library of glibc 2.36 or newer.
#   dev/static-build.sh [FOLDER]     of the build (.build)
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${1:-.build}
# Nobody loads the executables as a library: without a table of all that is in them the linker leaves out what is not used.
build=(swift build -c release --scratch-path "$scratch" --static-swift-stdlib -Xlinker --no-export-dynamic)

mkdir -p "$scratch"
swift_static=$(swiftc -static-stdlib -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
symbol=$(dev/unicode-data.py "$swift_static/linux/lib_FoundationICU.a" "$scratch/unicode.o")
# One bit for each place that the loader has to move, in place of 24 bytes: only lld can do that and what Swift needs.
"${build[@]}" --product framemesh -Xlinker "--wrap=$symbol" -Xlinker "$(realpath "$scratch")/unicode.o" \
    -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs
"${build[@]}" --product framemesh-video
