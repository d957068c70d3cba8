internal import CRPCMessages
import NIOCore

extension DescriptorSet {
    /// Health and reflection itself.
    static let rpc: DescriptorSet = {
        var size = 0
        let bytes = unsafe rpc_descriptors(&size)
        return unsafe DescriptorSet(serialized: UnsafeBufferPointer(start: bytes, count: size))
    }()
}
