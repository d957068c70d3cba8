import CInteropMessages
import RPC

extension DescriptorSet {
    /// Of grpc/testing/test.proto.
    static let interop: DescriptorSet = {
        var size = 0
        let bytes = unsafe interop_descriptors(&size)
        return unsafe DescriptorSet(serialized: UnsafeBufferPointer(start: bytes, count: size))
    }()
}
