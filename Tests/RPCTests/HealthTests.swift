import NIOCore
import TestSupport
import Testing

@testable import RPC

/// Health as our own client sees it, over real sockets.
@Suite struct HealthTests {
    @Test func theStatusOfAServiceIsChecked() async throws {
        let health = HealthService()
        health.set(.serving)
        health.set(.notServing, for: "a.B")
        try await Loopback.with(services: [health]) { loopback in
            let connection = loopback.connection
            let deadline = Deadline.after(.seconds(20))
            let whole = try await connection.checkHealth(options: .init(deadline: deadline))
            let one = try await connection.checkHealth(of: "a.B", options: .init(deadline: deadline))
            #expect((whole, one) == (.serving, .notServing))
            let error = await #expect(throws: RPCError.self) {
                try await connection.checkHealth(of: "no.Such", options: .init(deadline: deadline))
            }
            #expect(error?.code == .notFound)
            #expect(error?.message == "service 'no.Such' is not known here")
        }
    }

    @Test func allServicesAreListed() async throws {
        let health = HealthService()
        health.set(.serving)
        health.set(.notServing, for: "a.B")
        try await Loopback.with(services: [health]) { loopback in
            let listed = try await loopback.connection.listHealth()
            #expect(listed == ["": .serving, "a.B": .notServing])
        }
    }

    /// The peer's mistake, and told as one.
    @Test func anAnswerThatIsNoneCountsAgainstThePeer() async throws {
        struct Broken: RPCService {
            let serviceName = "grpc.health.v1.Health"
            var methods: [String: RPCHandler] {
                let garbage: RPCHandler = .unary { _, _ in UnaryResponse(Payload(ByteBuffer(bytes: [0xff]))) }
                return ["Check": garbage, "List": garbage, "Watch": garbage]
            }
        }
        try await Loopback.serving([:], services: [Broken()]) { server in
            let log = LogRecorder()
            let connection = try await RPCConnection.connect(
                to: server.address, configuration: .patient, group: Loopback.group, logger: log.logger)
            defer { connection.close() }
            let questions: [(RPCConnection) async throws -> Void] = [
                { _ = try await $0.checkHealth() }, { _ = try await $0.listHealth() },
                { for try await _ in try await $0.watchHealth(of: "").statuses {} },
            ]
            for (count, ask) in questions.enumerated() {
                let error = await failure { try await ask(connection) }
                #expect(error?.code == .internal)
                let counted = log.lines.filter { $0.metadata["reason"] == "protobuf" }
                #expect(counted.count == count + 1)
            }
        }
    }

    @Test func anAnswerThatIsTooLargeIsNotRead() async throws {
        struct Large: RPCService {
            let serviceName = "grpc.health.v1.Health"
            var methods: [String: RPCHandler] {
                // A field that no answer has.
                let answer = Payload(ByteBuffer.protobuf { $0.writeField(9, String(repeating: "x", count: 100)) })
                let large: RPCHandler = .unary { _, _ in UnaryResponse(answer) }
                return ["Check": large, "List": large, "Watch": large]
            }
        }
        try await Loopback.serving([:], services: [Large()]) { server in
            func ask(within limit: Int) async throws -> [RPCError?] {
                var client = ClientConfiguration.patient
                client.maxHealthAnswerBytes = limit
                let connection = try await RPCConnection.connect(
                    to: server.address, configuration: client, group: Loopback.group, logger: Loopback.logger)
                defer { connection.close() }
                return [
                    await failure { _ = try await connection.checkHealth() },
                    await failure { _ = try await connection.listHealth() },
                    await failure { for try await _ in try await connection.watchHealth(of: "").statuses {} },
                ]
            }
            #expect(try await ask(within: 102).allSatisfy { $0 == nil })
            for error in try await ask(within: 101) {
                #expect(error?.code == .resourceExhausted)
                #expect(error?.limit == .messageBytes)
            }
        }
    }

    @Test func aPeerWithoutHealthIsUnimplemented() async throws {
        try await Loopback.with { loopback in
            let connection = loopback.connection
            let error = await #expect(throws: RPCError.self) { try await connection.checkHealth() }
            #expect(error?.code == .unimplemented)
        }
    }

    @Test func aWatchFollowsTheStatusAndLeavesNothingBehind() async throws {
        let health = HealthService()
        try await Loopback.with(services: [health]) { loopback in
            let connection = loopback.connection
            let watch = try await connection.watchHealth(of: "a.B")
            var statuses = watch.statuses.makeAsyncIterator()
            var seen = [try await statuses.next()]
            for status in [HealthService.Status.serving, .notServing, .serving] {
                health.set(status, for: "a.B")
                seen.append(try await statuses.next())
            }
            #expect(seen == [.serviceUnknown, .serving, .notServing, .serving])
            #expect(health.watcherCount == 1)
            watch.cancel()
            let error = await #expect(throws: RPCError.self) { try await statuses.next() }
            #expect(error?.code == .cancelled)
            while health.watcherCount > 0 { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func aWatchEndsWithItsConnection() async throws {
        let health = HealthService()
        health.set(.serving)
        try await Loopback.with(services: [health]) { loopback in
            let connection = loopback.connection
            let watch = try await connection.watchHealth(of: "")
            var statuses = watch.statuses.makeAsyncIterator()
            let first = try await statuses.next()
            #expect(first == .serving)
            connection.close()
            while health.watcherCount > 0 { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// Were the watch to hold it up, the test would run out of time.
    @Test(.timeLimit(.minutes(5))) func aDrainingServerEndsItsWatches() async throws {
        let health = HealthService()
        health.set(.serving)
        try await Loopback.with(services: [health]) { loopback in
            let connection = loopback.connection
            let watch = try await connection.watchHealth(of: "")
            var statuses = watch.statuses.makeAsyncIterator()
            let first = try await statuses.next()
            loopback.server.drain()
            let second = try await statuses.next()
            let third = try await statuses.next()
            #expect([first, second, third] == [.serving, .notServing, nil])
            _ = await connection.closed()
        }
    }
}
