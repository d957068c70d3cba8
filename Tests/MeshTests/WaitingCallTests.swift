import NIOCore
import RPC
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
                while channel.waitingCalls.count < 2 { try? await Task.sleep(for: .milliseconds(1)) }
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "2 calls wait for srv:///nodes.test, limit 2")
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            #expect(channel.waitingCalls.count == 0)
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

    @Test(.timeLimit(.minutes(3)), arguments: [false, true])
    func theEndOfAChannelEndsTheWait(_ closes: Bool) async throws {
        try await BalancedChannel.with(Script()) { channel async throws in
            let patient = CallOptions.patient
            async let call = failure {
                _ = try await channel.call("/test.Node/Ask", Payload(ByteBuffer()), options: patient)
            }
            async let stream = failure { _ = try await channel.open("/test.Node/Chat", options: patient) }
            async let starter = failure { try await channel.waitUntilReady(timeout: .seconds(1000)) }
            while channel.waitingCalls.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
            if closes { channel.close() } else { channel.drain() }
            for error in await [call, stream, starter] {
                #expect(error?.code == .unavailable)
                #expect(error?.message == "the channel was drained")
            }
            #expect(channel.waitingCalls.count == 0)
        }
    }
}
