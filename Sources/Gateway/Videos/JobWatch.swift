import Areas
import Foundation
import Jobs
import Messages
import NIOCore
import Results
import ServiceLifecycle

/// What one watcher of a job is told, as server-sent events: `frame` for each result, `area` for what happens in zones and
/// at lines, `progress`, and `end`.
///
/// All of it is read from the store, so it does not matter which gateway works on the job, and a watcher that is slow, or
/// comes late, misses nothing and costs nobody memory: a page of results is read when the one before was sent, and events
/// are made of it a piece at a time.
struct JobWatch: EventSource {
    private enum Phase {
        case following
        /// Other areas are watched: results from here on, up to those that were told, are gone through once more.
        case catchingUp(from: Int64, isTold: Bool)
        case over
    }

    private let videos: VideoServices
    private let id: JobID
    /// Held as long as somebody watches.
    private let place: Places.Place
    /// One of `readers`, while it catches up.
    private var reading: Places.Place?
    private let caller: Caller.Key
    /// The first frame that was not told.
    private var untold: Int64
    /// As the job says; nil: not looked at yet.
    private var areas: String?
    private var watch: AreaWatch
    private var progress = ""
    private var phase = Phase.following
    /// Results that were read and are still to be gone through.
    private var page: ArraySlice<AnalyzeResponse> = []
    /// All that there was is told.
    private var isUpToDate = false

    /// - Parameter first: frames before this one are known to the watcher.
    /// - Throws: `Problem`, 429, where others take all places for watchers.
    init(_ videos: VideoServices, _ id: JobID, from first: Int64, for caller: Caller.Key) throws {
        self.videos = videos
        self.id = id
        self.caller = caller
        place = try videos.watchers.take(for: caller)
        untold = first
        watch = AreaWatch(AreaSet(), rules: videos.areaRules)
    }

    /// About so many bytes are told in one go.
    private static let pieceBytes = 64 << 10

    mutating func next() async throws -> [ByteBuffer]? {
        if !page.isEmpty { return piece() }
        switch phase {
        case .over: return nil
        case .catchingUp(let sequence, let isTold):
            page = try await videos.page(of: id, from: sequence).results.filter { $0.sequence < UInt64(untold) }[...]
            if page.isEmpty {
                phase = .following
                reading = nil
            } else {
                phase = .catchingUp(from: sequence + Int64(page.count), isTold: isTold)
            }
            return piece()
        case .following:
            if isUpToDate {
                let slept = await cancelWhenGracefulShutdown { [pause = videos.limits.watchInterval] in
                    (try? await Task.sleep(for: pause)) != nil
                }
                guard slept else { return nil }
            }
            return try await look()
        }
    }

    /// What is new of the job; its results as far as they fit.
    private mutating func look() async throws -> [ByteBuffer] {
        // The job first: when it is final, all of its results are there.
        guard let job = try await videos.store.job(id) else {
            phase = .over
            return [Self.event("end", #"{"state":"removed"}"#)]
        }
        let isChanged = job.request.areas != areas
        if isChanged, let pieces = change(to: job.request.areas) { return pieces }
        if areas == nil {
            isUpToDate = true
            return []
        }
        let found = try await videos.page(of: id, from: untold)
        page = found.results[...]
        var pieces = piece()
        isUpToDate = found.isLast && page.isEmpty
        let text = JSONText.object { $0.fields(of: job) }
        if text != progress {
            progress = text
            pieces.append(Self.event("progress", text))
        }
        if job.state.isFinal, page.isEmpty, !isChanged, untold >= job.progress.framesDone {
            pieces += watch.end().map(Self.event) + [Self.event("end", text)]
            phase = .over
        }
        return pieces
    }

    /// What happens in areas follows from the results, also of those before. A watcher that saw other areas is told all
    /// that happened in the new ones, behind an event `areas`; one that comes back has seen it.
    ///
    /// Whoever changes areas has every watcher go through all results: only so many do so at one time, and the others see
    /// the old ones meanwhile. However often areas are changed, each goes through them once at a time, and then for the
    /// newest.
    /// - Returns: nil: there is no place for it now.
    private mutating func change(to areas: String) -> [ByteBuffer]? {
        let wanted = videos.watch(of: areas)
        let isTold = self.areas != nil
        if !wanted.areas.isEmpty, untold > 0 {
            guard let place = try? videos.readers.take(for: caller) else { return nil }
            reading = place
            phase = .catchingUp(from: 0, isTold: isTold)
        }
        self.areas = areas
        watch = wanted
        isUpToDate = false
        return isTold ? [Self.event("areas", areas.isEmpty ? VideoWish.noAreas : areas)] : []
    }

    /// Of the page. Areas come before their frame: a connection that breaks in between tells them twice, not never.
    private mutating func piece() -> [ByteBuffer] {
        var pieces: [ByteBuffer] = []
        var bytes = 0
        while bytes < Self.pieceBytes, let response = page.popFirst() {
            var told = watch.see(response).map(Self.event)
            switch phase {
            case .catchingUp(_, isTold: false): told = []
            case .catchingUp: break
            case .following, .over:
                untold = Int64(response.sequence) + 1
                let frame = ServerSentEvent("frame", id: String(response.sequence), data: response.frameLine)
                told.append(ByteBuffer(string: frame.text))
            }
            bytes += told.reduce(0) { $0 + $1.readableBytes }
            pieces += told
        }
        return pieces
    }

    private static func event(_ happened: AreaEvent) -> ByteBuffer {
        event("area", String(decoding: happened.json, as: UTF8.self))
    }

    private static func event(_ name: String, _ data: String) -> ByteBuffer {
        ByteBuffer(string: ServerSentEvent(name, data: data).text)
    }
}
