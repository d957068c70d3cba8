import ArgumentParser

/// How the frames of a video travel.
enum FrameEncoding: Sendable, Hashable, ExpressibleByArgument {
    /// Raw to a coordinator on this host, JPEG elsewhere.
    case auto
    case raw
    case jpeg(quality: Int)

    static let defaultQuality = 90

    init?(argument: String) {
        switch argument {
        case "auto": self = .auto
        case "raw": self = .raw
        case "jpeg": self = .jpeg(quality: Self.defaultQuality)
        default:
            guard argument.hasPrefix("jpeg:"), let quality = Int(argument.dropFirst("jpeg:".count)),
                (1...100).contains(quality)
            else { return nil }
            self = .jpeg(quality: quality)
        }
    }

    /// The JPEG quality to use; nil: raw.
    /// - Parameters:
    ///   - sameHost: the coordinator is on this machine, where bytes are cheaper than encoding.
    ///   - frameBytes: of one raw frame; more than an attachment may have can't go raw.
    func quality(sameHost: Bool, frameBytes: Int, maxBytes: Int = PictureFile.maxBytes) -> Int? {
        switch self {
        case .raw: nil
        case .jpeg(let quality): quality
        case .auto: sameHost && frameBytes <= maxBytes ? nil : Self.defaultQuality
        }
    }
}
