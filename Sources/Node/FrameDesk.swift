import RPC
import Services

/// Where the services of a node hand in their frames: one queue and one set of workers, whatever is asked.
struct FrameDesk: Sendable {
    let pool: WorkerPool<ModelRunner>
    let lanes: ModelLanes
    let trust: ClientTrust

    /// - Throws: `RPCError`.
    func run(
        _ work: VisionWork, lane: Int, _ context: CallContext
    ) async throws -> WorkerPool<ModelRunner>.Served {
        let served = try await pool.run(
            work, client: trust.client(of: context), priority: FramePriority.told(in: context.metadata) ?? .live,
            model: lane, inputs: work.inputs, deadline: context.deadline?.instant, due: context.callDeadline?.instant)
        pool.metrics?.record(served)
        return served
    }
}
