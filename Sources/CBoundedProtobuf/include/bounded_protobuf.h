/* Unpacks messages of peers with protobuf-c, which has no limits of its own: measured with version 1.4.1, a message of
 * unknown two-byte fields takes 45 times its size, and a singular field that comes again and again takes time that
 * grows with the square of their number.
 *
 * The bytes are walked once before anything is allocated, by the descriptor of their type; then protobuf-c allocates
 * from a budget. The parts of a message lie in a few pieces of memory, which go at once.
 */
#ifndef BOUNDED_PROTOBUF_H
#define BOUNDED_PROTOBUF_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct bounded_limits {
    /* Fields of the message and of all messages in it; one element of a packed field is one. */
    size_t max_fields;
    /* Of these, fields that the type does not have. */
    size_t max_unknown_fields;
    /* Messages in messages; the outermost is the first. At most 64. */
    unsigned max_depth;
    /* Of one string: names and causes, which are kept and told to others longer than the message that they came in. */
    size_t max_string_bytes;
    /* Bytes that unpacking may allocate, also those that it frees again: `base_bytes`, and so many for each byte. */
    size_t base_bytes;
    size_t bytes_per_byte;
};

enum bounded_refusal {
    BOUNDED_NONE,
    BOUNDED_MALFORMED,
    BOUNDED_TOO_MANY_FIELDS,
    BOUNDED_TOO_MANY_UNKNOWN_FIELDS,
    BOUNDED_TOO_DEEP,
    BOUNDED_TOO_MUCH_MEMORY,
    /* A NUL in a string, which C would cut there. */
    BOUNDED_NUL_IN_STRING,
    BOUNDED_STRING_TOO_LONG,
};

/* 65,536 fields, 4,096 of them unknown, depth 16, strings of 16 KiB, 64 KiB and 16 bytes for each byte; or what was set. */
struct bounded_limits bounded_default_limits(void);

/* For the whole process, before any other thread unpacks. */
void bounded_set_default_limits(struct bounded_limits limits);

struct bounded_message {
    /* NULL: it was refused. */
    ProtobufCMessage *message;
    struct bounded_chunk *memory;
};

/* To be released with `bounded_free`, also where there is a reason instead of a message. `limits` may be NULL. */
struct bounded_message bounded_unpack(const ProtobufCMessageDescriptor *type, size_t length, const uint8_t *bytes,
                                      const struct bounded_limits *limits, enum bounded_refusal *refusal);

/* A few words, for example "a message is nested too deeply". */
const char *bounded_refusal_text(enum bounded_refusal refusal);

void bounded_free(struct bounded_message unpacked);

/* The number of messages in messages that a value of the type can have, itself included; 0: the type contains itself,
 * so there is no bound. */
unsigned bounded_type_depth(const ProtobufCMessageDescriptor *type);

#endif
