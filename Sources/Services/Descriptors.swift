import Messages
public import RPC

extension DescriptorSet {
    /// Of all services of `framemesh.v1`.
    static let framemesh = DescriptorSet(serialized: Schema.descriptors)
}

extension VisionService { public var descriptors: DescriptorSet? { .framemesh } }
extension DetectorService { public var descriptors: DescriptorSet? { .framemesh } }
extension ClassifierService { public var descriptors: DescriptorSet? { .framemesh } }
extension FusedService { public var descriptors: DescriptorSet? { .framemesh } }
extension NodeService { public var descriptors: DescriptorSet? { .framemesh } }
