public import RPC

/// Which frames come first where several wait: those that somebody looks at now, or those that only have to be done.
///
/// It travels in metadata, from clients to coordinators and from these to nodes; who says nothing is answered first, but for
/// frames of a `lossless` stream, which come as fast as they are taken.
public enum FramePriority: String, Sendable, CaseIterable {
    case live, batch

    public static let field = "framemesh-priority"

    /// What `told` reads.
    public func tell(in metadata: inout Metadata) { metadata.add(Self.field, rawValue) }

    /// nil: it does not say, or says what is no priority.
    public static func told(in metadata: Metadata) -> FramePriority? {
        metadata.isEmpty ? nil : metadata[field].flatMap(FramePriority.init)
    }
}
