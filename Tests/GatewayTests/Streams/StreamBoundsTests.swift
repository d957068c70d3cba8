import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// How much of a stream may be on its way, and for how long: with a mesh that takes frames and answers none.
@Suite(.timeLimit(.minutes(5))) struct StreamBoundsTests {
    private static func with<Value: Sendable>(
        configure: (inout StreamLimits) -> Void, _ body: (TestGateway) async throws -> Value
    ) async throws -> Value {
        try await TestGateway.with(mesh: .withoutNodes) {
            $0.limits.rate.requestsPerSecond = 1_000_000
            configure(&$0.limits.streams)
        } _: {
            try await body($0)
        }
    }

    private final class Counts: Sendable {
        private let state = Mutex((taken: 0, refused: 0))

        var taken: Int { state.withLock { $0.taken } }

        func add(isTaken: Bool) -> (taken: Int, refused: Int) {
            state.withLock { state in
                if isTaken { state.taken += 1 } else { state.refused += 1 }
                return state
            }
        }
    }

    /// Pushes until the stream has taken `enough` frames and refused many more.
    /// - Returns: how many it has taken, and what it said to the last one.
    private static func fill(
        _ gateway: TestGateway, enough: Int, waiting: Int
    ) async throws -> (taken: Int, refusal: [String: String]) {
        let path = try await TestStream.begin(gateway, TestStream.pushed)
        let counts = Counts()
        let refusal = try await withThrowingTaskGroup(of: [String: String].self) { pushers in
            // Those beyond the ones that wait are told something.
            for _ in 0..<(waiting + 2) {
                pushers.addTask {
                    while true {
                        let answer = try await TestStream.push(gateway, path, wait: false)
                        let isTaken = answer.status == 202
                        guard isTaken || answer.status == 429 else { throw Failure(answer.text) }
                        let (taken, refused) = counts.add(isTaken: isTaken)
                        let isEnough = taken >= enough && refused >= 20
                        guard isEnough, !isTaken else { continue }
                        let json = try answer.json()
                        return ["name": json["limit_name"] as? String ?? "", "limit": "\(json["limit"] ?? "")"]
                    }
                }
            }
            defer { pushers.cancelAll() }
            return try await pushers.next() ?? [:]
        }
        return (counts.taken, refusal)
    }

    @Test func framesWithTheMeshAreALimitAndSoAreThoseThatWait() async throws {
        try await Self.with {
            $0.framesInFlight = 3
            $0.waitingFrames = 2
        } _: { gateway in
            let (taken, refusal) = try await Self.fill(gateway, enough: 4, waiting: 2)
            #expect(taken == 4, "three with the mesh, and the next one")
            #expect(refusal == ["name": "stream-waiting-frames", "limit": "2"])
        }
    }

    @Test func bytesWithTheMeshAreALimitButOneFrameAlwaysFits() async throws {
        try await Self.with {
            $0.bytesInFlight = 1
            $0.waitingFrames = 1
        } _: { gateway in
            let (taken, _) = try await Self.fill(gateway, enough: 2, waiting: 1)
            #expect(taken == 2, "one with the mesh, and the next one")
        }
    }

    @Test func whoWaitsForAResultWaitsForSoLong() async throws {
        try await Self.with {
            $0.frameWait = .milliseconds(50)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let answer = try await TestStream.push(gateway, path)
            #expect(answer.status == 504, "\(answer.text)")
        }
    }

    @Test(arguments: ["latest", "lossless"])
    func whoWaitsWhenTheStreamEndsIsToldThatItHasEnded(_ policy: String) async throws {
        try await Self.with {
            $0.frameWait = .seconds(300)
        } _: { gateway in
            let path = try await TestStream.begin(
                gateway, TestStream.pushed.merging(["policy": policy]) { $1 })
            async let pushed = TestStream.push(gateway, path)
            while try await gateway.get(path).json()["received"] as? Int != 1 {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await gateway.send("DELETE", path).status == 204)
            let answer = try await pushed
            #expect(answer.status == 409, "\(answer.text)")
            #expect(try answer.json()["detail"] as? String == "the stream has ended")
        }
    }
}
