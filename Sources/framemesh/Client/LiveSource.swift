import Mesh
import Outbound
import Playback
import Synchronization
import Video

/// How sources are called by their URL.
struct SourceCalling: Sendable {
    var limits = SourceLimits()
    var dns = DNSConfiguration()
    /// A file of PEM with those who may vouch for a source with TLS; nil: those that the system trusts.
    var authorities: String?
    /// Told of a source that is lost, and of how long it takes until it is called again.
    var lost: @Sendable (_ reason: String, _ wait: Duration) -> Void = { _, _ in }

    /// - Throws: `Fatal` for a file that has no authorities, or cannot be read.
    static func check(authorities path: String) throws(Fatal) {
        guard let objection = SourceCall.objection(toAuthorities: path) else { return }
        throw Fatal("--source-authorities: \(objection)", status: .usage)
    }
}

/// A source that is called by its URL. A live one is called again when it is lost or has ended, and its frames go on under
/// the next numbers; one that has an end is played once.
actor LiveSource: FrameSource {
    nonisolated let info: VideoInfo
    private let url: OutboundURL
    private let calling: SourceCalling
    private let call: SourceCall
    /// When its times were zero.
    private let start: ContinuousClock.Instant
    private var clock = LiveClock()
    private var redial: Redial
    private var random = SystemRandomNumberGenerator()
    private var reader: VideoReader?
    private var count: UInt64 = 0
    private nonisolated let damaged = Atomic<UInt64>(0)

    /// Calls it, once: who names a source that is not there hears of it.
    /// - Parameter helper: path of `framemesh-video`.
    /// - Throws: `VideoError`.
    static func open(_ url: OutboundURL, _ calling: SourceCalling, helper: String) async throws -> LiveSource {
        let call = SourceCall(
            of: url, allowedBy: .anybody(dns: calling.dns), name: url.place, helper: helper,
            authorities: calling.authorities)
        return LiveSource(url, calling, call, try await open(call, url))
    }

    private init(_ url: OutboundURL, _ calling: SourceCalling, _ call: SourceCall, _ reader: VideoReader) {
        self.url = url
        self.calling = calling
        self.call = call
        self.reader = reader
        info = reader.info
        start = ContinuousClock.now - reader.info.age
        redial = Redial(calling.limits)
    }

    private static func open(_ call: SourceCall, _ url: OutboundURL) async throws -> VideoReader {
        do {
            return try await call.open()
        } catch let error as OutboundError {
            throw VideoError("\(url.place): \(error.message)")
        }
    }

    nonisolated var damagedPackets: UInt64 { damaged.load(ordering: .acquiring) }

    /// - Throws: `VideoError` when a live source was called `stream-attempts` times in a row for nothing, or comes back with
    ///   another size; of one with an end as for a file.
    func next() async throws -> VideoFrame? {
        while let reader {
            let reason: String
            do {
                if let frame = try await reader.next() {
                    redial.hadFrame()
                    defer { count += 1 }
                    return VideoFrame(
                        index: count, captureTime: clock.time(frame.captureTime), pixels: frame.pixels)
                }
                reason = "\(url.place): the source has ended"
                note(reader)
                guard info.isLive else { break }
            } catch let error as VideoError {
                note(reader)
                guard info.isLive else { throw error }
                reason = error.message
            }
            await reader.close()
            self.reader = try await callAgain(reason)
        }
        return nil
    }

    func close() async {
        await reader?.close()
        reader = nil
    }

    private func note(_ reader: VideoReader) {
        damaged.wrappingAdd(reader.damagedPackets, ordering: .acquiringAndReleasing)
    }

    private func callAgain(_ reason: String) async throws -> VideoReader {
        var reason = reason
        while let wait = redial.wait(using: &random) {
            calling.lost(reason, wait)
            // The backoff; Ctrl-C cancels it.
            try await Task.sleep(for: wait)
            do {
                let reader = try await Self.open(call, url)
                guard (reader.info.width, reader.info.height) == (info.width, info.height) else {
                    await reader.close()
                    throw Fatal(
                        """
                        \(url.place): has come back with pictures of \(reader.info.width)x\(reader.info.height), and had \
                        \(info.width)x\(info.height)
                        """)
                }
                clock.begin(at: Int64((ContinuousClock.now - reader.info.age - start) / .microseconds(1)))
                return reader
            } catch let error as VideoError {
                reason = error.message
            }
        }
        throw VideoError(reason)
    }
}
