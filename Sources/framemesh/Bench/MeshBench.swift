import Client
import Mesh
import Messages
import RPC
import Services
import Synchronization

/// A closed loop against a mesh: each caller sends its next frame when its last one was answered.
///
/// Each caller has connections of its own, as as many clients would, to each of several coordinators.
struct MeshBench: Sendable {
    let options: AnalyzeOptions
    let inputs: BenchInputs
    let window: BenchWindow
    /// Frames that one stream has on its way; nil: unary calls.
    let perStream: Int?

    /// - Throws: what `MeshClient.connect` does.
    static func connect(
        _ count: Int, to target: Target, _ calling: MeshClientConfiguration
    ) async throws -> [MeshClient] {
        // The first one says what is wrong with all of them.
        let first = try await MeshClient.connect(to: target, calling)
        var clients = [first]
        do {
            for _ in 1..<max(1, count) { clients.append(try await MeshClient.connect(to: target, calling)) }
            return clients
        } catch {
            for client in clients { client.close() }
            throw error
        }
    }

    /// - Throws: `Fatal` if a connection is lost.
    func run(_ clients: [MeshClient]) async throws -> Measurement {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Measurement.self) { tasks in
                for (index, client) in clients.enumerated() {
                    // Callers begin at different pictures.
                    let first = UInt64(index * inputs.count / clients.count)
                    tasks.addTask {
                        perStream == nil
                            ? try await call(client, first) : try await stream(client, first, "bench-\(index)")
                    }
                }
                return try await tasks.reduce(into: Measurement()) { $0.add($1) }
            }
        } onCancel: {
            window.stop()
        }
    }

    private func call(_ client: MeshClient, _ first: UInt64) async throws -> Measurement {
        var measured = Measurement()
        var sequence = first
        while !window.isOver() {
            let start = ContinuousClock.now
            do {
                let response = try await client.vision.analyze(
                    options.request(inputs.frame(sequence)), deadline: options.deadline)
                let end = ContinuousClock.now
                if window.contains(end) { measured.record(response, took: end - start) }
            } catch {
                if Task.isCancelled { break }
                guard let error = error as? RPCError, !error.isOfConnection else { throw client.explaining(error) }
                if window.contains(.now) { measured.fail(error.message) }
            }
            sequence += 1
        }
        return measured
    }

    private func stream(_ client: MeshClient, _ first: UInt64, _ name: String) async throws -> Measurement {
        var measured = Measurement()
        // Told by another task than the one that takes answers; both end with the stream.
        let resumptions = Mutex(Measurement())
        let stream = FrameStream<ContinuousClock.Instant>(
            client: client, limits: InFlightLimits(frames: perStream ?? 1, bytes: .max),
            resumed: { _, again in resumptions.withLock { $0.resumed(again: again) } })
        let sequence = SequenceCounter(first)
        do {
            try await stream.run {
                window.isOver()
                    ? nil : .frame(options.request(inputs.frame(sequence.next(), stream: name)), keep: .now, bytes: 0)
            } answer: { response, start in
                let end = ContinuousClock.now
                if window.contains(end) { measured.record(response, took: end - start) }
            }
        } catch {
            guard Task.isCancelled else { throw error }
        }
        measured.add(resumptions.withLock { $0 })
        return measured
    }
}
