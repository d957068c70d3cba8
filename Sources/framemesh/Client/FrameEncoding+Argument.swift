import ArgumentParser
import Playback

extension FrameEncoding: ExpressibleByArgument {
    package init?(argument: String) {
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
}
