import Areas
import Client
import Foundation
import Logging
import Messages
import Metrics
import Playback
import Results
import Synchronization

/// One live source on its way through the mesh, and all who look on.
///
/// Life: `run()` feeds frames until the source fails for good, is at its end, is idle or `stop()` is called; all who look
/// on see the end then. What it was can be asked as long as somebody holds it.
final class LiveStream: Sendable {
    /// A frame on its way.
    struct Offered: Sendable {
        var frame: Frame
        var arrived: ContinuousClock.Instant
        /// The width of a pixel to its height.
        var pixelAspect: Double
        var ticket: FrameTicket?
        /// Given back when the frame is answered, or lost.
        var memory: Places.Place?
    }

    /// What becomes of a frame that is offered.
    enum Offer: Sendable {
        /// It is the next one for the mesh, or will be; under this number.
        case taken(sequence: UInt64)
        /// `stream-waiting-frames` wait.
        case noPlace
        /// The stream is over, or the task was cancelled.
        case over
    }

    private struct State {
        var life: StreamLife
        var counts = StreamCounts()
        var clock = LiveClock()
        var watch: AreaWatch
        var sequence: UInt64 = 0
        /// Of the last frame with a result.
        var frameSize: (width: Int, height: Int)?
        var sourceIsOver = false
        /// Nothing is taken any more. What it came to is told when all of its tasks are.
        var isEnding = false
        /// Why it ends, if it is not as it was asked to.
        var failure: String?
        var lastFrame: ContinuousClock.Instant
    }

    let id: String
    let owner: String
    let specification: StreamSpecification
    let createdAt: Date
    let events: Broadcast
    let pictures: MovingPictures
    let webhooks: StreamWebhooks
    let rules: StreamRules
    let logger: Logger
    private let metrics: StreamMetrics
    /// On their way to the mesh.
    let frames = HandOver<Offered>()
    private let state: Mutex<State>
    private let stopping: (stream: AsyncStream<Never>, continuation: AsyncStream<Never>.Continuation)

