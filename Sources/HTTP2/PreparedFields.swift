internal import CNghttp2

/// Header fields that are sent often: made once, and sent without being copied.
///
/// A session keeps those that it has sent for as long as it lives, so there should be few.
@safe public final class PreparedFields: Sendable {
    /// All names and values, one after the other.
    private nonisolated(unsafe) let bytes: UnsafeMutableBufferPointer<UInt8>
    /// As nghttp2 takes them; it reads the bytes when it sends them.
    nonisolated(unsafe) let native: UnsafeMutableBufferPointer<nghttp2_nv>

    public init(_ fields: [HeaderField]) {
        let text = fields.flatMap { Array($0.name.utf8) + Array($0.value.utf8) }
        unsafe bytes = .allocate(capacity: text.count)
        _ = unsafe bytes.initialize(fromContentsOf: text)
        unsafe native = .allocate(capacity: fields.count)
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        var next = unsafe bytes.baseAddress
        for (index, field) in fields.enumerated() {
            let (name, value) = (field.name.utf8.count, field.value.utf8.count)
            unsafe native.initializeElement(
                at: index,
                to: nghttp2_nv(
                    name: next, value: next?.advanced(by: name), namelen: name, valuelen: value, flags: flags))
            unsafe next = next?.advanced(by: name + value)
        }
    }

    deinit {
        unsafe native.deallocate()
        unsafe bytes.deallocate()
    }
}
