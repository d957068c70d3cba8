import Mesh
import Messages
import Services

extension EndpointProbe {
    /// A node's own words, of which the balancing needs few.
    static let node = EndpointProbe { channel, deadline in
        let node = try await NodeClient(channel).describe(deadline: deadline)
        return EndpointReport(
            capacity: node.workers, load: node.queueDepth + node.inFlight,
            limit: node.queueLimit > 0 ? node.workers + node.queueLimit : nil,
            wait: .microseconds(Int64(clamping: node.estimatedWait)), zone: node.zone)
    }
}
