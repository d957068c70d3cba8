import Foundation
import Mesh
import UnixSignals

/// A mesh of processes on this machine, as long as a piece of work needs it.
enum LocalMesh {
    /// Starts a mesh, runs `body` with where it can be called, and ends the mesh, however `body` ends. SIGUSR1 and SIGUSR2
    /// are passed on to all of it.
    ///
    /// - Parameter changes: what it is told to do meanwhile; nil: nothing.
    /// - Returns: also how the mesh ended.
    /// - Throws: `Fatal` with the error of the part that could not start, or what `body` throws.
    @discardableResult static func with<Value: Sendable>(
        _ plan: MeshPlan, changes: AsyncStream<MeshChange>? = nil, say: @Sendable @escaping (String) -> Void,
        body: @Sendable (MeshAddresses) async throws -> Value
    ) async throws -> (value: Value, ending: MeshSupervisor.Ending) {
        let executable = Resources.executable.path
        let (inputs, feed) = AsyncStream<MeshSupervisor.Input>.makeStream()
        let (ready, announce) = AsyncStream<MeshAddresses>.makeStream()
        // A task of its own, so that cancelling us does not cut the orderly end short. We wait for it on every path.
        let running = Task {
            await MeshRunner(plan: plan, executable: executable, feed: feed, announce: announce, say: say).run(inputs)
        }
        let signals = await UnixSignalsSequence(trapping: .sigusr1, .sigusr2)
        let passing = Task { for await signal in signals { feed.yield(.signal(signal.rawValue)) } }
        let changing = changes.map { changes in Task { for await change in changes { feed.yield(.change(change)) } } }
        defer {
            passing.cancel()
            changing?.cancel()
        }
        func end() async -> MeshSupervisor.Ending {
            feed.yield(.stop)
            return await running.value
        }
        // nil: the mesh could not start, or we are cancelled.
        guard let addresses = await ready.first(where: { _ in true }) else {
            let ending = await end()
            if let failure = ending.failure { throw Fatal(failure, status: ending.status) }
            throw CancellationError()
        }
        do {
            let value = try await body(addresses)
            return (value, await end())
        } catch {
            _ = await end()
            throw error
        }
    }
}
