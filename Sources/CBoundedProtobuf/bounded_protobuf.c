#include "bounded_protobuf.h"

#include <stdlib.h>
#include <string.h>

/* Type nesting that `bounded_type_depth` looks at, and the most that `max_depth` can allow. */
#define DEPTH_CEILING 64

static struct bounded_limits default_limits = {
    .max_fields = 65536,
    .max_unknown_fields = 4096,
    .max_depth = 16,
    .max_string_bytes = 16 * 1024,
    .base_bytes = 64 * 1024,
    .bytes_per_byte = 16,
};

struct bounded_limits bounded_default_limits(void) { return default_limits; }

void bounded_set_default_limits(struct bounded_limits limits) { default_limits = limits; }

/* ---- before anything is allocated ---- */

struct scan {
    const struct bounded_limits *limits;
    size_t fields;
    size_t unknown_fields;
};

struct cursor {
    const uint8_t *next;
    const uint8_t *end;
};

static int read_varint(struct cursor *cursor, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (cursor->next == cursor->end) return 0;
        uint8_t byte = *cursor->next++;
        *value |= (uint64_t)(byte & 0x7f) << (shift < 63 ? shift : 63);
        if (byte < 0x80) return 1;
    }
    return 0;
}

static int skip(struct cursor *cursor, uint64_t length) {
    if (length > (uint64_t)(cursor->end - cursor->next)) return 0;
    cursor->next += length;
    return 1;
}

static enum bounded_refusal count_fields(struct scan *scan, size_t number) {
    scan->fields += number;
    return scan->fields > scan->limits->max_fields ? BOUNDED_TOO_MANY_FIELDS : BOUNDED_NONE;
}

static enum bounded_refusal scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                                         struct cursor cursor, unsigned depth);

/* The smallest number of bytes of one element in a packed field. */
static size_t element_size(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return 4;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    default: return 1;
    }
}

static enum bounded_refusal scan_bytes(struct scan *scan, const ProtobufCFieldDescriptor *field,
                                       struct cursor content, unsigned depth) {
    size_t length = (size_t)(content.end - content.next);
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: return scan_message(scan, field->descriptor, content, depth + 1);
    case PROTOBUF_C_TYPE_STRING:
        if (length > scan->limits->max_string_bytes) return BOUNDED_STRING_TOO_LONG;
        return length > 0 && memchr(content.next, 0, length) != NULL ? BOUNDED_NUL_IN_STRING : BOUNDED_NONE;
    case PROTOBUF_C_TYPE_BYTES: return BOUNDED_NONE;
    default: return count_fields(scan, length / element_size(field->type));
    }
}

static enum bounded_refusal scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                                         struct cursor cursor, unsigned depth) {
    if (depth > scan->limits->max_depth || depth > DEPTH_CEILING) return BOUNDED_TOO_DEEP;
    while (cursor.next != cursor.end) {
        uint64_t tag, value;
        if (!read_varint(&cursor, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911) return BOUNDED_MALFORMED;
        enum bounded_refusal refusal = count_fields(scan, 1);
        if (refusal != BOUNDED_NONE) return refusal;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field == NULL && ++scan->unknown_fields > scan->limits->max_unknown_fields)
            return BOUNDED_TOO_MANY_UNKNOWN_FIELDS;
        switch (tag & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!read_varint(&cursor, &value)) return BOUNDED_MALFORMED;
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
            if (!skip(&cursor, 8)) return BOUNDED_MALFORMED;
            break;
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            if (!skip(&cursor, 4)) return BOUNDED_MALFORMED;
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: {
            if (!read_varint(&cursor, &value)) return BOUNDED_MALFORMED;
            struct cursor content = {.next = cursor.next};
            if (!skip(&cursor, value)) return BOUNDED_MALFORMED;
            content.end = cursor.next;
            refusal = field == NULL ? BOUNDED_NONE : scan_bytes(scan, field, content, depth);
            if (refusal != BOUNDED_NONE) return refusal;
            break;
        }
        default: return BOUNDED_MALFORMED;
        }
    }
    return BOUNDED_NONE;
}

/* ---- while it is unpacked ---- */

