import HTTP2

/// How a peer says that a call ended, in trailers or in a response that is no gRPC.
struct CallStatus {
    /// nil for OK.
    var error: RPCError?
    var trailers: Metadata

    /// From trailers, or from a head that ends its stream ("trailers only").
    /// - Parameter maxMetadata: values.
    init(trailers fields: [HeaderField], maxMetadata: Int) {
        do {
            trailers = try .decode(fields, upTo: maxMetadata)
        } catch {
            trailers = [:]
            self.error = error
            return
        }
        guard let text = fields.first(where: { $0.name == "grpc-status" })?.value else {
            error = RPCError(.unknown, "response ended without grpc-status", limit: .malformedCall)
            return
        }
        guard let code = Int(text), (0...16).contains(code) else {
            error = RPCError(
                .unknown, "grpc-status '\(text.prefix(16))' is not known", metadata: trailers, limit: .malformedCall)
            return
        }
        guard code != 0 else { return }
        let message = fields.first { $0.name == "grpc-message" }.map { StatusMessage.decode($0.value) }
        error = RPCError(StatusCode(rawValue: code), message ?? "", metadata: trailers)
    }

    /// What is wrong with a response head; nil: it is gRPC's. A `grpc-status` in it counts before its HTTP status does (gRPC,
    /// `doc/http-grpc-status-mapping.md`), unless it says that all is well, or nothing that is known.
    static func trouble(withHead fields: [HeaderField], maxMetadata: Int) -> RPCError? {
        guard let trouble = foreign(fields) else { return nil }
        guard let code = fields.first(where: { $0.name == "grpc-status" }).flatMap({ Int($0.value) }),
            (1...16).contains(code)
        else { return trouble }
        return CallStatus(trailers: fields, maxMetadata: maxMetadata).error ?? trouble
    }

    /// Why these are no head of gRPC.
    private static func foreign(_ fields: [HeaderField]) -> RPCError? {
        let status = fields.first { $0.name == ":status" }?.value ?? ""
        let contentType = fields.first { $0.name == "content-type" }?.value ?? ""
        guard status == "200" else {
            let code = StatusCode.fromHTTP(status: Int(status) ?? 0)
            return RPCError(code, "peer answered with HTTP status \(status.prefix(3))", limit: .notGRPC)
        }
        guard Framing.isGRPC(contentType) else {
            return RPCError(
                .unknown, "peer answered with content-type '\(contentType.prefix(64))', not application/grpc",
                limit: .notGRPC)
        }
        return nil
    }
}
