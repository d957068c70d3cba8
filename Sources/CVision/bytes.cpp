#include "bytes.hpp"

void vision_bytes_free(vision_bytes *bytes) {
    delete bytes;
}
const uint8_t *vision_bytes_data(const vision_bytes *bytes) {
    return bytes->data;
}
size_t vision_bytes_length(const vision_bytes *bytes) {
    return bytes->length;
}
