/// Header fields that are sent often: made once, and sent without being copied.
///
/// A session keeps those that it has sent for as long as it lives, so there should be few.
@safe public final class PreparedFields: Sendable {
    /// All names and values, one after the other.
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
    let lengths: [(name: Int, value: Int)]

    public init(_ fields: [HeaderField]) {
        lengths = fields.map { ($0.name.utf8.count, $0.value.utf8.count) }
        let text = fields.flatMap { Array($0.name.utf8) + Array($0.value.utf8) }
        unsafe bytes = .allocate(byteCount: max(1, text.count), alignment: 1)
        unsafe bytes.copyBytes(from: text)
    }

    deinit { unsafe bytes.deallocate() }
}
