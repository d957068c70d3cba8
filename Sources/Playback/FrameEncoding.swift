/// How the frames of a video travel.
package enum FrameEncoding: Sendable, Hashable {
    /// Raw to a coordinator on this host, JPEG elsewhere.
    case auto
    case raw
    /// 1…100.
    case jpeg(quality: Int)

    package static let defaultQuality = 90
    /// A frame travels as one attachment, and this is the largest that nodes take.
    package static let maxBytes = 64 << 20

    /// The JPEG quality to use; nil: raw.
    /// - Parameters:
    ///   - sameHost: the coordinator is on this machine, where bytes are cheaper than encoding.
    ///   - frameBytes: of one raw frame; more than an attachment may have can't go raw.
    package func quality(sameHost: Bool, frameBytes: Int) -> Int? {
        switch self {
        case .raw: nil
        case .jpeg(let quality): quality
        case .auto: sameHost && frameBytes <= Self.maxBytes ? nil : Self.defaultQuality
        }
    }
}
