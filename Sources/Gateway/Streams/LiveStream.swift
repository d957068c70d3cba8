import Areas
import Client
import Foundation
import HTTPTypes
import Logging
import Messages
import Metrics
import NIOCore
import NIOPosix
import RPC
import Results
import Synchronization
import Vision

/// One live source on its way through the mesh, and all who look on.
///
/// Life: `run()` feeds frames until the source fails for good, is at its end, is idle or `stop()` is called; all who look
/// on see the end then. What it was can be asked as long as somebody holds it.
final class LiveStream: Sendable {
    /// A frame on its way.
    struct Offered: Sendable {
        var frame: Frame
        var arrived: ContinuousClock.Instant
        var ticket: FrameTicket?
        /// Given back when the frame is answered, or lost.
        var memory: Places.Place?
    }

    private struct Answered: Sendable {
        var response: AnalyzeResponse
        var frame: Frame
        var arrived: ContinuousClock.Instant
    }

    private struct State {
        var life: StreamLife
        var counts = StreamCounts()
        var clock = LiveClock()
        var watch: AreaWatch
        var sequence: UInt64 = 0
        var sourceIsOver = false
        var lastFrame: ContinuousClock.Instant
        /// Of the mesh's stream: what was said by the ones before counts as earlier epochs.
        var epochs: UInt32 = 0
    }

    let id: String
    let owner: String
    let specification: StreamSpecification
    let createdAt = Date()
    let events: Broadcast
    let pictures: Broadcast
    let senders: [WebhookSender]
    let rules: StreamRules
    let logger: Logger
    private let metrics: StreamMetrics
    private let reasons: PlainReasons

    private let frames = HandOver<Offered>()
    private let toDraw = HandOver<Answered>()
    private let state: Mutex<State>
    private let stopping: (stream: AsyncStream<Never>, continuation: AsyncStream<Never>.Continuation)

