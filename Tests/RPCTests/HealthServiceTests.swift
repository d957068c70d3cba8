import NIOCore
import Testing

@testable import RPC

@Suite struct HealthServiceTests {
    /// Runs `body` beside a watch of `service`; `body` takes what is reported with `next`.
    private func watching(
        _ health: HealthService, _ service: String,
        _ body: (_ next: () async -> HealthService.Status?) async throws -> Void
    ) async throws {
        let (reports, continuation) = AsyncStream.makeStream(of: HealthService.Status.self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await health.watch(service, for: .unlike) { continuation.yield($0) }
            }
            var iterator = reports.makeAsyncIterator()
            try await body { await iterator.next() }
            tasks.cancelAll()
        }
    }

    @Test func aServiceThatWasSetIsKnown() throws {
        let health = HealthService()
        health.set(.serving)
        health.set(.notServing, for: "a.B")
        #expect(try health.check("") == .serving)
        #expect(try health.check("a.B") == .notServing)
    }

    @Test func checkOfAnUnknownServiceIsNotFound() {
        let error = #expect(throws: RPCError.self) { try HealthService().check("a.B") }
        #expect(error?.code == .notFound)
        #expect(error?.message == "service 'a.B' is not known here")
    }

    @Test func allServicesAreListedUpToALimit() throws {
        let health = HealthService()
        #expect(try health.list().isEmpty)
        health.set(.serving)
        health.set(.notServing, for: "a.B")
        #expect(try health.list() == ["": .serving, "a.B": .notServing])
        for number in 2..<HealthService.defaultMaxListed { health.set(.serving, for: "service \(number)") }
        #expect(try health.list().count == HealthService.defaultMaxListed)
        health.set(.serving, for: "one more")
        let error = #expect(throws: RPCError.self) { try health.list() }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.limit == .listedServices)
    }

    @Test func moreAreListedWhereTheLimitIsAnotherOne() throws {
        let health = HealthService(maxListed: 2)
        for name in ["a", "b"] { health.set(.serving, for: name) }
        #expect(try health.list().count == 2)
        health.set(.serving, for: "c")
        #expect(throws: RPCError.self) { try health.list() }
    }

    /// Anybody may watch, and a balancer that can't would take the server for lost.
    @Test func oneAddressLeavesWatchesToOthers() async throws {
        let health = HealthService(maxWatches: 8)
        func watches(_ count: Int, from origin: UInt64, _ body: () async throws -> Void) async throws -> Int {
            let (ends, end) = AsyncStream.makeStream(of: Bool.self)
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<count {
                    tasks.addTask {
                        do {
                            try await health.watch("", for: CallOrigin(origin)) { _ in end.yield(true) }
                        } catch let error as RPCError where error.limit == .healthWatches {
                            end.yield(false)
                        }
                    }
                }
                var told = ends.makeAsyncIterator()
                var served = 0
                for _ in 0..<count where await told.next() == true { served += 1 }
                try await body()
                tasks.cancelAll()
                try? await tasks.waitForAll()
                return served
            }
        }
        let greedy = try await watches(20, from: 1) {
            let other = try await watches(2, from: 2) {}
            #expect(other == 2)
        }
        #expect(greedy == 4)
        #expect(health.watcherCount == 0)
        let again = try await watches(4, from: 1) {}
        #expect(again == 4)
    }

    @Test func aWatcherIsToldTheStatusAndEachChange() async throws {
        let health = HealthService()
        health.set(.serving)
        try await watching(health, "") { next in
            #expect(await next() == .serving)
            health.set(.serving)
            health.set(.serving, for: "other")
            health.set(.notServing)
            #expect(await next() == .notServing)
        }
        #expect(health.watcherCount == 0)
    }

    @Test func anUnknownServiceCanBeWatchedUntilItComes() async throws {
        let health = HealthService()
        try await watching(health, "a.B") { next in
            #expect(await next() == .serviceUnknown)
            health.set(.serving, for: "a.B")
            #expect(await next() == .serving)
        }
    }

    @Test func aSlowWatcherGetsTheNewestOnly() async {
        let health = HealthService()
        health.set(.serving)
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let (reports, report) = AsyncStream.makeStream(of: HealthService.Status.self)
        await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var gate = gate.makeAsyncIterator()
                try await health.watch("", for: .unlike) {
                    report.yield($0)
                    _ = await gate.next()
                }
            }
            var seen = reports.makeAsyncIterator()
            #expect(await seen.next() == .serving)
            health.set(.notServing)
            health.set(.unknown)
            health.set(.notServing)
            opened.yield()
            #expect(await seen.next() == .notServing)
            // What was skipped is not said later: the next one is the next change.
            opened.yield()
            health.set(.unknown)
            #expect(await seen.next() == .unknown)
            tasks.cancelAll()
        }
    }

    @Test func drainingSaysNotServingAndEndsTheWatches() async throws {
        let health = HealthService()
        health.set(.serving)
        try await watching(health, "") { next in
            #expect(await next() == .serving)
            health.drain()
            #expect(await next() == .notServing)
            #expect(await next() == nil)
        }
        health.set(.serving)
        #expect(try health.check("") == .notServing)
        // A watch that comes late is told and ended, too.
        try await watching(health, "") { next in
            #expect(await next() == .notServing)
            #expect(await next() == nil)
        }
    }

    @Test func theNumberOfWatchersIsBounded() async {
        let health = HealthService()
        await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<HealthService.defaultMaxWatches {
                tasks.addTask { try await health.watch("", for: .unlike) { _ in } }
            }
            while health.watcherCount < HealthService.defaultMaxWatches { try? await Task.sleep(for: .milliseconds(1)) }
            let error = await #expect(throws: RPCError.self) { try await health.watch("", for: .unlike) { _ in } }
            #expect(error?.code == .resourceExhausted)
            tasks.cancelAll()
        }
        #expect(health.watcherCount == 0)
    }
}

