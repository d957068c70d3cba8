public import CBoundedProtobuf

/// Memory for the C structs of one message while it is packed; freed all at once.
///
/// Public, since what is generic and `package` stays generic in other modules, whatever `@inlinable` says, and then looks its types
/// up while it runs.
@safe public struct Arena: ~Copyable {
    @usableFromInline static let chunkBytes = 4096
    @usableFromInline var chunks: [UnsafeMutableRawPointer] = unsafe []
    @usableFromInline var free: UnsafeMutableRawPointer?
    @usableFromInline var left = 0

    @inlinable public init() {}

    @inlinable deinit {
        unsafe chunks.forEach { unsafe $0.deallocate() }
    }

    /// Uninitialised storage for `count` values.
    @inlinable public mutating func allocate<T>(_ type: T.Type, count: Int = 1) -> UnsafeMutablePointer<T> {
        let bytes = (MemoryLayout<T>.stride * max(1, count) + 15) & ~15
        if bytes > left {
            let size = max(bytes, Self.chunkBytes)
            let chunk = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            unsafe chunks.append(chunk)
            unsafe free = unsafe chunk
            left = size
        }
        // `allocate` above leaves `free` set.
        let place = unsafe free.unsafelyUnwrapped
        unsafe free = unsafe place + bytes
        left -= bytes
        return unsafe place.bindMemory(to: T.self, capacity: max(1, count))
    }

    /// Of a string: a peer refuses the whole message for a longer one (`ProtobufStruct.Limits.maxStringBytes`).
    @usableFromInline static let maxStringBytes = 16 << 10

    /// A C string; text after a NUL is lost, as protobuf-c cannot hold it, and what is beyond `maxStringBytes`.
    @inlinable public mutating func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        var text = text
        return text.withUTF8 { utf8 in
            var count = min(utf8.count, Self.maxStringBytes)
            // Not within a character.
            while count > 0, count < utf8.count, unsafe utf8[count] & 0xc0 == 0x80 { count -= 1 }
            let place = unsafe allocate(CChar.self, count: count + 1)
            for i in 0..<count { unsafe place[i] = CChar(bitPattern: unsafe utf8[i]) }
            unsafe place[count] = 0
            return unsafe place
        }
    }

    /// Bytes, as protobuf-c has them.
    package mutating func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        let place = unsafe allocate(UInt8.self, count: bytes.count)
        unsafe place.initialize(from: bytes, count: bytes.count)
        return unsafe ProtobufCBinaryData(len: bytes.count, data: place)
    }

    /// An array of pointers, as protobuf-c wants repeated messages; each value is filled by `fill`.
    @inlinable public mutating func pointers<Value, T>(
        _ values: [Value], _ fill: (inout Arena, Value) -> UnsafeMutablePointer<T>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?>? {
        guard !values.isEmpty else { return nil }
        let place = unsafe allocate(UnsafeMutablePointer<T>?.self, count: values.count)
        for (i, value) in values.enumerated() { unsafe (place + i).initialize(to: fill(&self, value)) }
        return unsafe place
    }
}
