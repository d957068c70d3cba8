import Messages
import Testing

@testable import Coordination

@Suite struct StreamWindowTests {
    typealias Window = StreamWindow<Int, String>

    private func window(_ policy: StreamPolicy, _ limits: StreamLimits = .init()) -> Window {
        Window(policy: policy, limits: limits) { work, why in
            switch why {
            case .replaced(let by): "\(work) replaced by \(by)"
            case .expired: "\(work) expired"
            }
        }
    }

    @Test func answersLeaveInTheOrderOfArrivalWhateverTheOrderOfTheRuns() {
        var window = window(.lossless)
        var runs: [Window.Running] = []
        for frame in 0..<5 {
            window.accept(frame, expires: .max)
            runs.append(window.start(now: 0)!)
        }
        var left: [String] = []
        for run in [3, 1, 0, 4, 2].map({ runs[$0] }) {
            window.finish(run, "\(run.work)")
            while let answer = window.popAnswer() { left.append(answer) }
        }
        #expect(left == ["0", "1", "2", "3", "4"])
        #expect(window.unanswered == 0)
    }

    @Test func losslessHoldsTheSenderBackUntilAnAnswerHasLeft() {
        var limits = StreamLimits()
        limits.losslessWindow = 3
        var window = window(.lossless, limits)
        var runs: [Window.Running] = []
        for frame in 0..<3 {
            #expect(window.hasRoom)
            window.accept(frame, expires: .max)
            runs.append(window.start(now: 0)!)
        }
        #expect(!window.hasRoom)
        window.finish(runs[1], "1")
        #expect(!window.hasRoom, "an answer that waits for its turn still takes its place")
        window.finish(runs[0], "0")
        _ = window.popAnswer()
        #expect(window.hasRoom)
    }

    /// At busy nodes it would grow old; here a newer one takes its place.
    @Test func latestSendsASecondFrameOnlyWhereSomebodyHasTime() {
        var window = window(.latest)
        window.accept(0, expires: .max)
        let first = window.start(now: 0, isBusy: { true })
        #expect(first?.work == 0, "one of them runs, however busy others are")
        for frame in 1...3 {
            window.accept(frame, expires: .max)
            #expect(window.start(now: 0, isBusy: { true }) == nil)
        }
        #expect(window.start(now: 0, isBusy: { false })?.work == 3)
        window.finish(first!, "0")
        #expect(["0", "1 replaced by 2", "2 replaced by 3"].map { $0 == window.popAnswer() } == [true, true, true])
        // Others are to be answered all, and a frame that waits at a node is one that waits.
        var lossless = self.window(.lossless)
        for frame in 0..<2 { lossless.accept(frame, expires: .max) }
        #expect((0..<2).compactMap { _ in lossless.start(now: 0, isBusy: { true }) }.count == 2)
    }

    @Test func latestDropsTheWaitingFrameWhenANewerOneComes() {
        var limits = StreamLimits()
        limits.liveWindow = 1
        var window = window(.latest, limits)
        window.accept(10, expires: .max)
        let run = window.start(now: 0)!
        for frame in 11...13 {
            window.accept(frame, expires: .max)
            #expect(window.start(now: 0) == nil)
        }
        window.finish(run, "10")
        let second = window.start(now: 0)!
        #expect(second.work == 13)
        window.finish(second, "13")
        var left: [String] = []
        while let answer = window.popAnswer() { left.append(answer) }
        #expect(left == ["10", "11 replaced by 12", "12 replaced by 13", "13"])
    }

    @Test func deadlineDropsWhatWaitedTooLongAndRunsTheRest() {
        var limits = StreamLimits()
        limits.liveWindow = 1
        var window = window(.deadline, limits)
        window.accept(0, expires: 100)
        let run = window.start(now: 0)!
        window.accept(1, expires: 110)
        window.accept(2, expires: 300)
        window.finish(run, "0")
        let next = window.start(now: 200)!
        #expect(next.work == 2)
        window.finish(next, "2")
        var left: [String] = []
        while let answer = window.popAnswer() { left.append(answer) }
        #expect(left == ["0", "1 expired", "2"])
    }

    @Test func deadlineHoldsTheSenderBackWhenTooManyWait() {
        var limits = StreamLimits()
        limits.liveWindow = 1
        limits.deadlineQueue = 2
        var window = window(.deadline, limits)
        window.accept(0, expires: .max)
        _ = window.start(now: 0)
        window.accept(1, expires: .max)
        #expect(window.hasRoom)
        window.accept(2, expires: .max)
        #expect(!window.hasRoom)
    }

    @Test func droppedAnswersThatNobodyTakesHoldTheSenderBack() {
        var limits = StreamLimits()
        limits.liveWindow = 1
        limits.unansweredFrames = 4
        var window = window(.latest, limits)
        for frame in 0..<4 {
            #expect(window.hasRoom)
            window.accept(frame, expires: .max)
            _ = window.start(now: 0)
        }
        #expect(!window.hasRoom)
    }

    /// Any mix of arrivals and ends, any policy: each frame leaves once, in order.
    @Test func whatNobodyTakesIsAbandonedOnceAndInOrder() {
        var limits = StreamLimits()
        limits.losslessWindow = 2
        var window = window(.lossless, limits)
        for frame in 0..<4 { window.accept(frame, expires: .max) }
        let runs = (0..<2).compactMap { _ in window.start(now: 0) }
        window.finish(runs[1], "1")
        window.finish(runs[0], "0")
        let left = window.abandon()
        #expect(left.answers == ["0", "1"])
        #expect(left.waiting == [2, 3])
        #expect(window.unanswered == 0 && window.popAnswer() == nil)
        #expect(window.abandon().answers.isEmpty)
    }

    @Test func aStreamThatIsCancelledHasNoMoreAnswers() async {
        let queue = StreamQueue<Int, String>(window(.lossless))
        #expect(queue.accept(0, expires: .max))
        guard let run = queue.takeStarted() else {
            Issue.record("it runs at once")
            return
        }
        queue.cancel()
        #expect(queue.finish(run, "0") == nil)
        #expect(await queue.nextAnswer() == nil, "it is there, and nobody shall have it")
        #expect(queue.abandon().answers == ["0"])
    }

    @Test(arguments: StreamPolicy.allCases, 0..<40)
    func everyFrameLeavesExactlyOnceInOrder(_ policy: StreamPolicy, _ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var limits = StreamLimits()
        limits.liveWindow = 3
        limits.losslessWindow = 5
        limits.deadlineQueue = 4
        var window = window(policy, limits)
        var runs: [Window.Running] = []
        var left: [Int] = []
        var sent = 0
        var now: UInt64 = 0
        func pop() { while let answer = window.popAnswer() { left.append(Int(answer.split(separator: " ")[0])!) } }
        while sent < 300 || window.unanswered > 0 {
            now += random.next() % 10
            if sent < 300, window.hasRoom, random.next() % 2 == 0 {
                window.accept(sent, expires: now + random.next() % 40)
                sent += 1
            }
            while let run = window.start(now: now) { runs.append(run) }
            #expect(runs.count <= window.concurrency)
            if !runs.isEmpty, random.next() % 2 == 0 {
                let run = runs.remove(at: Int(random.next() % UInt64(runs.count)))
                window.finish(run, "\(run.work)")
            }
            pop()
        }
        #expect(left == Array(0..<300))
    }
}

/// Repeatable random numbers (Steele et al. 2014, SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
