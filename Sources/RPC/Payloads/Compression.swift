/// How the messages of one direction of a call are compressed (gRPC, `doc/compression.md`). The raw value is the name
/// on the wire.
///
/// A call is compressed if its sender asks for it (`CallOptions.compression`, `UnaryResponse.compression`,
/// `ResponseWriter.setCompression`, `ServerConfiguration.responseCompression`), and then each message but those with
/// `Payload.compresses` false, those with an attachment, and those that would not get smaller.
public enum Compression: String, Sendable, CaseIterable {
    case identity
    /// RFC 1952.
    case gzip
    /// The zlib format, RFC 1950.
    case deflate

    /// Whether a peer that sent `grpc-accept-encoding` with this value takes it; nil: the peer sent none.
    func isAccepted(by header: String?) -> Bool {
        guard self != .identity else { return true }
        return header?.split { $0 == "," || $0 == " " }.contains { $0 == rawValue } ?? false
    }
}