/* Memory of one message: its parts lie one behind the other, and go all at once. */
struct bounded_chunk {
    struct bounded_chunk *before;
    size_t size;
    _Alignas(max_align_t) uint8_t bytes[];
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/* Each part has a chunk of its own, so that the sanitizer sees where it ends. */
#define FIRST_CHUNK 0
#endif
#endif
#ifndef FIRST_CHUNK
/* With its head still of a size that glibc keeps for its thread. */
#define FIRST_CHUNK 992
#endif
#define LARGEST_CHUNK (64 * 1024)

struct budget {
    size_t left;
    int is_spent;
    struct bounded_chunk *last;
    /* Of the last chunk. */
    size_t used;
};

static void *take(void *data, size_t size) {
    struct budget *budget = data;
    if (size > budget->left) {
        budget->is_spent = 1;
        return NULL;
    }
    budget->left -= size;
    struct bounded_chunk *chunk = budget->last;
    const size_t alignment = _Alignof(max_align_t);
    size_t start = (budget->used + alignment - 1) & ~(alignment - 1);
    if (chunk == NULL || start > chunk->size || size > chunk->size - start) {
        size_t next = chunk == NULL ? FIRST_CHUNK : 2 * chunk->size;
        if (next > LARGEST_CHUNK) next = LARGEST_CHUNK;
        if (next < size || FIRST_CHUNK == 0) next = size;
        if (next > SIZE_MAX - sizeof *chunk) return NULL;
        chunk = malloc(sizeof *chunk + next);
        if (chunk == NULL) return NULL;
        *chunk = (struct bounded_chunk){.before = budget->last, .size = next};
        budget->last = chunk;
        start = 0;
    }
    budget->used = start + size;
    return chunk->bytes + start;
}

static void keep(void *data, void *pointer) {
    (void)data;
    (void)pointer;
}

static size_t budget_of(const struct bounded_limits *limits, size_t length) {
    if (limits->bytes_per_byte != 0 && length > (SIZE_MAX - limits->base_bytes) / limits->bytes_per_byte)
        return SIZE_MAX;
    return limits->base_bytes + limits->bytes_per_byte * length;
}

struct bounded_message bounded_unpack(const ProtobufCMessageDescriptor *type, size_t length, const uint8_t *bytes,
                                      const struct bounded_limits *limits, enum bounded_refusal *refusal) {
    struct bounded_message unpacked = {.message = NULL, .memory = NULL};
    /* protobuf-c adds to the pointer, which must then be one. */
    static const uint8_t nothing = 0;
    if (bytes == NULL) bytes = &nothing;
    struct bounded_limits defaults = bounded_default_limits();
    struct scan scan = {.limits = limits != NULL ? limits : &defaults};
    *refusal = scan_message(&scan, type, (struct cursor){.next = bytes, .end = bytes + length}, 1);
    if (*refusal != BOUNDED_NONE) return unpacked;
    struct budget budget = {.left = budget_of(scan.limits, length)};
    ProtobufCAllocator allocator = {.alloc = take, .free = keep, .allocator_data = &budget};
    unpacked.message = protobuf_c_message_unpack(type, &allocator, length, bytes);
    unpacked.memory = budget.last;
    if (unpacked.message == NULL) *refusal = budget.is_spent ? BOUNDED_TOO_MUCH_MEMORY : BOUNDED_MALFORMED;
    return unpacked;
}

void bounded_free(struct bounded_message unpacked) {
    for (struct bounded_chunk *chunk = unpacked.memory; chunk != NULL;) {
        struct bounded_chunk *before = chunk->before;
        free(chunk);
        chunk = before;
    }
}

const char *bounded_refusal_text(enum bounded_refusal refusal) {
    switch (refusal) {
    case BOUNDED_NONE: return "nothing is wrong";
    case BOUNDED_MALFORMED: return "the bytes are malformed";
    case BOUNDED_TOO_MANY_FIELDS: return "it has too many fields";
    case BOUNDED_TOO_MANY_UNKNOWN_FIELDS: return "it has too many unknown fields";
    case BOUNDED_TOO_DEEP: return "it is nested too deeply";
    case BOUNDED_TOO_MUCH_MEMORY: return "it takes too much memory to unpack";
    case BOUNDED_NUL_IN_STRING: return "a string has a NUL";
    case BOUNDED_STRING_TOO_LONG: return "a string is too long";
    }
    return "unknown";
}

/* ---- types ---- */

static unsigned depth_below(const ProtobufCMessageDescriptor *type, unsigned level) {
    if (level > DEPTH_CEILING) return 0;
    unsigned deepest = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE) continue;
        unsigned depth = depth_below(type->fields[i].descriptor, level + 1);
        if (depth == 0) return 0;
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

unsigned bounded_type_depth(const ProtobufCMessageDescriptor *type) { return depth_below(type, 1); }
