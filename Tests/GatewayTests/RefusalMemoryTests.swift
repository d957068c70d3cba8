import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A gateway in a process of its own, refusing thousands.
@Suite struct RefusalMemoryTests {
    private static func residentKiB(_ pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    /// One connection after the other, as each refusal of a body ends its own.
    private static func refuse(_ count: Int, _ gateway: TestGateway) async throws {
        let requests = [
            "POST /v1/images:analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
            "POST /v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
                + String(repeating: "[", count: 4096),
            "GET /v1/nothing HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: \(String(repeating: "x", count: 64 << 10))\r\n\r\n",
        ]
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for worker in 0..<4 {
                tasks.addTask {
                    for number in 0..<count / 4 {
                        let peer = try await RawPeer.connect(to: gateway.address)
                        await peer.send(requests[(worker + number) % requests.count])
                        let text = try await peer.untilClosed()
                        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"), "\(text.prefix(100))")
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    @Test func memoryIsFlatAfterThousandsOfRefusals() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "refusals-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let started = try await GatewayProcess.start(data: folder, ["--limit", "linger-timeout=50ms"])
        // What is made once, and what allocators keep.
        try await Self.refuse(1000, started.gateway)
        let before = try Self.residentKiB(started.process.pid)
        try await Self.refuse(4000, started.gateway)
        let after = try Self.residentKiB(started.process.pid)
        #expect(after - before < 16 << 10, "\(before) KiB, then \(after) KiB: more than 4 KiB for each refusal")
        #expect(try await started.gateway.get("/healthz").status == 200)
        started.process.signal(SIGTERM)
        _ = try await started.process.finish(within: .seconds(120))
    }
}
