internal import CMessages

/// What the .proto files of `framemesh.v1` say.
public enum Schema {
    /// A serialized `google.protobuf.FileDescriptorSet`.
    public static var descriptors: [UInt8] {
        var size = 0
        let bytes = unsafe framemesh_descriptors(&size)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: size))
    }
}
