/* Written by proto/generate.sh.  DO NOT EDIT! */
#pragma once
#include <stddef.h>
#include <stdint.h>
/* A serialized google.protobuf.FileDescriptorSet of framemesh/v1/framemesh.proto, with what they import. */
const uint8_t *framemesh_descriptors(size_t *size);
