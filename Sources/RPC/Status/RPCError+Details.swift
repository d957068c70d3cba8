extension RPCError {
    private static let detailsKey = "grpc-status-details-bin"

    /// More about the error than a code and a message: by convention a serialized `google.rpc.Status`, whose code and
    /// message repeat these. It travels as the trailer `grpc-status-details-bin`. nil: there is none.
    public var details: [UInt8]? {
        get { metadata.bytes(Self.detailsKey) }
        set {
            metadata.entries.removeAll { $0.key == Self.detailsKey }
            if let newValue { metadata.add(Self.detailsKey, bytes: newValue) }
        }
    }
}