@Suite struct HealthMessagesTests {
    @Test(arguments: ["", "a", "framemesh.v1.Detector", "größe"])
    func requestsComeBack(_ service: String) throws {
        #expect(try HealthMessages.service(of: HealthMessages.request(service: service)) == service)
    }

    @Test func requestsAreOrdinaryProtobuf() {
        #expect(HealthMessages.request(service: "ab") == ByteBuffer(bytes: [0x0a, 2, 0x61, 0x62]))
        #expect(HealthMessages.response(.serving) == ByteBuffer(bytes: [8, 1]))
        #expect(HealthMessages.response(.unknown) == ByteBuffer())
    }

    @Test(arguments: [HealthService.Status.unknown, .serving, .notServing, .serviceUnknown])
    func responsesComeBack(_ status: HealthService.Status) throws {
        #expect(try HealthMessages.status(of: HealthMessages.response(status)) == status)
    }

    @Test func listsComeBack() throws {
        let statuses: [String: HealthService.Status] = ["": .serving, "größe": .notServing, "c": .unknown]
        #expect(try HealthMessages.statuses(of: HealthMessages.list(statuses)) == statuses)
        #expect(try HealthMessages.statuses(of: ByteBuffer()) == [:])
        for bytes in [[0x0a, 5], [0x0a, 2, 0x0a, 9]] as [[UInt8]] {
            #expect(throws: RPCError.self) { try HealthMessages.statuses(of: ByteBuffer(bytes: bytes)) }
        }
    }

    /// P04: entries of a map without their value, their key or both, and one key twice, of which the last counts.
    @Test func entriesOfAListMayLackAnything() throws {
        let list = ByteBuffer.protobuf { list in
            list.writeField(1) { $0.writeField(1, "no value") }
            list.writeField(1) { $0.writeField(2, HealthMessages.response(.serving)) }
            list.writeField(1) {
                $0.writeField(1, "empty value"); $0.writeField(2, "")
            }
            for status in [HealthService.Status.serving, .notServing] {
                list.writeField(1) {
                    $0.writeField(1, "twice"); $0.writeField(2, HealthMessages.response(status))
                }
            }
        }
        #expect(
            try HealthMessages.statuses(of: list)
                == ["no value": .unknown, "": .serving, "empty value": .unknown, "twice": .notServing])
        #expect(try HealthMessages.statuses(of: .protobuf { $0.writeField(1, "") }) == ["": .unknown])
    }

    @Test func aStatusOfTheFutureIsUnknown() throws {
        #expect(try HealthMessages.status(of: ByteBuffer(bytes: [8, 99])) == .unknown)
    }

    @Test func otherBytesAreRefused() {
        for bytes in [[0x0a, 5, 0x61], [0x0a, 1, 0xff], [0xff]] as [[UInt8]] {
            let error = #expect(throws: RPCError.self) { try HealthMessages.service(of: ByteBuffer(bytes: bytes)) }
            #expect(error?.code == .invalidArgument)
        }
        #expect(throws: RPCError.self) { try HealthMessages.status(of: ByteBuffer(bytes: [8])) }
    }
}
