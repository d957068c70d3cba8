import Client
import Mesh
import Messages
import RPC
import Services

/// What all coordinators say of the mesh, asked at the same time.
struct MeshLook: Sendable {
    let client: MeshClient
    /// When none is waited for any more.
    let deadline: Deadline
    /// How long the others are waited for when one has answered: one that is frozen must not hold up the rest.
    let grace: Duration

    private struct Answer: Sendable {
        var place: Int
        var nodes: [NodeState]
        /// nil: it did not say.
        var pipelines: [PipelineDescription]?
    }

    /// - Throws: `RPCError` where no coordinator answers.
    func view() async throws -> MeshView {
        if let view = await ask() { return view }
        // None is connected, or none of those that are answers: the next to be ready is waited for.
        let pipelines = try await client.vision.pipelines(deadline: deadline)
        if let view = await ask() { return view }
        let coordinators = client.coordinators.map { MeshView.Coordinator(endpoint: $0, nodes: []) }
        return MeshView(coordinators: coordinators, pipelines: pipelines)
    }

    /// Those that are connected. What one of them does not say costs the others nothing.
    /// - Returns: nil: none of them answers.
    private func ask() async -> MeshView? {
        await withTaskGroup(of: Answer?.self) { tasks in
            var coordinators = client.coordinators.map { MeshView.Coordinator(endpoint: $0, nodes: []) }
            for (place, coordinator) in coordinators.enumerated() {
                tasks.addTask { await answer(of: coordinator.endpoint.name, at: place) }
            }
            var pipelines: [PipelineDescription]?
            var awaited = coordinators.count
            // The one that is nil is the end of the grace.
            while awaited > 0, let next = await tasks.next(), let answer = next {
                awaited -= 1
                coordinators[answer.place].nodes = answer.nodes
                guard pipelines == nil, let first = answer.pipelines else { continue }
                pipelines = first
                tasks.addTask {
                    try? await Task.sleep(for: grace)
                    return nil
                }
            }
            tasks.cancelAll()
            return pipelines.map { MeshView(coordinators: coordinators, pipelines: $0) }
        }
    }

    private func answer(of coordinator: String, at place: Int) async -> Answer {
        let vision = client.vision(on: coordinator)
        async let nodes = vision.nodes(deadline: deadline)
        let pipelines = try? await vision.pipelines(deadline: deadline)
        return Answer(place: place, nodes: (try? await nodes) ?? [], pipelines: pipelines)
    }
}
