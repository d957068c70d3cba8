public import RPC

/// Whose frame a call carries: a coordinator tells its nodes, so that they can be fair to clients that they do not see.
///
/// It is a number in metadata, in base 36: the same for a client at whichever coordinator it calls, and neither its name nor
/// its address.
public enum ClientKey {
    public static let field = "framemesh-client"
    /// A caller that a node knows by a credential is believed only if it has this scope.
    public static let scope = "coordinator"
    /// Digits of the largest number.
    private static let maxDigits = 13

    public static func metadata(for client: CallOrigin) -> Metadata {
        [field: String(client.number, radix: 36)]
    }

    /// nil: it does not say, or says what is no such number.
    public static func told(in metadata: Metadata) -> CallOrigin? {
        guard !metadata.isEmpty, let text = metadata[field], text.utf8.count <= maxDigits, text.first != "+" else {
            return nil
        }
        return UInt64(text, radix: 36).map { CallOrigin($0) }
    }
}
