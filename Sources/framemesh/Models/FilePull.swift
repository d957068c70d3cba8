import Vision

/// The download of one file; decides, and does nothing.
///
///     start ──part is whole──────────────────────────────▶ verifying ──▶ kept | refused
///       │                                                      ▲
///       └─▶ asking ──answered──▶ receiving ──all bytes came────┘
///             ▲                     │
///             └──wait, ask again────┘  connection lost, server busy
struct FilePull: Sendable {
    /// Requests for one file, the first included; each continues where the last one stopped.
    static let maxRequests = 6
    static let firstWait: Duration = .milliseconds(500)

    enum Step: Sendable, Equatable {
        /// Ask for the bytes from here on, once the time has passed.
        case request(from: UInt64, after: Duration)
        /// Write what comes to the part file: behind what is there, or from its start.
        case receive(startOver: Bool)
        /// More is to come.
        case goOn
        /// Compare the digest of the part file.
        case verify
        /// The part file takes its place under its name.
        case keep
        /// The part file is removed, and this is why.
        case refuse(String)
        /// The part file stays, so that another try can go on from it.
        case giveUp(String)
    }

    let file: ModelFile
    private let size: UInt64
    /// Of the part file.
    private(set) var received: UInt64 = 0
    private var requests = 0

    init(_ file: ModelFile) {
        self.file = file
        size = UInt64(clamping: file.bytes)
    }

    /// - Parameter part: bytes of a part file that an earlier run left; nil: none.
    mutating func start(part: UInt64?) -> Step {
        // A longer one can't be the beginning of this file.
        received = part.flatMap { $0 <= size ? $0 : nil } ?? 0
        return received == size && size > 0 ? .verify : ask(after: .zero)
    }

    private mutating func ask(after wait: Duration) -> Step {
        requests += 1
        return .request(from: received, after: wait)
    }

    /// - Parameters:
    ///   - status: of HTTP.
    ///   - rangeStart: the first byte that `Content-Range` names.
    mutating func answered(status: Int, rangeStart: UInt64?) -> Step {
        switch status {
        case 206:
            guard rangeStart == received else {
                return .giveUp("the server sends from byte \(rangeStart ?? 0) when asked from \(received)")
            }
            return .receive(startOver: false)
        case 200:
            // It has no ranges: all of it, then.
            let startOver = received > 0
            received = 0
            return .receive(startOver: startOver)
        case 416: return .refuse("the server has no bytes from \(received) on; \(size) are expected")
        case 408, 425, 429, 500, 502, 503, 504: return again("the server answered \(status)")
        default: return .giveUp("the server answered \(status)")
        }
    }

    /// Bytes came, and were written.
    mutating func took(_ count: Int) -> Step {
        received += UInt64(clamping: count)
        return received > size ? .refuse("the server sends more than the \(size) bytes that are expected") : .goOn
    }

    /// The answer ended.
    /// - Parameter failure: nil: as it should.
    mutating func ended(_ failure: Download.Failure?) -> Step {
        if received == size { return .verify }
        if let failure, failure.isFinal { return .giveUp(failure.reason) }
        return again(failure?.reason ?? "the server ended after \(received) of \(size) bytes")
    }

    private mutating func again(_ reason: String) -> Step {
        guard requests < Self.maxRequests else { return .giveUp("\(reason), at the last of \(requests) requests") }
        return ask(after: Self.firstWait * (1 << (requests - 1)))
    }

    /// - Parameter sha256: of the part file, lower-case hexadecimal.
    func verified(sha256: String) -> Step {
        sha256 == file.sha256
            ? .keep : .refuse("sha256 is \(sha256), but the manifest says \(file.sha256); nothing was kept")
    }
}

extension ModelFile {
    /// Why it must not be pulled, if so: its name becomes a path and its URL a connection.
    var pullObjection: String? {
        guard let url else { return "the manifest names no URL for it" }
        if name.isEmpty || name.hasPrefix(".") || name.contains("/") || name.contains("\0") {
            return "'\(name)' is no plain file name"
        }
        if bytes <= 0 { return "the manifest names no size for it" }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        return scheme == "https" || scheme == "http"
            ? nil : "its URL has the scheme '\(scheme)'; only http and https are used"
    }
}
