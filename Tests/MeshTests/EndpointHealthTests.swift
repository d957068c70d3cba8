import NIOCore
import RPC
import Synchronization
import Testing

@testable import Mesh

/// What an endpoint must say before it gets calls.
@Suite(.timeLimit(.minutes(5))) struct EndpointHealthTests {
    /// `grpc.health.v1` as small servers have it: Check and nothing else.
    private struct CheckOnly: RPCService {
        var noWatch = StatusCode.unimplemented
        let status: @Sendable () throws -> UInt8
        var serviceName: String { "grpc.health.v1.Health" }
        var methods: [String: RPCHandler] {
            [
                "Check": .immediate { _, _ in UnaryResponse(Payload(ByteBuffer(bytes: [0x08, try status()]))) },
                "Watch": .stream { [noWatch] _, _, _ in throw RPCError(noWatch, "no watch") },
            ]
        }
    }

    private final class Cell<Value: Sendable>: Sendable {
        private let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
        var now: Value { value.withLock { $0 } }
        func set(_ new: Value) { value.withLock { $0 = new } }
    }

    /// It has none, or others have used them up.
    @Test(arguments: [StatusCode.unimplemented, .resourceExhausted])
    func withoutWatchItIsAskedAgainAndAgain(_ noWatch: StatusCode) async throws {
        let health = Cell<UInt8>(2)
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(otherHealth: CheckOnly(noWatch: noWatch) { health.now }) { _ in "checked" }
            let script = Script()
            script.set([node.address])
            try await BalancedChannel.with(script, configure: { $0.healthInterval = .milliseconds(10) }) {
                channel async throws in
                try await channel.until { $0.first?.state == .unhealthy && $0.first?.reason == "health is notServing" }
                health.set(1)
                #expect(try await channel.ask().answer == "checked")
                health.set(2)
                try await channel.until { $0.first?.state == .unhealthy }
            }
        }
    }

    /// Who has no time to say how it is has told no news; and a place among those who watch is asked for again.
    @Test func onceThereIsAPlaceItIsWatchedAgain() async throws {
        struct Busy: RPCService {
            let watches = TestNode.Counter()
            let serviceName = "grpc.health.v1.Health"
            var methods: [String: RPCHandler] {
                [
                    "Check": .immediate { _, _ in throw RPCError(.resourceExhausted, "busy") },
                    "Watch": .stream { [watches] _, _, responses in
                        watches.add()
                        guard watches.count > 1 else { throw RPCError(.resourceExhausted, "no place") }
                        try await responses.write(Payload(ByteBuffer(bytes: [0x08, 1])))
                        // Longer than the suite may take: it ends with the call.
                        try await Task.sleep(for: .seconds(600))
                    },
                ]
            }
        }
        try await TestNode.with { nodes async throws in
            let busy = Busy()
            let node = try await nodes.start(otherHealth: busy) { _ in "watched" }
            let script = Script()
            script.set([node.address])
            try await BalancedChannel.with(script, configure: { $0.healthInterval = .milliseconds(2) }) {
                channel async throws in
                #expect(try await channel.ask().answer == "watched")
                #expect(busy.watches.count == 2)
            }
        }
    }

    @Test func aNodeThatDoesNotKnowTheServiceIsTheWrongOne() async throws {
        let unknown = CheckOnly { throw RPCError(.notFound, "not here") }
        try await TestNode.with { nodes async throws in
            let watched = try await nodes.start()
            let checked = try await nodes.start(otherHealth: unknown)
            let script = Script()
            script.set([watched.address, checked.address])
            try await BalancedChannel.with(script, healthService: "test.Other") { channel async throws in
                try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .wrongService } }
                #expect(channel.endpoints().first?.reason == "wrong service: it does not know 'test.Other'")
                watched.health.set(.serving, for: "test.Other")
                try await channel.until { $0.contains { $0.name == watched.name && $0.state == .ready } }
                _ = try await channel.ask()
                #expect(checked.calls == 0)
            }
        }
    }

    @Test func withoutHealthTheProbeTellsTheWrongOne() async throws {
        let probe = EndpointProbe { channel, deadline in
            _ = try await channel.unary("/test.Node/Nothing", Payload(ByteBuffer()), options: .init(deadline: deadline))
            return EndpointReport()
        }
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(hasHealth: false)
            let script = Script()
            script.set([node.address])
            try await BalancedChannel.with(
                script,
                configure: {
                    $0.probe = probe
                    $0.probeTimeout = .seconds(60)
                }
            ) { channel async throws in
                try await channel.until { $0.first?.state == .wrongService }
                #expect(node.calls == 0)
            }
        }
    }

    @Test func reportsReachTheBalancer() async throws {
        let probe = EndpointProbe { _, _ in EndpointReport(capacity: 3, load: 5, zone: "z") }
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start()
            try await BalancedChannel.with(
                [node],
                configure: {
                    $0.probe = probe
                    $0.probeInterval = .milliseconds(10)
                }
            ) { channel async throws in
                try await channel.until { $0.first?.report == EndpointReport(capacity: 3, load: 5, zone: "z") }
            }
        }
    }

    @Test func anAnswerToAProbeIsBounded() async throws {
        let (refused, answered) = (Cell<StatusCode?>(nil), Cell(0))
        let probe = EndpointProbe { channel, deadline in
            do {
                let answer = try await channel.unary(
                    "/test.Node/Ask", Payload(ByteBuffer()), options: .init(deadline: deadline))
                answered.set(answer.payload.message.readableBytes)
            } catch let error as RPCError {
                refused.set(error.code)
            }
            return EndpointReport()
        }
        try await TestNode.with { nodes async throws in
            for length in [1000, 1001] {
                let node = try await nodes.start { _ in String(repeating: "x", count: length) }
                try await BalancedChannel.with(
                    [node],
                    configure: {
                        $0.probe = probe
                        $0.maxProbeBytes = 1000
                        $0.probeInterval = .milliseconds(10)
                        $0.probeTimeout = .seconds(60)
                    }
                ) { channel async throws in
                    if length == 1000 {
                        try await channel.until { _ in answered.now == 1000 }
                        #expect(refused.now == nil)
                    } else {
                        try await channel.until { _ in refused.now == .resourceExhausted }
                        #expect(answered.now == 1000)
                    }
                }
            }
        }
    }

    /// It is not taken for one that has too many who watch.
    @Test func aNodeWhoseHealthIsTooLargeIsNotReady() async throws {
        struct Large: RPCService {
            let serviceName = "grpc.health.v1.Health"
            var methods: [String: RPCHandler] {
                [
                    "Watch": .stream { _, _, responses in
                        try await responses.write(Payload(ByteBuffer(repeating: 0, count: 100 << 10)))
                    }
                ]
            }
        }
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(otherHealth: Large())
            let script = Script()
            script.set([node.address])
            try await BalancedChannel.with(script) { channel async throws in
                try await channel.until { $0.first?.reason == "message size 102400 exceeds limit 65536" }
            }
        }
    }

    @Test func aNodeThatDoesNotAnswerItsProbeIsLeftOut() async throws {
        let silent = Cell<String?>(nil)
        let probe = EndpointProbe { channel, deadline in
            let answer = try await channel.unary(
                "/test.Node/Ask", Payload(ByteBuffer()), options: .init(deadline: deadline))
            guard String(buffer: answer.payload.message) != silent.now else {
                throw RPCError(.deadlineExceeded, "no answer")
            }
            return EndpointReport()
        }
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let b = try await nodes.start { _ in "b" }
            try await BalancedChannel.with(
                [a, b],
                configure: {
                    $0.probe = probe
                    $0.probeInterval = .milliseconds(10)
                    $0.probeTimeout = .seconds(60)
                }
            ) { channel async throws in
                silent.set("a")
                try await channel.until { $0.contains { $0.name == a.name && $0.state == .silent } }
                for _ in 0..<20 { #expect(try await channel.ask().answer == "b") }
                silent.set(nil)
                try await channel.until { $0.allSatisfy { $0.state == .ready } }
            }
        }
    }

    @Test func callsWaitForRoom() async throws {
        let gate = Gate()
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in
                try await gate.wait()
                return "done"
            }
            try await BalancedChannel.with([node], configure: { $0.balancing.maxInFlight = 1 }) {
                channel async throws in
                async let first = channel.ask()
                try await channel.until { $0.first?.outstanding == 1 }
                async let second = channel.ask()
                while channel.line.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
                #expect(node.calls <= 1)
                gate.open()
                #expect(try await first.answer == "done")
                #expect(try await second.answer == "done")
            }
        }
    }

    @Test func withoutRoomTheErrorSaysSo() async throws {
        let gate = Gate()
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in
                try await gate.wait()
                return "done"
            }
            try await BalancedChannel.with([node], configure: { $0.balancing.maxInFlight = 1 }) {
                channel async throws in
                async let first = channel.ask(deadline: .after(.seconds(200)))
                try await channel.until { $0.first?.outstanding == 1 }
                let error = await failure { _ = try await channel.ask(deadline: .after(.milliseconds(50))) }
                #expect(error?.code == .deadlineExceeded)
                #expect(error?.message.contains("still runs 1 calls") == true)
                gate.open()
                #expect(try await first.answer == "done")
            }
        }
    }
}
