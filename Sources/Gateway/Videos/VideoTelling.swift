import Areas
import Foundation
import Jobs
import Logging
import Messages
import NIOCore
import Outbound
import RPC
import Results

/// One webhook's turn: all that is new of its job, or up to the first delivery that does not arrive.
struct VideoTelling {
    /// The turn is over.
    private struct Pause: Error {
        var until: JobTime
    }

    private let videos: VideoServices
    private let rules: StreamRules
    private let shelf: WatchShelf
    private let logger: Logger
    private let call: WebhookCall?
    private let begun = ContinuousClock.now
    private let topics: Set<Webhook.Topic>
    private var webhook: JobWebhook

    init(
        _ videos: VideoServices, _ rules: StreamRules, _ shelf: WatchShelf, _ webhook: JobWebhook, _ logger: Logger
    ) {
        self.videos = videos
        self.rules = rules
        self.shelf = shelf
        self.webhook = webhook
        self.logger = logger
        topics = Set(text: webhook.topics)
        // What was allowed when it was made may not be now.
        let url = try? OutboundURL(webhook.url, ports: StreamSpecification.webhookPorts)
        call = url.map {
            WebhookCall(
                webhook: Webhook(url: $0, topics: Set(text: webhook.topics)), rule: rules.webhooks,
                limits: rules.webhookLimits, secret: rules.webhookSecret, logger: logger)
        }
    }

    /// - Throws: `JobError`, `CancellationError`: the lease runs out, and somebody else goes on.
    mutating func run() async throws {
        do {
            guard let job = try await videos.store.job(webhook.job) else { return }
            var watch = try await watched(job)
            try await tellFrames(of: job, &watch)
            guard job.state.isFinal, webhook.isForEnd || webhook.framesTold >= job.progress.framesDone else {
                throw Pause(until: .now + videos.limits.webhookInterval)
            }
            try await tellEnd(of: job, &watch)
            webhook.end()
            try await videos.store.record(webhook, holdingUntil: nil)
        } catch let pause as Pause {
            webhook.dueAt = pause.until
            try await videos.store.record(webhook, holdingUntil: nil)
        } catch let error as CancellationError {
            // Another gateway need not wait.
            await Task { [webhook, store = videos.store] in try? await store.record(webhook, holdingUntil: nil) }.value
            throw error
        } catch let error as JobError where error.code == .leaseLost {
            logger.info("a webhook is told by another gateway", metadata: ["job": "\(webhook.job)"])
        }
    }

    // ---- what happens in frames ----

    /// The job's areas, watched up to where this webhook was told.
    private func watched(_ job: Job) async throws -> AreaWatch {
        var watch = videos.watch(of: webhook.isForEnd ? "" : job.request.areas)
        guard !watch.areas.isEmpty else { return watch }
        if let known = shelf.take(key), known.areas == job.request.areas, known.frames == webhook.framesTold {
            return known.watch
        }
        var next: Int64 = 0
        while next < webhook.framesTold {
            let page = try await videos.page(of: job.id, from: next).results
            guard !page.isEmpty else { break }
            for response in page where Int64(response.sequence) < webhook.framesTold { _ = watch.see(response) }
            next += Int64(page.count)
            try Task.checkCancellation()
        }
        return watch
    }

    private var key: WatchShelf.Key { WatchShelf.Key(job: webhook.job, number: webhook.number) }

    private mutating func tellFrames(of job: Job, _ watch: inout AreaWatch) async throws {
        guard !watch.areas.isEmpty else {
            webhook.framesTold = max(webhook.framesTold, job.progress.framesDone)
            return
        }
        while webhook.framesTold < job.progress.framesDone {
            let page = try await videos.page(of: job.id, from: webhook.framesTold).results
            guard !page.isEmpty else { break }
            for response in page {
                let before = watch
                let happened = watch.see(response).filter(wants)
                do {
                    try await tell(areaWords(happened, "\(response.sequence)", of: job))
                } catch {
                    watch = before
                    shelve(before, job)
                    throw error
                }
                webhook.framesTold += 1
                webhook.eventsTold = 0
            }
            try await record()
        }
        shelve(watch, job)
    }

    private func shelve(_ watch: AreaWatch, _ job: Job) {
        guard !webhook.isForEnd, !watch.areas.isEmpty else { return }
        shelf.put(WatchShelf.Watch(areas: job.request.areas, frames: webhook.framesTold, watch: watch), key)
    }

    private func wants(_ event: AreaEvent) -> Bool { topics.isEmpty || topics.contains(Webhook.Topic(event.kind)) }

    // ---- the last words ----

