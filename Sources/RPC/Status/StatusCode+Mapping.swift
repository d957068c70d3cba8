/// What a call that got no `grpc-status` failed with.
extension StatusCode {
    /// gRPC, `doc/http-grpc-status-mapping.md`; 431 as grpc-java has it. Never OK: gRPC's own OK is a trailer.
    static func fromHTTP(status: Int) -> StatusCode {
        switch status {
        case 400, 431: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// The error code of RST_STREAM (gRPC, `doc/PROTOCOL-HTTP2.md`, "Errors"; codes: RFC 9113, section 7).
    static func fromHTTP2(errorCode: UInt32) -> StatusCode {
        switch errorCode {
        // NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT.
        case 0x0...0x4: .internal
        // FRAME_SIZE_ERROR, COMPRESSION_ERROR, CONNECT_ERROR.
        case 0x6, 0x9, 0xa: .internal
        // REFUSED_STREAM: never processed, another try may do.
        case 0x7: .unavailable
        // CANCEL.
        case 0x8: .cancelled
        // ENHANCE_YOUR_CALM: the peer wants less of us.
        case 0xb: .resourceExhausted
        // INADEQUATE_SECURITY.
        case 0xc: .permissionDenied
        // STREAM_CLOSED, HTTP_1_1_REQUIRED, and what is not known.
        default: .unknown
        }
    }
}
