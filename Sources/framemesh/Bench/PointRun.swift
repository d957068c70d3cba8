import Bench

/// Measures one load: the warm-up, then windows until they agree or the time is over.
struct PointRun: Sendable {
    let load: any BenchLoad
    let timing: BenchTiming
    let processes: ProcessWatch
    /// What is done to the mesh meanwhile.
    var disturbances: [Disturbance] = []
    /// Of a mesh of our own.
    var changes: AsyncStream<MeshChange>.Continuation?
    /// Told how far it is, many times a second.
    let say: @Sendable (_ text: () -> String) -> Void

    private static let progressInterval: Duration = .milliseconds(250)

    /// What was measured until nothing was answered any more.
    struct CutShort: Error {
        let point: BenchPoint
        let reason: any Error
    }

    private enum Part: Sendable {
        /// With what ended it before it was told to; nil: nothing did.
        case load((any Error)?)
        case measured(Measured)
        case waited
    }

    private struct Measured: Sendable {
        var windows: [(tally: Tally, seconds: Double)] = []
        /// What was on its way when the first window began, and at the end of each.
        var edges: [(time: ContinuousClock.Instant, window: Recorder.Window)] = []
        /// At the start of each window, and at the end of the last.
        var usage: [[ProcessWatch.Key: ProcessWatch.Sample]] = []
        var isStable = false
        var isInterrupted = false
        var disturbed: [DisturbanceRecord] = []
    }

    /// When its task is cancelled, what was measured by then is the result.
    /// - Throws: what keeps all frames from being answered; `CutShort` where some were.
    func measure() async throws -> BenchPoint {
        let recorder = Recorder()
        let stop = StopSign()
        let (measured, reason) = await withTaskGroup(of: Part.self) { tasks in
            tasks.addTask { .load(await run(recorder, until: stop)) }
            tasks.addTask { .measured(await windows(recorder, stop)) }
            var isOver = false
            var reason: (any Error)?
            var measured: Measured?
            for await part in tasks {
                switch part {
                case .load(let found): (isOver, reason) = (true, found)
                case .measured(let found): measured = found
                case .waited: continue
                }
                if isOver, measured != nil {
                    tasks.cancelAll()
                } else if measured != nil {
                    tasks.addTask { await sayWhatIsMissing(recorder) }
                }
            }
            return (measured ?? Measured(), reason)
        }
        var point = point(measured, recorder)
        guard let reason else { return point }
        guard point.answered > 0 else { throw reason }
        point.error = Fatal(reason).description
        throw CutShort(point: point, reason: reason)
    }

    /// - Returns: what ended it before it was told to.
    private func run(_ recorder: Recorder, until stop: StopSign) async -> (any Error)? {
        var reason: (any Error)?
        do {
            try await load.run(recorder, until: stop)
        } catch {
            // Told to end in the middle of a call.
            if !Task.isCancelled { reason = error }
        }
        // The windows end with it, those that never began as well.
        stop.raise()
        recorder.begin()
        return reason
    }

    /// Until its task is cancelled.
    private func sayWhatIsMissing(_ recorder: Recorder) async -> Part {
        while !Task.isCancelled {
            say { "\(load.description.text): measured; \(Count.of(recorder.waiting, "frame")) without an answer yet" }
            try? await Task.sleep(for: Self.progressInterval)
        }
        return .waited
    }

    private func windows(_ recorder: Recorder, _ stop: StopSign) async -> Measured {
        defer { stop.raise() }
        var measured = Measured()
        await recorder.waitForBegin()
        guard await wait(until: .now + timing.warmup, stop, { "\(load.description.text): warm-up" }) else {
            measured.isInterrupted = true
            return measured
        }
        let disturber = Disturber(disturbances, changes)
        async let disturbed = disturber.run()
        var steadiness = Steadiness(timing.rules)
        let begin = recorder.take()
        var start = ContinuousClock.now
        measured.edges.append((start, begin))
        measured.usage.append(await processes.sample())
        let parts = timing.parts
        while true {
            let end = start + (parts?.length ?? timing.window)
            let isWhole = await wait(until: end, stop) { progress(measured, recorder, since: start) }
            let window = recorder.take()
            let tally = window.tally
            let now = ContinuousClock.now
            let seconds = (now - start) / .seconds(1)
            start = now
            measured.windows.append((tally, seconds))
            measured.edges.append((now, window))
            // Of the ends in between, those are needed where the windows that are kept may begin.
            if parts != nil, measured.edges.count > 2 { measured.edges.remove(at: 1) }
            if parts == nil, measured.edges.count > timing.rules.agreeing + 1 { measured.edges.removeFirst() }
            let isLast: Bool
            if isWhole {
                let verdict = steadiness.add(
                    WindowRecord.sample(tally, seconds: seconds, percentile: timing.percentile))
                measured.isStable = parts == nil ? steadiness.agrees : steadiness.allAgree
                isLast = if let parts { measured.windows.count == parts.count } else { verdict != .goOn }
            } else {
                measured.isInterrupted = true
                isLast = true
            }
            // What comes to be due while the processes are asked is no part of it.
            if isLast { stop.raise() }
            measured.usage.append(await processes.sample())
            if isLast { break }
        }
        disturber.end()
        measured.disturbed = await disturbed
        return measured
    }

    /// - Returns: false if the run was stopped or cancelled before.
    private func wait(
        until end: ContinuousClock.Instant, _ stop: StopSign, _ text: () -> String
    ) async -> Bool {
        while ContinuousClock.now < end {
            say(text)
            guard await stop.wait(until: min(end, .now + Self.progressInterval)) else { return false }
        }
        return !stop.isUp && !Task.isCancelled
    }

    private func progress(_ measured: Measured, _ recorder: Recorder, since start: ContinuousClock.Instant) -> String {
        let now = recorder.soFar
        let seconds = max(0.001, (ContinuousClock.now - start) / .seconds(1))
        let most = timing.parts?.count ?? timing.rules.maxTrials
        var text =
            "\(load.description.text): window \(measured.windows.count + 1) of at most \(most)  "
            + "\(Figure.rate(Double(now.answered) / seconds)) frames/s  "
            + "mean \(Figure.column(now.mean, decimals: 1)) ms"
        if now.failed > 0 { text += "  \(now.failed) failed" }
        return text
    }

    private func point(_ measured: Measured, _ recorder: Recorder) -> BenchPoint {
        // Until they agree, those before the last ones were too early.
        let kept = timing.duration == nil ? timing.rules.agreeing : measured.windows.count
        let windows = Array(measured.windows.suffix(kept))
        let frames = windows.reduce(0) { $0 + $1.tally.answered }
        let usage = Array(measured.usage.suffix(windows.count + 1))
        var cut = CutFrames()
        if let first = measured.edges.first, let last = measured.edges.last, !windows.isEmpty {
            cut = recorder.cut(begin: first.time, first.window, end: last.time, last.window)
        }
        return BenchPoint(
            load.description, windows: windows, cut: cut, isStable: measured.isStable, trials: measured.windows.count,
            isInterrupted: measured.isInterrupted,
            processes: processes.records(of: usage, frames: frames), wholeRun: recorder.whole,
            disturbances: measured.disturbed)
    }
}
