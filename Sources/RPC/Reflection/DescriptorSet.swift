public import NIOCore

/// A serialized `google.protobuf.FileDescriptorSet`: what the .proto files of a service say, for server reflection.
/// `protoc --include_imports --descriptor_set_out=FILE` writes one.
public struct DescriptorSet: Sendable {
    public let serialized: ByteBuffer

    public init(serialized: ByteBuffer) { self.serialized = serialized }
    public init(serialized: some Sequence<UInt8>) { self.serialized = ByteBuffer(bytes: serialized) }
}