    private mutating func tellEnd(of job: Job, _ watch: inout AreaWatch) async throws {
        var words = webhook.isForEnd ? [] : areaWords(watch.end().filter(wants), "left", of: job)
        if let topic = Webhook.Topic(rawValue: job.state.rawValue), topics.isEmpty || topics.contains(topic) {
            words.append(
                Word(place: "end", body: body("end", JSONText.object { $0.fields(of: job) }, of: job), isEnd: true))
        }
        try await tell(words)
    }

    // ---- deliveries ----

    private struct Word {
        /// Of all that is told of this job: it makes a delivery id that stays the same.
        var place: String
        var body: ByteBuffer
        /// Told also to those who were given up.
        var isEnd = false
    }

    private func areaWords(_ events: [AreaEvent], _ place: String, of job: Job) -> [Word] {
        events.enumerated().map { index, event in
            let json = String(decoding: event.json, as: UTF8.self)
            return Word(place: "\(place)-\(index)", body: body("area", json, of: job))
        }
    }

    private func body(_ type: String, _ event: String, of job: Job) -> ByteBuffer {
        ByteBuffer(
            string: #"{"type":"\#(type)","video":"\#(job.id)","name":\#(JSONText.quoted(job.name)),"event":\#(event)}"#)
    }

    /// Tells what of `words` was not told before; returns when each was taken, refused or given up.
    /// - Throws: `Pause` if the receiver is to be asked again later, or others have their turn.
    private mutating func tell(_ words: [Word]) async throws {
        for (index, word) in words.enumerated().dropFirst(Int(webhook.eventsTold)) {
            if webhook.isGivenUp, !word.isEnd {
                webhook.dropped += 1
                videos.metrics.webhooks.wasLeftOut()
                webhook.eventsTold = Int64(index + 1)
                continue
            }
            let delivery = WebhookQueue.Delivery(
                id: "\(webhook.job)-\(webhook.number)-\(word.place)", body: word.body, failures: Int(webhook.failures))
            let answer = await call?.attempt(delivery) ?? .forbidden
            try Task.checkCancellation()
            videos.metrics.webhooks.attempted(answer.verdict)
            let pause = hear(answer, word)
            if webhook.failures == 0 { webhook.eventsTold = Int64(index + 1) }
            if let pause { throw pause }
            try await record()
            if ContinuousClock.now - begun >= videos.limits.webhookTurn { throw Pause(until: .now) }
        }
    }

    /// Counts what becomes of a delivery. A receiver that does not take one as often as it is tried is spared all but the
    /// end; that is tried as often once more.
    /// - Returns: until when the receiver is left alone; nil: the next delivery may be told.
    private mutating func hear(_ answer: WebhookQueue.Answer, _ word: Word) -> Pause? {
        let limits = rules.webhookLimits
        if answer.verdict == .heard {
            webhook.failures = 0
            webhook.delivered += 1
            videos.metrics.webhooks.ended(answer.verdict)
            return nil
        }
        webhook.cause = answer.words
        webhook.failures += 1
        if case .again(let least) = answer.verdict, webhook.failures < Int64(limits.attempts) {
            log(.info, "a webhook of a video is told again later")
            var random = SystemRandomNumberGenerator()
            let wait = limits.backoff.wait(after: Int(webhook.failures), using: &random)
            return Pause(until: .now + max(wait, min(least ?? .zero, limits.backoff.longest)))
        }
        log(.notice, "a delivery to a webhook of a video has failed")
        webhook.failures = 0
        webhook.failed += 1
        // Who refuses one delivery may take the next.
        guard case .again = answer.verdict else {
            videos.metrics.webhooks.ended(answer.verdict)
            return nil
        }
        videos.metrics.webhooks.gaveUp()
        if word.isEnd { return nil }
        webhook.isGivenUp = true
        return Pause(until: .now + limits.backoff.longest)
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message) {
        logger.log(
            level: level, message,
            metadata: [
                "job": "\(webhook.job)", "number": "\(webhook.number)", "url": "\(call?.webhook.url.place ?? "")",
                "cause": "\(webhook.cause)", "attempts": "\(webhook.failures)",
            ])
    }

    private func record() async throws {
        try await videos.store.record(webhook, holdingUntil: .now + Self.lease(videos, rules))
    }

    /// How long nobody else tells: one attempt may take its whole time.
    static func lease(_ videos: VideoServices, _ rules: StreamRules) -> Duration {
        videos.limits.lease + rules.webhookLimits.timeout
    }
}

extension WebhookQueue.Answer {
    /// Why a delivery failed, in plain words.
    fileprivate var words: String {
        switch self {
        case .status(let code, _): "answered \(code)"
        case .none: "could not be reached or did not answer"
        case .forbidden: "may not be called"
        }
    }
}
