/* Written by proto/generate.sh.  DO NOT EDIT! */
#pragma once
#include <stddef.h>
#include <stdint.h>
/* A serialized google.protobuf.FileDescriptorSet of grpc/testing/test.proto, with what they import. */
const uint8_t *interop_descriptors(size_t *size);
