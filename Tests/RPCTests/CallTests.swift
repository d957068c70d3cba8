import NIOCore
import Testing

@testable import RPC

/// The four kinds of calls, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct CallTests {
    @Test func unaryCallsAnswer() async throws {
        try await Loopback.with([
            "Echo": .unary { _, payload in UnaryResponse(payload) },
            "Now": .immediate { _, payload in UnaryResponse(Payload("now " + payload.text)) },
        ]) { loopback in
            try await loopback.expect("hello", from: "Echo", "hello")
            try await loopback.expect("", from: "Echo", "")
            try await loopback.expect("now or never", from: "Now", "or never")
        }
    }

    @Test func aUnaryHandlerGivesMetadataAndTrailers() async throws {
        let answer = UnaryResponse(Payload("x"), metadata: ["first": "1"], trailers: ["last": "2"])
        try await Loopback.with(["Later": .unary { _, _ in answer }, "Now": .immediate { _, _ in answer }]) {
            loopback in
            for method in ["Later", "Now"] {
                let response = try await loopback.connection.unary(loopback.path(method), Payload(""))
                #expect(response.payload.text == "x")
                #expect(response.metadata["first"] == "1")
                #expect(response.metadata["last"] == nil)
                #expect(response.trailers["last"] == "2")
            }
        }
    }

    @Test func theDetailsOfAnErrorTravelWithIt() async throws {
        var error = RPCError(.failedPrecondition, "no", metadata: ["hint": "x"])
        error.details = [8, 9, 0, 255]
        error.details = [8, 9, 0, 255, 1]
        try await Loopback.with([
            "Fail": .unary { [error] _, _ in throw error },
            "Late": .stream { [error] _, _, responses in
                try await responses.write(Payload("one"))
                throw error
            },
        ]) { loopback in
            for method in ["Fail", "Late"] {
                let call = try await loopback.connection.open(loopback.path(method))
                if method == "Fail" { try await call.send(Payload("")) }
                call.finishSending()
                let seen = await failure { _ = try await collect(call.responses) }
                #expect(seen?.code == .failedPrecondition)
                #expect(seen?.details == [8, 9, 0, 255, 1])
                #expect(seen?.metadata["hint"] == "x")
            }
        }
        error.details = nil
        #expect(error.metadata.count == 1)
    }

    @Test func clientStreamsReachTheHandler() async throws {
        try await Loopback.with([
            "Join": .stream { _, requests, responses in
                let texts = try await collect(requests)
                try await responses.write(Payload(texts.joined(separator: ",")))
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Join"))
            for text in ["a", "b", "c"] { try await call.send(Payload(text)) }
            call.finishSending()
            #expect(try await collect(call.responses) == ["a,b,c"])
        }
    }

    @Test func serverStreamsReachTheClient() async throws {
        try await Loopback.with([
            "Count": .stream { _, requests, responses in
                let count = Int(try await collect(requests)[0]) ?? 0
                for number in 0..<count { try await responses.write(Payload("\(number)")) }
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Count"))
            try await call.send(Payload("1000"))
            call.finishSending()
            #expect(try await collect(call.responses) == (0..<1000).map(String.init))
        }
    }

    @Test func bothSidesTalkInTurns() async throws {
        try await Loopback.with([
            "Echo": .stream { _, requests, responses in
                for try await request in requests { try await responses.write(request) }
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Echo"))
            var answers = call.responses.makeAsyncIterator()
            for number in 0..<100 {
                try await call.send(Payload("\(number)"))
                #expect(try await answers.next()?.text == "\(number)")
            }
            call.finishSending()
            #expect(try await answers.next() == nil)
        }
    }

    @Test func metadataAndTrailersTravelBothWays() async throws {
        try await Loopback.with([
            "Meta": .stream { context, _, responses in
                var initial = Metadata()
                initial.add("seen", context.metadata["asked"] ?? "nothing")
                responses.setInitialMetadata(initial)
                var trailers = Metadata()
                trailers.add("digest-bin", bytes: context.metadata.bytes("key-bin") ?? [])
                responses.setTrailers(trailers)
                try await responses.write(Payload("x"))
            }
        ]) { loopback in
            var metadata: Metadata = ["asked": "this"]
            metadata.add("key-bin", bytes: [0, 255, 7])
            let call = try await loopback.connection.open(loopback.path("Meta"), options: .init(metadata: metadata))
            call.finishSending()
            #expect(try await call.initialMetadata()["seen"] == "this")
            #expect(try await collect(call.responses) == ["x"])
            #expect(call.trailers.bytes("digest-bin") == [0, 255, 7])
        }
    }

    @Test func errorsOfHandlersReachTheClient() async throws {
        struct Surprise: Error {}
        try await Loopback.with([
            "Fail": .unary { _, _ in
                throw RPCError(.invalidArgument, "box 3 is 100 % wrong: größer", metadata: ["hint": "smaller"])
            },
            "Surprise": .immediate { _, _ in throw Surprise() },
            "Late": .stream { _, _, responses in
                try await responses.write(Payload("one"))
                throw RPCError(.dataLoss, "gone")
            },
        ]) { loopback in
            let error = await failure { _ = try await loopback.unary("Fail") }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message == "box 3 is 100 % wrong: größer")
            #expect(error?.metadata["hint"] == "smaller")
            #expect(await failure { _ = try await loopback.unary("Surprise") }?.code == .unknown)

            let call = try await loopback.connection.open(loopback.path("Late"))
            var answers = call.responses.makeAsyncIterator()
            #expect(try await answers.next()?.text == "one")
            #expect(await failure { _ = try await answers.next() }?.code == .dataLoss)
        }
    }

    @Test func unknownMethodsAreUnimplemented() async throws {
        try await Loopback.with([:]) { loopback in
            let error = await failure { _ = try await loopback.unary("Nothing") }
            #expect(error?.code == .unimplemented)
            #expect(error?.message == "method /test.Service/Nothing is not known here")
            #expect(error?.neverStarted == false)
        }
    }

    @Test func manyCallsRunAtOnce() async throws {
        try await Loopback.serving([
            "Echo": .unary { _, payload in
                try? await Task.sleep(for: .milliseconds(1))
                return UnaryResponse(payload)
            }
        ]) { server in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for index in 0..<8 {
                    let connection = try await RPCConnection.connect(
                        to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
                    for number in 0..<250 {
                        tasks.addTask {
                            let text = "\(index)/\(number)"
                            let response = try await connection.unary("/test.Service/Echo", Payload(text))
                            return response.payload.text == text ? 1 : 0
                        }
                    }
                }
                #expect(try await tasks.reduce(0, +) == 2000)
            }
        }
    }
}
