import NIOCore
import RPC
import Synchronization
import Testing

@testable import Mesh

/// Calls that wait for an endpoint, and what ends their wait.
@Suite struct WaitingCallTests {
    @Test func waitingCallsAreBoundedAndCanBeCancelled() async throws {
        try await BalancedChannel.with(Script(), configure: { $0.maxWaitingCalls = 2 }) { channel async throws in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<2 {
                    tasks.addTask {
                        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                        #expect(error?.code == .cancelled)
                    }
                }
                while channel.line.count < 2 { try? await Task.sleep(for: .milliseconds(1)) }
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "2 calls wait for srv:///nodes.test, limit 2")
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            #expect(channel.line.count == 0)
        }
    }

    @Test func clientsThatWaitTakeTurnsAndTheBusiestGivesWay() async throws {
        let line = PickLine(target: "nodes", limit: 3)
        let served = Mutex<[UInt64]>([])
        @Sendable func wait(_ client: UInt64) async -> RPCError? {
            var options = CallOptions()
            options.client = CallOrigin(client)
            let call = PickLine.Call(attempt: NextAttempt(path: "/a/b", options: options), isStream: false)
            do {
                _ = try await line.wait(call, until: nil, on: TestNode.group.any()) {}
                return nil
            } catch {
                return error as? RPCError
            }
        }
        func stand(_ client: UInt64, _ count: Int) async -> Task<RPCError?, Never> {
            let task = Task { await wait(client) }
            while line.count < count { try? await Task.sleep(for: .milliseconds(1)) }
            return task
        }
        let first = await stand(1, 1)
        let second = await stand(1, 2)
        let third = await stand(1, 3)
        // A fourth of its own finds no room, one of another client takes that of the newest.
        #expect(await wait(1)?.code == .resourceExhausted)
        let other = Task { await wait(2) }
        #expect(await third.value?.code == .resourceExhausted)
        line.serve { call in
            served.withLock { $0.append(call.attempt.options.client.number) }
            return nil
        }
        #expect(served.withLock { $0 } == [1])
        line.fail(RPCError(.unavailable, "over"))
        for task in [first, second, other] { #expect(await task.value?.code == .unavailable) }
        #expect(line.count == 0)
    }

    @Test func anOutageDoesNotHoldUpCallsThatOneCanDoWithout() async throws {
        let script = Script()
        script.set([try SocketAddress(ipAddress: "127.0.0.1", port: 1)])
        try await BalancedChannel.with(script, configure: { $0.readyTimeout = .seconds(1000) }) {
            channel async throws in
            for grace in [Duration.milliseconds(300), .milliseconds(300), .zero] {
                let error = await #expect(throws: RPCError.self) {
                    try await channel.call(
                        "/test.Node/Ask", Payload(ByteBuffer()), options: CallOptions(), outageGrace: grace)
                }
                #expect(error?.code == .unavailable && error?.message.contains("is ready") == true)
            }
            #expect(channel.lastRecovery == nil)
        }
    }

    /// The endpoint was full when the call began to wait.
    @Test(.timeLimit(.minutes(3))) func norDoesOneThatBeginsWhileTheyWaitForRoom() async throws {
        let begun = Gate()
        try await TestNode.with { starter async throws in
            let node = try await starter.start { _ in
                begun.open()
                try await Task.sleep(for: .seconds(600))
                return ""
            }
            try await BalancedChannel.with(
                [node],
                configure: {
                    $0.readyTimeout = .seconds(1000)
                    $0.balancing.maxInFlight = 1
                }
            ) { channel async throws in
                @Sendable func ask() async -> RPCError? {
                    await failure {
                        _ = try await channel.call(
                            "/test.Node/Ask", Payload(ByteBuffer()), options: CallOptions(), outageGrace: .zero)
                    }
                }
                async let running = ask()
                try await begun.wait()
                async let waiting = ask()
                while channel.line.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
                await node.kill()
                let (lost, left) = await (running, waiting)
                #expect(lost?.code == .unavailable)
                #expect(left?.code == .unavailable && left?.message.contains("is ready") == true)
                #expect(channel.line.count == 0)
            }
        }
    }

    @Test func aDeadlineEndsTheWait() async throws {
        try await BalancedChannel.with(Script()) { channel async throws in
            let error = await #expect(throws: RPCError.self) {
                try await channel.ask(deadline: .after(.milliseconds(50)))
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.message.contains("no endpoint of srv:///nodes.test is ready") == true)
        }
    }

    @Test func patienceEndsTheWaitOfACallThatDoesNotWaitForReady() async throws {
        try await BalancedChannel.with(Script(), configure: { $0.readyTimeout = .milliseconds(50) }) {
            channel async throws in
            let error = await #expect(throws: RPCError.self) { try await channel.ask(deadline: nil) }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
        }
    }

    /// Or it would be as long as the test may be.
    @Test(.timeLimit(.minutes(3))) func aCallMayHavePatienceOfItsOwn() async throws {
        try await BalancedChannel.with(Script(), configure: { $0.readyTimeout = .seconds(1000) }) {
            channel async throws in
            var options = CallOptions()
            options.readyTimeout = .milliseconds(50)
            let error = await failure { _ = try await channel.open("/test.Node/Chat", options: options) }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: [false, true])
    func theEndOfAChannelEndsTheWait(_ closes: Bool) async throws {
        try await BalancedChannel.with(Script()) { channel async throws in
            let patient = CallOptions.patient
            async let call = failure {
                _ = try await channel.call("/test.Node/Ask", Payload(ByteBuffer()), options: patient)
            }
            async let stream = failure { _ = try await channel.open("/test.Node/Chat", options: patient) }
            async let starter = failure { try await channel.waitUntilReady(timeout: .seconds(1000)) }
            while channel.line.count < 2 { try await Task.sleep(for: .milliseconds(1)) }
            if closes { channel.close() } else { channel.drain() }
            for error in await [call, stream, starter] {
                #expect(error?.code == .unavailable)
                #expect(error?.message == "the channel was drained")
            }
            #expect(channel.line.count == 0)
        }
    }
}
