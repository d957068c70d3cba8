import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Testing

/// `DetectStream` as any node serves it, over real sockets.
@Suite struct NodeStreamTests {
    private func with(_ node: ScriptedNode, _ body: (ClientCall) async throws -> Void) async throws {
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: .cluster, services: [DetectorService(node)],
            group: TestMesh.group, logger: TestMesh.logger)
        // Ended below, whatever the test finds.
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var patient = ClientConfiguration()
        patient.connectTimeout = .seconds(30)
        let connection = try await RPCConnection.connect(
            to: server.address, configuration: patient, group: TestMesh.group, logger: TestMesh.logger)
        defer { connection.close() }
        try await body(
            try await connection.open(MethodPath.detectStream, options: .init(deadline: .after(.seconds(60)))))
    }

    private func request(_ sequence: UInt64) -> Payload {
        Payload(DetectRequest(frame: Frame(sequence: sequence, payload: .attached(ByteBuffer(string: "pixels")))))
    }

    @Test func aClientThatWaitsForEachAnswerGetsIt() async throws {
        try await with(ScriptedNode()) { call in
            var answers = call.responses.makeAsyncIterator()
            for sequence in 0..<20 as Range<UInt64> {
                try await call.send(request(sequence))
                let answer = try #require(try await answers.next())
                #expect(try DetectResponse.decode(answer).sequence == sequence)
            }
            call.finishSending()
            #expect(try await answers.next() == nil)
        }
    }

    @Test func answersKeepTheOrderOfRequestsAndFewRunAtOnce() async throws {
        let counts = Mutex((running: 0, most: 0))
        let node = ScriptedNode(onDetect: { request in
            counts.withLock {
                $0.running += 1
                $0.most = max($0.most, $0.running)
            }
            try await Task.sleep(for: .milliseconds(Int64((request.frame.sequence &* 2_654_435_761) % 7)))
            counts.withLock { $0.running -= 1 }
            return .found([], in: request.frame)
        })
        try await with(node) { call in
            let requests = (0..<200).map { request($0) }
            let answered = try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for request in requests { try await call.send(request) }
                    call.finishSending()
                }
                var answered: [UInt64] = []
                for try await answer in call.responses {
                    answered.append(try DetectResponse.decode(answer).sequence)
                }
                return answered
            }
            #expect(answered == Array(0..<200))
            #expect((2...8).contains(counts.withLock { $0.most }))
        }
    }

    @Test func theFirstErrorEndsTheStreamThoughTheClientSaysNoMore() async throws {
        let node = ScriptedNode(onDetect: { request in
            if request.frame.sequence == 3 { throw RPCError(.invalidArgument, "not a picture") }
            return .found([], in: request.frame)
        })
        try await with(node) { call in
            for sequence in 0..<6 as Range<UInt64> { try await call.send(request(sequence)) }
            var answered: [UInt64] = []
            let error = await #expect(throws: RPCError.self) {
                for try await answer in call.responses {
                    answered.append(try DetectResponse.decode(answer).sequence)
                }
            }
            #expect(error?.code == .invalidArgument && error?.message == "not a picture")
            #expect(answered == [0, 1, 2])
        }
    }
}
