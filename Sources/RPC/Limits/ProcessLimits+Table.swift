extension ProcessLimits {
    public static let limits: [Limit<ProcessLimits>] = [
        Limit(
            "memory-budget-bytes", \.memoryBudgetBytes, .bytes, in: 1 << 20...1 << 40,
            "Messages of the whole process that are received and not yet let go."),
        Limit(
            "idle-buffer-bytes", \.idleBufferBytes, .bytes, in: 0...1 << 40,
            "Memory kept for the next large messages."),
        Limit("max-protobuf-fields", \.protobuf.maxFields, .count, "Fields of one protobuf message."),
        Limit(
            "max-protobuf-unknown-fields", \.protobuf.maxUnknownFields, .count, in: 0...Int(Int32.max),
            "Fields of one protobuf message that its type does not have."),
        Limit("max-protobuf-depth", \.protobuf.maxDepth, .count, in: 1...64, "Protobuf messages in messages."),
        Limit(
            "max-protobuf-string-bytes", \.protobuf.maxStringBytes, .bytes, "One string of a protobuf message: a name."),
        Limit(
            "protobuf-base-bytes", \.protobuf.baseBytes, .bytes,
            "Memory to read one protobuf message, beside that for its bytes."),
        Limit(
            "protobuf-bytes-per-byte", \.protobuf.bytesPerByte, .bytes, in: 1...4096,
            "Memory to read each byte of a protobuf message."),
        Limit("max-token-bytes", \.credentials.maxTokenBytes, .bytes, "One bearer token."),
        Limit("max-bearer-tokens", \.credentials.maxTokens, .count, "Bearer tokens of one file of credentials."),
        Limit(
            "max-credential-file-bytes", \.credentials.maxFileBytes, .bytes,
            "One file of certificates, keys, tokens or access rules."),
    ]
}
