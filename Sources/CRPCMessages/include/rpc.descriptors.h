/* Written by proto/generate.sh.  DO NOT EDIT! */
#pragma once
#include <stddef.h>
#include <stdint.h>
/* A serialized google.protobuf.FileDescriptorSet of grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto, with what they import. */
const uint8_t *rpc_descriptors(size_t *size);
