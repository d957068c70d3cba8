import Messages
import NIOCore
import RPC
import Services

extension FrameRunner {
    /// Both stages of a frame in one call.
    /// - Returns: false: they have to go apart, as `frame` is now.
    func fuse(
        _ frame: inout AcceptedFrame, _ input: Pipeline.Input, topK: Int, _ nodes: any StageCaller, _ merge: inout Merge
    ) async -> Bool {
        let request = request(frame, input, topK)
        let isUrgent = places.areReadyApart
        guard var result = await ask(nodes, request, frame, isUrgent: isUrgent) else { return false }
        // The others are gone by now: it waits for room, as it would have done without them.
        if isUrgent, frame.waitsForRoom, let error = result.error, error.code == .resourceExhausted,
            places.verdict(on: error) == .stands
        {
            let retries = result.retries + 1
            guard let again = await ask(nodes, request, frame, isUrgent: false) else { return false }
            result = again
            result.retries += retries
        }
        guard let error = result.error else {
            // What fails there may go well elsewhere, and the node is known for it then: as a stage of its own, once.
            switch merge.add(result) {
            case "detect": merge.add(await detect(frame))
            case "classify": await classify(frame, input, topK: topK, &merge)
            default: break
            }
            return true
        }
        switch places.verdict(on: error) {
        case .stands:
            _ = merge.add(result)
            return true
        case .apartFromNowOn: places.refusals.note(error, at: .now())
        case .apart: break
        }
        merge.add(refused: result)
        frame.isSuspect = error.isSuspect
        return false
    }

    /// - Parameter isUrgent: others would take it: it waits for nobody. Where they have one stage, not for long.
    /// - Returns: nil: others are ready, and these are not.
    private func ask(
        _ nodes: any StageCaller, _ request: FusedRequest, _ frame: AcceptedFrame, isUrgent: Bool
    ) async -> StageResult<FusedResponse>? {
        let grace = isUrgent ? .zero : places.isOneReadyApart ? configuration.optionalStageGrace : nil
        let patience = CallPatience(grace: grace, waitsForRoom: !isUrgent)
        return await inLine {
            await self.call("node", nodes, MethodPath.fused, request, frame, patience)
        }
    }

    private enum News: Sendable {
        case called(StageResult<FusedResponse>)
        /// A detector or a classifier is ready.
        case ready
        /// The other one had time to be.
        case enough
        case nothing
    }

    /// Where nobody is ready, a call stands in line for nodes of both stages until others are ready before these: a detector and a
    /// classifier, or one of them for as long as a stage is waited for that a frame can do without.
    /// - Returns: nil: others are.
    private func inLine(
        _ call: @Sendable @escaping () async -> StageResult<FusedResponse>
    ) async -> StageResult<FusedResponse>? {
        guard !places.isAnyReady else { return await call() }
        return await withTaskGroup(of: News.self) { tasks in
            tasks.addTask { .called(await call()) }
            for others in [places.detectors, places.classifiers].compactMap({ $0 }) {
                tasks.addTask { (try? await others.untilReady()) == nil ? .nothing : .ready }
            }
            var isOver = false
            for await news in tasks {
                var isEnough = false
                switch news {
                case .called(let result):
                    tasks.cancelAll()
                    return isOver && result.error != nil ? nil : result
                case .ready where places.areReadyApart: isEnough = true
                case .ready:
                    tasks.addTask { [grace = configuration.optionalStageGrace] in
                        (try? await Task.sleep(for: grace)) == nil ? .nothing : .enough
                    }
                case .enough: isEnough = true
                case .nothing: break
                }
                // Where a node of both is ready too, the call has its turn.
                guard isEnough, places.nodes?.isReady != true, places.isOneReadyApart else { continue }
                isOver = true
                tasks.cancelAll()
            }
            return nil
        }
    }

    private func request(_ frame: AcceptedFrame, _ input: Pipeline.Input, _ topK: Int) -> FusedRequest {
        var request = FusedRequest(
            frame: frame.request.frame, detectModel: configuration.detectModel, minConfidence: detectFloor(frame),
            classifyModel: configuration.classifyModel, topK: frame.request.topK == 0 ? topK : frame.request.topK)
        if case .boxes(let limit) = input {
            request.boxes = limit
            request.boxConfidence = classifyFloor(frame)
        }
        return request
    }
}
