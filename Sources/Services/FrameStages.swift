import Metrics
import RPC

/// `framemesh_stage_seconds` of the stages at both ends of a frame's call, which only RPC sees: `receive`, from the head of
/// the request until all of it is here, and `send`, from the handler's answer until the connection has it. Of unary calls;
/// on a stream a frame has no head.
struct FrameStages: ServerInterceptor {
    let role: String
    let factory: any MetricsFactory

    private static let methods: Set<String> = [
        MethodPath.detect, MethodPath.classify, MethodPath.fused, MethodPath.analyze,
    ]

    func hooks(for method: MethodDescription) -> CallHooks {
        guard Self.methods.contains(method.path) else { return .none }
        func stage(_ name: String) -> Timer {
            Timer(
                label: "framemesh_stage_seconds", dimensions: [("role", role), ("stage", name)], factory: factory)
        }
        let (receive, send) = (stage("receive"), stage("send"))
        return CallHooks(finished: { _, report in
            if let time = report.receive { receive.recordNanoseconds(time.inNanoseconds) }
            if let time = report.send { send.recordNanoseconds(time.inNanoseconds) }
        })
    }
}

extension Duration {
    fileprivate var inNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