    init(
        _ specification: StreamSpecification, owner: String, rules: StreamRules, places: ViewerPlaces,
        metrics: StreamMetrics, logger: Logger
    ) {
        let id = UUID().uuidString.lowercased()
        self.id = id
        self.owner = owner
        self.specification = specification
        self.rules = rules
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "stream"] = "\(id)"
        self.logger = logger
        reasons = PlainReasons(logger)
        events = .events(rules.events, places)
        pictures = .pictures(rules.events, places)
        senders = specification.webhooks.map { [logger] webhook in
            WebhookSender(
                webhook, rules.webhooks, rules.webhookLimits, secret: rules.webhookSecret, metrics: metrics.webhooks,
                logger: logger)
        }
        let now = ContinuousClock.now
        state = Mutex(
            State(
                life: StreamLife(now: now), watch: AreaWatch(specification.areas, rules: rules.areaRules),
                lastFrame: now))
        stopping = AsyncStream.makeStream()
    }

    // MARK: What it is

    var life: StreamLife { state.withLock { $0.life } }
    var counts: StreamCounts { state.withLock { $0.counts } }
    var areas: AreaSet { state.withLock { $0.watch.areas } }

    /// Begins to watch others; counts begin again.
    /// - Parameter areas: valid ones.
    func watch(_ areas: AreaSet) {
        state.withLock { $0.watch = AreaWatch(areas, rules: rules.areaRules) }
    }

    // MARK: Life

    func stop() { stopping.continuation.finish() }

    /// Ends when all who are told by webhooks have heard how it ended, or soon after.
    /// - Parameter client: of the mesh; waits for one.
    func run(client: @escaping @Sendable () async throws -> MeshClient) async {
        await withTaskGroup(of: Bool.self) { tellers in
            for sender in senders {
                tellers.addTask {
                    await sender.run()
                    return false
                }
            }
            await live(client)
            events.publish("end", data: "{}")
            events.finish()
            pictures.finish()
            for sender in senders { sender.finish() }
            let patience = rules.webhookLimits.lastWords
            tellers.addTask {
                try? await Task.sleep(for: patience)
                return true
            }
            for _ in senders {
                if await tellers.next() == true { break }
            }
            tellers.cancelAll()
        }
    }

    private func live(_ client: @escaping @Sendable () async throws -> MeshClient) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [stopping] in for await _ in stopping.stream {} }
            tasks.addTask { await self.feed() }
            tasks.addTask { await self.carry(client) }
            tasks.addTask { await self.draw() }
            tasks.addTask { await self.look() }
            // Whichever is the first to end ends the stream.
            await tasks.next()
            tasks.cancelAll()
        }
        change { $0.end() }
        // Its ticket says that the frame is lost.
        frames.discard()
        toDraw.discard()
    }

    private func feed() async {
        // Without a helper there is no such source (`StreamSpecification`).
        let helper = rules.helper ?? ""
        switch specification.source {
        case .push: await untilCancelled()
        case .file(_, let path, let loop): await CameraFile(path: path, loop: loop, helper: helper).run(into: self)
        case .url(let url): await CameraLink(url: url, helper: helper).run(into: self)
        }
        // What is on its way still gets its answer.
        state.withLock { $0.sourceIsOver = true }
        frames.finish()
        await untilCancelled()
    }

    /// Tells of silence; ends a pushed stream that nobody pushes to.
    private func look() async {
        let limits = rules.limits
        let isPushed = specification.source == .push
        while true {
            // What comes meanwhile can only be later.
            let next = state.withLock { state in
                let look = state.life.nextLook(.now, stall: limits.stall)
                return isPushed ? min(look, state.lastFrame + limits.pushIdle) : look
            }
            guard (try? await Task.sleep(until: next, clock: .continuous)) != nil else { return }
            let now = ContinuousClock.now
            change { $0.look(now, stall: limits.stall) }
            if isPushed, now - state.withLock({ $0.lastFrame }) >= limits.pushIdle { return }
        }
    }

    private func untilCancelled() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }

    /// Tells all of it, if it is news.
    private func change(_ body: (inout StreamLife) -> Bool) {
        let isNews = state.withLock { body(&$0.life) }
        guard isNews else { return }
        let text = JSONText.object { addState(to: &$0) }
        events.publish("state", data: text)
        tell(.state, "state", text)
    }

    func trouble(_ cause: String) { change { $0.trouble(cause) } }
    func fail(_ cause: String) { change { $0.fail(cause) } }

    // MARK: Frames in

    /// The source begins, for the first time or again.
    func begin() { state.withLock { $0.clock.begin(now: Self.now) } }

    /// Takes a frame of the source; under the policy `lossless` it waits for the frame before.
    /// - Parameter sourceTime: since the source's beginning, microseconds; nil: now.
    /// - Returns: false if it is not taken, because too many wait or the stream is over.
    func offer(
        _ frame: Frame, sourceTime: Int64?, ticket: FrameTicket? = nil, memory: Places.Place? = nil
    ) async -> Bool {
        let now = ContinuousClock.now
        var frame = frame
        frame.stream = id
        let isOver = state.withLock { state in
            frame.sequence = state.sequence
            frame.captureTime = sourceTime.map { state.clock.time($0) } ?? state.clock.arrival(now: Self.now)
            state.sequence += 1
            state.lastFrame = now
            state.counts.received += 1
            return state.life.state.isOver
        }
        metrics.received.increment()
        guard !isOver else { return false }
        let offered = Offered(frame: frame, arrived: now, ticket: ticket, memory: memory)
        if specification.policy == .lossless {
            return await frames.place(offered, places: rules.limits.waitingFrames)
        }
        if let replaced = frames.replace(offered) {
            replaced.ticket?.resolve(.replaced)
            state.withLock { $0.counts.dropped += 1 }
            metrics.dropped.increment()
        }
        return true
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    // MARK: To the mesh and back

    private func carry(_ client: @Sendable () async throws -> MeshClient) async {
        var failures = 0
        var ended = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do {
                let mesh = try await client()
                try await carry(to: mesh)
                return
            } catch {
                if Task.isCancelled { return }
                // A mesh that answered frames and is lost is called again as at first.
                let seen = counts.ended
                failures = seen == ended ? failures + 1 : 1
                ended = seen
                let problem = Problem(error)
                logger.notice("stream interrupted", metadata: ["error": "\(error)"])
                trouble(problem.detail)
                if problem.status == .badRequest { return fail(problem.detail) }
                if state.withLock({ $0.sourceIsOver }) { return }
                try? await Task.sleep(for: rules.limits.reconnect.wait(after: failures, using: &random))
            }
        }
    }

    private func carry(to mesh: MeshClient) async throws {
        let base = state.withLock { $0.epochs }
        let limits = InFlightLimits(frames: rules.limits.framesInFlight, bytes: rules.limits.bytesInFlight)
        let stream = FrameStream<Offered>(client: mesh, limits: limits) { [self] reason, again in
            logger.notice(
                "stream goes on at another coordinator", metadata: ["reason": "\(reason)", "again": "\(again)"])
            trouble(MeshReason.words(.unavailable, reason))
        }
        try await stream.run {
            guard var offered = await self.frames.take() else { return nil }
            // Pixels do not travel far.
            if !mesh.isThisHost, offered.frame.encoding.isRaw {
                offered.frame = try await Self.compressed(offered.frame)
            }
            return .frame(
                self.request(offered.frame), keep: offered, bytes: offered.frame.payload.bytes.readableBytes)
        } answer: { response, offered in
            var response = reasons.plain(response)
            let (epoch, overflows) = response.epoch.addingReportingOverflow(base)
            response.epoch = overflows ? .max : epoch
            take(response, offered)
        }
    }

    private func request(_ frame: Frame) -> AnalyzeRequest {
        AnalyzeRequest(
            frame: frame, pipeline: specification.pipeline.name, minConfidence: specification.minConfidence,
            policy: specification.policy, frameDeadline: specification.frameDeadline)
    }

    private static func compressed(_ frame: Frame) async throws -> Frame {
        let jpeg = try await NIOThreadPool.singleton.runIfActive { try Image(decoding: frame).jpeg() }
        var compressed = frame
        compressed.encoding = .jpeg
        (compressed.width, compressed.height, compressed.rowStride) = (0, 0, 0)
        compressed.payload = .attached(jpeg)
        return compressed
    }

    private func take(_ response: AnalyzeResponse, _ offered: Offered) {
        let now = ContinuousClock.now
        let age = now - offered.arrived
        let happened = state.withLock { state in
            state.epochs = max(state.epochs, response.epoch &+ 1)
            switch response.status {
            case .ok, .partial: state.counts.answered(age: age, now: now)
            case .dropped: state.counts.dropped += 1
            case .error: state.counts.failedOnce()
            }
            return state.watch.see(response)
        }
        metrics.ended(response.status)
        if response.isAnswered { change { $0.answered(now) } }
        events.publish("frame", data: frameText(response, age: age))
        for event in happened {
            let text = String(decoding: event.json, as: UTF8.self)
            events.publish("area", data: text)
            tell(Webhook.Topic(event.kind), "area", text)
        }
        offered.ticket?.resolve(.answered(response, age: age))
        if response.isAnswered, pictures.viewerCount > 0 {
            _ = toDraw.replace(Answered(response: response, frame: offered.frame, arrived: offered.arrived))
        }
    }

    func frameText(_ response: AnalyzeResponse, age: Duration) -> String {
        JSONText.object { json in
            if response.epoch > 0 { json.field("epoch", UInt64(response.epoch)) }
            json.field("sequence", response.sequence)
            json.fields(of: response, stages: specification.pipeline.stages)
            json.field("age_ms", age / .milliseconds(1), decimals: 3)
        }
    }

    // MARK: Out

    /// - Parameter json: of the event.
    private func tell(_ topic: Webhook.Topic, _ type: String, _ json: String) {
        let interested = senders.filter { $0.webhook.wants(topic) }
        guard !interested.isEmpty else { return }
        let name = specification.name
        let body = #"{"type":"\#(type)","stream":"\#(id)","name":\#(JSONText.quoted(name)),"event":\#(json)}"#
        for sender in interested { sender.send(ByteBuffer(string: body)) }
    }

    /// One drawing for all who look on; frames that come meanwhile are not drawn.
    private func draw() async {
        let quality = rules.limits.pictureQuality
        while let next = await toDraw.take() {
            do {
                let jpeg = try await NIOThreadPool.singleton.runIfActive {
                    try AnnotatedPicture.draw(next.response, on: next.frame).jpeg(quality: quality)
                }
                let age = ContinuousClock.now - next.arrived
                pictures.publish(PicturePart.bytes(jpeg: jpeg, sequence: next.response.sequence, age: age))
            } catch {
                logger.info("frame not drawn", metadata: ["error": "\(error)"])
            }
        }
    }
}
