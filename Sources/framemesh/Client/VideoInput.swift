import Outbound
import Playback
import Video

/// Where the frames of a video come from, by what the user has named.
enum VideoInput: Sendable, Hashable {
    case file(String)
    /// Of numbered pictures.
    case folder(String)
    /// Of this machine.
    case camera(String)
    /// Live, or a file that somebody serves.
    case url(OutboundURL)

    /// - Throws: `Fatal` for a URL that is not called. It does not show what may be a password.
    init(_ text: String) throws(Fatal) {
        guard Self.isURL(text) else {
            let isCamera = VideoReader.isCamera(text)
            self = PictureSource.isDirectory(text) ? .folder(text) : isCamera ? .camera(text) : .file(text)
            return
        }
        do throws(OutboundError) {
            self = .url(try OutboundURL(text, ports: SourceCall.ports))
        } catch {
            throw Fatal("the URL of the source: \(error.message)", status: .usage)
        }
    }

    /// As people and programs may see it: of a URL neither user and password nor the query.
    var name: String {
        switch self {
        case .file(let path), .folder(let path), .camera(let path): path
        case .url(let url): url.place
        }
    }

    /// Of the stream that its frames are.
    var streamName: String {
        let parts = name.split(separator: "/")
        guard case .url(let url) = self else { return parts.last.map(String.init) ?? "video" }
        // Scheme, and host with port, come first.
        return parts.count > 2 ? String(parts[parts.count - 1]) : url.host
    }

    /// What on this machine is read; nil: nothing.
    var path: String? {
        switch self {
        case .file(let path), .folder(let path), .camera(let path): path
        case .url: nil
        }
    }

    /// It begins with a scheme and `://`.
    static func isURL(_ text: String) -> Bool {
        guard let end = text.firstRange(of: "://")?.lowerBound, end > text.startIndex else { return false }
        return text[..<end].utf8.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
    }
}
