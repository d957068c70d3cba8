import NIOCore
import ProtobufStructs

/// Packs and unpacks the structs of our own messages.
enum Wire {
    /// Runs `fill`, which builds a message in the arena, and packs what it returns.
    static func pack<T>(_ fill: (inout Arena) -> UnsafeMutablePointer<T>) -> ByteBuffer {
        unsafe ProtobufStruct.pack(fill)
    }

    /// Unpacks `bytes` within limits, hands the struct to `read`, and frees it.
    /// - Parameter initialise: the generated `…__init`, which knows the type's descriptor.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer,
        _ initialise: (UnsafeMutablePointer<T>?) -> Void,
        _ read: (T) throws(MessageError) -> Value
    ) throws(MessageError) -> Value {
        try unsafe ProtobufStruct.unpack(
            bytes, initialise, orThrow: { MessageError("bytes are not a \(name): \($0)") }, read)
    }

    static func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(MessageError) -> String {
        guard let pointer = unsafe pointer else { return "" }
        guard let text = unsafe String(validatingCString: pointer) else { throw MessageError("a string is not UTF-8") }
        return text
    }

    /// The elements of a repeated message field.
    static func list<T, Value>(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?,
        _ read: (T) throws(MessageError) -> Value
    ) throws(MessageError) -> [Value] {
        guard let pointers = unsafe pointers else { return [] }
        var values: [Value] = []
        values.reserveCapacity(count)
        for i in 0..<count {
            guard let element = unsafe pointers[i] else { continue }
            values.append(try unsafe read(element.pointee))
        }
        return values
    }
}

extension Wire {
    /// The elements of a repeated string field.
    static func strings(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) throws(MessageError) -> [String] {
        guard let pointers = unsafe pointers else { return [] }
        var values: [String] = []
        for i in 0..<count { values.append(try unsafe text(pointers[i])) }
        return values
    }
}
