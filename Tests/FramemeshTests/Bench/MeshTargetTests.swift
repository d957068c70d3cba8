import Bench
import Client
import Mesh
import RPC
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct MeshTargetTests {
    /// One call has all the room that this client gives itself at the coordinator; the next one waits here, in vain.
    @Test func whatFindsNoRoomAmongOurOwnCallsIsRefused() async throws {
        let coordinator = SwappingCoordinator(swapping: "")
        let ending = try await coordinator.serve { place in
            var calling = MeshClientConfiguration()
            calling.channel.balancing.maxInFlight = 1
            calling.channel.readyTimeout = .milliseconds(50)
            let target = MeshTarget(
                place, calling, AnalyzeOptions(pipeline: SwappingCoordinator.endless), survivesLoss: false)
            defer { target.close() }
            try await target.prepare(callers: 1)
            let frame = try BenchInputs(making: #require(PictureSize("4x4")), isRaw: true).frame(0)
            let running = Task { try await target.ask(frame, caller: 0) }
            while coordinator.held == 0 { try await Task.sleep(for: .milliseconds(2)) }
            let outcome = try await target.ask(frame, caller: 0)
            running.cancel()
            _ = try? await running.value
            return outcome.ending
        }
        guard case .refused(let cause) = ending else {
            Issue.record("\(ending)")
            return
        }
        #expect(cause.hasPrefix("RESOURCE_EXHAUSTED: every endpoint of "), "\(cause)")
    }

    @Test func moreCallersThanAreTakenAreToldTheLimit() async throws {
        try await SwappingCoordinator(swapping: "").serve(connections: 4) { place in
            let target = MeshTarget(
                place, MeshClientConfiguration(), AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            defer { target.close() }
            try await target.prepare(callers: 1)
            let error = await #expect(throws: ClientError.self) { try await target.prepare(callers: 8) }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("(its max-connections-per-address)") == true, "\(error?.message ?? "")")
        }
    }

    /// So `send` goes on, too.
    @Test(arguments: [
        (StatusCode.unavailable, true), (StatusCode.resourceExhausted, false), (StatusCode.deadlineExceeded, false),
    ])
    func ofCallsThatWereNeverSentOnlyThoseWithoutAConnectionEndAll(_ code: StatusCode, _ endsAll: Bool) {
        #expect(RPCError(code, "", neverStarted: true).isOfAllCalls == endsAll)
        #expect(!RPCError(code, "").isOfAllCalls)
    }
}