    /// - Parameters:
    ///   - id: of one that goes on here.
    ///   - createdAt: of the same.
    init(
        _ specification: StreamSpecification, id: String = UUID().uuidString.lowercased(), owner: String,
        createdAt: Date = Date(), rules: StreamRules, places: Places,
        metrics: StreamMetrics, logger: Logger
    ) {
        self.id = id
        self.createdAt = createdAt
        self.owner = owner
        self.specification = specification
        self.rules = rules
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "stream"] = "\(id)"
        self.logger = logger
        events = .events(rules.events, places, dropped: metrics.viewersDropped)
        pictures = MovingPictures(
            .pictures(rules.events, places, dropped: metrics.viewersDropped), quality: rules.limits.pictureQuality,
            logger: logger)
        webhooks = StreamWebhooks(
            specification.webhooks, of: id, name: specification.name, rules, metrics: metrics.webhooks, logger: logger)
        let now = ContinuousClock.now
        state = Mutex(
            State(
                life: StreamLife(now: now), watch: AreaWatch(specification.areas, rules: rules.areaRules),
                lastFrame: now))
        stopping = AsyncStream.makeStream()
    }

    // MARK: What it is

    var life: StreamLife { state.withLock { $0.life } }
    /// It has ended, or is about to.
    var isOver: Bool { state.withLock { $0.isEnding } }
    var counts: StreamCounts { state.withLock { $0.counts } }
    /// Of its frames; nil: none has a result yet.
    var frameSize: (width: Int, height: Int)? { state.withLock { $0.frameSize } }
    var areas: AreaSet { state.withLock { $0.watch.areas } }
    /// No frame comes any more after those that wait.
    var sourceIsOver: Bool { state.withLock { $0.sourceIsOver } }

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
        await webhooks.run {
            await live(client)
            events.publish("end", data: "{}")
            events.finish()
            pictures.end()
        }
    }

    private func live(_ client: @escaping @Sendable () async throws -> MeshClient) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [stopping] in for await _ in stopping.stream {} }
            tasks.addTask { await self.feed() }
            tasks.addTask { await MeshLink(self, client: client).run() }
            tasks.addTask { await self.pictures.run() }
            tasks.addTask { await self.look() }
            // Whichever is the first to end ends the stream.
            await tasks.next()
            // First: whoever hears that a frame is lost asks why.
            state.withLock { $0.isEnding = true }
            tasks.cancelAll()
        }
        // Its ticket says that the frame is lost.
        if frames.discard() != nil { lost(1) }
        end()
    }

    /// Tells how it ended, behind all else: whoever is in a zone leaves first.
    private func end() {
        let gone = state.withLock { $0.watch.end() }
        tell(gone)
        change { state in
            if let failure = state.failure { state.life.fail(failure) } else { state.life.end() }
        }
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
            change { state in
                let hasFrames = state.counts.onTheirWay > 0 || now - state.lastFrame < limits.stall
                return !state.isEnding && state.life.look(now, stall: limits.stall, hasFrames: hasFrames)
            }
            if isPushed, now - state.withLock({ $0.lastFrame }) >= limits.pushIdle { return }
        }
    }

    private func untilCancelled() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }

    /// Tells all of it, if it is news.
    private func change(_ body: (inout State) -> Bool) {
        let isNews = state.withLock { body(&$0) }
        guard isNews else { return }
        let text = JSONText.object { addState(to: &$0) }
        events.publish("state", data: text)
        webhooks.tell(.state, "state", text)
    }

    func trouble(_ cause: String) { change { !$0.isEnding && $0.life.trouble(cause) } }

    /// It ends with this once what is on its way is answered.
    func fail(_ cause: String) { state.withLock { $0.failure = $0.failure ?? cause } }

    // MARK: Frames in

    /// The source begins, for the first time or again.
    /// - Parameter age: how long ago its times were zero.
    func begin(age: Duration = .zero) {
        state.withLock { $0.clock.begin(at: Self.now - Int64(age / .microseconds(1))) }
    }

    /// Takes a frame of the source; under the policy `lossless` it waits for the frame before.
    /// - Parameters:
    ///   - sourceTime: since the source's beginning, microseconds; nil: now.
    ///   - pixelAspect: the width of a pixel to its height.
    func offer(
        _ frame: Frame, sourceTime: Int64?, pixelAspect: Double = 1, ticket: FrameTicket? = nil,
        memory: Places.Place? = nil
    ) async -> Offer {
        let now = ContinuousClock.now
        var frame = frame
        frame.stream = id
        let isOver = state.withLock { state in
            guard !state.isEnding else { return true }
            state.lastFrame = now
            return false
        }
        guard !isOver else { return .over }
        let offered = Offered(frame: frame, arrived: now, pixelAspect: pixelAspect, ticket: ticket, memory: memory)
        let offer = await handOver(offered, sourceTime)
        if case .taken = offer {
            state.withLock { $0.counts.wasTaken() }
            metrics.received.increment()
        }
        return offer
    }

    /// Numbers and times rise as frames are taken, whoever offers some at the same time.
    private func number(_ frame: inout Frame, _ sourceTime: Int64?) -> UInt64 {
        let (sequence, captureTime) = state.withLock { state in
            defer { state.sequence += 1 }
            return (
                state.sequence, sourceTime.map { state.clock.time($0) } ?? state.clock.arrival(now: Self.now, at: .now)
            )
        }
        frame.sequence = sequence
        frame.captureTime = captureTime
        return sequence
    }

    private func handOver(_ offered: Offered, _ sourceTime: Int64?) async -> Offer {
        var sequence: UInt64 = 0
        if specification.policy == .lossless {
            let placement = await frames.place(offered, places: rules.limits.waitingFrames) {
                sequence = number(&$0.frame, sourceTime)
            }
            return switch placement {
            case .placed: .taken(sequence: sequence)
            case .noPlace: .noPlace
            case .over: .over
            }
        }
        switch frames.replace(offered, stamp: { sequence = number(&$0.frame, sourceTime) }) {
        case .placed: break
        case .instead(let older):
            older.ticket?.resolve(.replaced)
            state.withLock { $0.counts.dropped += 1 }
            metrics.dropped.increment()
        case .over: return .over
        }
        return .taken(sequence: sequence)
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

    // MARK: Answers

    /// Tells all of one frame's answer.
    func take(_ response: AnalyzeResponse, _ offered: Offered) {
        let now = ContinuousClock.now
        let age = now - offered.arrived
        let happened = state.withLock { state in
            switch response.status {
            case .ok, .partial:
                state.counts.answered(age: age, now: now)
                state.frameSize = (response.width, response.height)
            case .dropped: state.counts.dropped += 1
            case .error:
                state.counts.failedOnce()
                state.life.missed(response.cause)
            }
            return state.watch.see(response)
        }
        metrics.ended(response.status)
        if response.isAnswered { change { $0.life.answered(now) } }
        events.publish("frame", data: frameText(response, age: age))
        tell(happened)
        offered.ticket?.resolve(.answered(response, age: age))
        if response.isAnswered {
            pictures.show(
                .init(
                    response: response, frame: offered.frame, arrived: offered.arrived,
                    pixelAspect: offered.pixelAspect))
        }
    }

    /// Nothing more is heard of so many frames that were with the mesh.
    func lost(_ frames: Int) {
        state.withLock { $0.counts.wereLost(frames) }
        metrics.failed.increment(by: frames)
    }

    private func tell(_ happened: [AreaEvent]) {
        for event in happened {
            let text = String(decoding: event.json, as: UTF8.self)
            events.publish("area", data: text)
            webhooks.tell(Webhook.Topic(event.kind), "area", text)
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
}
