package import RPC
import Tracing

/// What spans say of calls, by the names of OpenTelemetry's conventions.
extension MeshSpan {
    func describe(_ path: String) {
        let parts = path.split(separator: "/", maxSplits: 1)
        updateAttributes { attributes in
            attributes["rpc.system"] = "grpc"
            if let service = parts.first { attributes["rpc.service"] = String(service) }
            if parts.count == 2 { attributes["rpc.method"] = String(parts[1]) }
        }
    }

    /// - Parameter error: nil: OK. What it says may be a peer's words.
    package func finish(_ error: RPCError?, isFault: Bool) {
        updateAttributes { $0["rpc.grpc.status_code"] = error?.code.rawValue ?? 0 }
        if let error, isFault { setStatus(SpanStatus(code: .error, message: "\(error)")) }
    }
}

extension StatusCode {
    /// Whether a server is to blame for it, as OpenTelemetry's conventions have it: the others are what callers ask for.
    var isFaultOfServer: Bool {
        switch self {
        case .unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss: true
        default: false
        }
    }
}
