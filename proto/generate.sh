#!/usr/bin/env bash
# Writes the C code of Sources/CMessages, CRPCMessages, CInteropMessages and CTraceMessages from the .proto files beside this script:
# messages, and the serialized FileDescriptorSet of the files, which server reflection hands out.
# `proto/generate.sh --check` writes nothing and fails if the committed code is not current.
set -euo pipefail
cd "$(dirname "$0")"
command -v protoc-c >/dev/null || { echo "protoc-c is missing: apt-get install protobuf-c-compiler" >&2; exit 2; }

generate() { # target directory, then .proto files
    local target=$1; shift
    mkdir -p "$target/include"
    local scratch; scratch=$(mktemp -d)
    protoc-c --c_out="$scratch" "$@"
    find "$scratch" -name '*.pb-c.h' -exec mv {} "$target/include/" \;
    find "$scratch" -name '*.pb-c.c' -exec mv {} "$target/" \;
    rm -r "$scratch"
    # Headers and sources lie in one folder each, so quoted includes lose their path.
    sed -i -E 's|#include "([^"]*/)?([^"/]+\.pb-c\.h)"|#include "\2"|' "$target"/*.c "$target"/include/*.pb-c.h
}

describe() { # target directory, name, then .proto files: a function NAME_descriptors that returns the bytes
    local target=$1 name=$2; shift 2
    mkdir -p "$target/include"
    protoc-c --include_imports --descriptor_set_out="$target/$name.bin" "$@"
    {
        echo "/* Written by proto/generate.sh.  DO NOT EDIT! */"
        echo "#include \"$name.descriptors.h\""
        echo "static const uint8_t bytes[] = {"
        od -An -v -tx1 -w24 "$target/$name.bin" | sed -E 's/ ([0-9a-f]{2})/0x\1,/g'
        echo "};"
        echo "const uint8_t *${name}_descriptors(size_t *size) { *size = sizeof bytes; return bytes; }"
    } > "$target/$name.descriptors.c"
    {
        echo "/* Written by proto/generate.sh.  DO NOT EDIT! */"
        echo "#pragma once"
        echo "#include <stddef.h>"
        echo "#include <stdint.h>"
        echo "/* A serialized google.protobuf.FileDescriptorSet of $*, with what they import. */"
        echo "const uint8_t *${name}_descriptors(size_t *size);"
    } > "$target/include/$name.descriptors.h"
    rm "$target/$name.bin"
}

# Each protoc-c writes its own version into the headers; any version's code may be the committed one.
same() { # two files
    cmp -s <(without_versions "$1") <(without_versions "$2") ||
        { diff <(without_versions "$2") <(without_versions "$1") | head -20 >&2; return 1; }
}
without_versions() {
    sed -E '/PROTOBUF_C_VERSION_NUMBER|PROTOBUF_C_MIN_COMPILER_VERSION|Generated from/d' "$1"
}

root=../Sources
if [ "${1:-}" = --check ]; then root=$(mktemp -d); trap 'rm -r "$root"' EXIT; fi
generate "$root/CMessages" framemesh/v1/framemesh.proto
describe "$root/CMessages" framemesh framemesh/v1/framemesh.proto
generate "$root/CRPCMessages" grpc/health/v1/health.proto
# Messages of reflection are read and written by ProtobufReader and ByteBuffer+Protobuf.
describe "$root/CRPCMessages" rpc \
    grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto
generate "$root/CInteropMessages" grpc/testing/messages.proto
describe "$root/CInteropMessages" interop grpc/testing/test.proto
# Nobody reflects them: the service is another's.
generate "$root/CTraceMessages" opentelemetry/proto/common/v1/common.proto \
    opentelemetry/proto/resource/v1/resource.proto opentelemetry/proto/trace/v1/trace.proto \
    opentelemetry/proto/collector/trace/v1/trace_service.proto
if [ "${1:-}" = --check ]; then
    for target in CMessages CRPCMessages CInteropMessages CTraceMessages; do
        for file in $(cd "$root/$target" && find . -name '*.pb-c.*' -o -name '*.descriptors.*'); do
            same "$root/$target/$file" "../Sources/$target/$file" || { echo "stale: run proto/generate.sh" >&2; exit 1; }
        done
    done
    echo "generated C is current"
fi
