import Foundation
import NIOCore
import Testing

@testable import RPC

/// A channel to one address.
@Suite(.timeLimit(.minutes(3))) struct ChannelTests {
    private static func socketPath() -> String {
        FileManager.default.temporaryDirectory.appending(path: "rpc-\(UUID().uuidString.prefix(8)).sock").path
    }

    @Test func manyFirstCallsMakeOneConnection() async throws {
        try await RawServer.with { _ in
            .answer("yes")
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                #expect(server.connectionCount == 0)
                try await withThrowingTaskGroup(of: String.self) { tasks in
                    for _ in 0..<50 { tasks.addTask { try await channel.ask() } }
                    for try await answer in tasks { #expect(answer == "yes") }
                }
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test func aNameIsLookedUp() async throws {
        try await RawServer.with {
            .answer($0[":authority"] ?? "")
        } _: { _, address async throws in
            let port = address.split(separator: ":").last ?? ""
            try await RPCChannel.with("localhost:\(port)") { channel async throws in
                #expect(try await channel.ask() == "localhost:\(port)")
            }
        }
    }

    @Test(arguments: [
        ("10.0.0.7:1", nil, nil, "10.0.0.7:1"), ("10.0.0.7:1", "till.shop:1", nil, "till.shop:1"),
        ("10.0.0.7:1", "till.shop:1", "shop", "shop"), ("till.shop:1", nil, "shop", "shop"),
        ("unix:/run/till", nil, nil, "localhost"),
    ])
    func theServerIsToldTheNameThatItsCertificateMustBear(
        _ address: String, _ foundBy: String?, _ serverName: String?, _ told: String
    ) throws {
        let tls = serverName.map { ClientTLS(serverName: $0) }
        #expect(try ServerAddress(parsing: address).authority(foundBy, tls) == told)
    }

    @Test func aSocketInTheFileSystemIsAnAddressToo() async throws {
        let path = Self.socketPath()
        try await RawServer.with(at: path) { _ in
            .answer("local")
        } _: { _, address async throws in
            try await RPCChannel.with(address) { channel async throws in #expect(try await channel.ask() == "local") }
        }
    }

    // ---- nobody is there ----

    @Test func whereNobodyListensACallFailsAtOnce() async throws {
        try await RPCChannel.with("unix:\(Self.socketPath())") { channel async throws in
            let error = await failure { _ = try await channel.ask(deadline: nil) }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
            #expect(error?.message.contains("cannot connect to unix:") == true)
        }
    }

    @Test func aPolicyRetriesThatToo() async throws {
        let path = Self.socketPath()
        var endpoint = EndpointConfiguration.quick
        endpoint.backoff = Backoff(initial: .milliseconds(1), longest: .milliseconds(1))
        let policy = RetryPolicy(
            maxAttempts: 3, backoff: Backoff(initial: .milliseconds(300), longest: .milliseconds(300)))
        try await RPCChannel.with("unix:\(path)", .retry(policy), endpoint: endpoint) { channel async throws in
            let answer = Task { try await channel.ask() }
            try await RawServer.with(at: path) { _ in
                .answer("there")
            } _: { _, _ async throws in
                #expect(try await answer.value == "there")
            }
        }
    }

    @Test func aCallThatWaitsForReadyIsAnsweredOnceAServerIsThere() async throws {
        let path = Self.socketPath()
        try await RPCChannel.with("unix:\(path)") { channel async throws in
            // The first one finds out that nobody is there.
            _ = await failure { _ = try await channel.ask() }
            let answer = Task { try await channel.ask(waitForReady: true) }
            try await RawServer.with(at: path) { _ in
                .answer("there")
            } _: { _, _ async throws in
                #expect(try await answer.value == "there")
            }
        }
    }

    @Test func theDeadlineEndsTheWaitAndSaysWhatItWaitedFor() async throws {
        let path = Self.socketPath()
        try await RPCChannel.with("unix:\(path)") { channel async throws in
            _ = await failure { _ = try await channel.ask() }
            let error = await failure {
                _ = try await channel.ask(deadline: .after(.milliseconds(100)), waitForReady: true)
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test func cancellingACallEndsItsWait() async throws {
        try await RPCChannel.with("unix:\(Self.socketPath())") { channel async throws in
            let call = Task { await failure { _ = try await channel.ask(deadline: nil, waitForReady: true) } }
            call.cancel()
            #expect(await call.value?.code == .cancelled)
        }
    }

    @Test func waitingCallsAreBounded() async throws {
        var endpoint = EndpointConfiguration.quick
        endpoint.maxWaitingCalls = 2
        try await RPCChannel.with("unix:\(Self.socketPath())", endpoint: endpoint) { channel async throws in
            try await withThrowingTaskGroup(of: RPCError?.self) { tasks in
                for _ in 0..<3 {
                    tasks.addTask { await failure { _ = try await channel.ask(deadline: nil, waitForReady: true) } }
                }
                #expect(try await tasks.next()??.code == .resourceExhausted)
                channel.close()
                while let error = try await tasks.next() { #expect(error?.message == "the channel was closed") }
            }
        }
    }

    // ---- the end ----

    @Test func drainingLetsWhatRunsFinish() async throws {
        let begun = Signal()
        let release = Signal()
        try await Loopback.serving([
            "Ask": .unary { _, _ in
                begun.fire()
                await release.wait()
                return UnaryResponse(Payload("finished"))
            }
        ]) { server in
            try await RPCChannel.with("127.0.0.1:\(server.address.port ?? 0)") { channel async throws in
                async let answer = channel.ask()
                await begun.wait()
                channel.drain()
                let late = await failure { _ = try await channel.ask() }
                #expect(late?.message == "the channel was drained")
                release.fire()
                #expect(try await answer == "finished")
            }
        }
    }

    @Test func closingEndsWhatRuns() async throws {
        let begun = Signal()
        try await RawServer.with { _ in
            begun.fire()
            return .silence
        } _: { _, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                async let end = failure { _ = try await channel.ask(deadline: nil) }
                await begun.wait()
                channel.close()
                #expect(await end?.code == .unavailable)
            }
        }
    }
}
