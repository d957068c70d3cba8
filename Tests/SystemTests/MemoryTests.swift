import Foundation
import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import TestSupport
import Testing

/// Memory does not grow with the number of frames.
@Suite(.serialized) struct MemoryTests {
    static let warmFrames = 1000
    static let frames = 10_000
    static let allowedGrowth = 0.10

    @Test func tenThousandFramesLeaveMemoryWhereItWasAfterTheFirstThousand() async throws {
        let picture = Place.demo.appending(
            path: try #require(
                try FileManager.default.contentsOfDirectory(atPath: Place.demo.path).sorted().first {
                    $0.hasSuffix(".jpg")
                }))
        let bytes = ByteBuffer(bytes: try Data(contentsOf: picture))
        let mesh = try await LocalMesh.up()
        let (before, after, answered) = try await LocalMesh.with(mesh) { mesh in
            let parts = mesh.coordinator.split(separator: ":")
            let address = try SocketAddress(ipAddress: String(parts[0]), port: try #require(Int(parts[1])))
            var configuration = ClientConfiguration()
            configuration.connectTimeout = .seconds(30)
            let connection = try await RPCConnection.connect(
                to: address, configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test"))
            defer { connection.close() }
            let stream = AnalyzeStreamClient(try await connection.open(MethodPath.analyzeStream))
            let family = ProcessTable.descendants(of: mesh.command.pid)
            var before: [Int32: Int] = [:]
            var answered: UInt64 = 0
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for sequence in 0..<UInt64(Self.frames) {
                        let frame = Frame(
                            stream: "memory", sequence: sequence, encoding: .jpeg, payload: .attached(bytes))
                        try await stream.send(AnalyzeRequest(frame: frame, pipeline: "classify"))
                    }
                    stream.finishSending()
                }
                for try await answer in stream.answers {
                    try #require(answer.sequence == answered && answer.status == .ok, "\(answer)")
                    answered += 1
                    if answered == Self.warmFrames { before = Self.resident(family) }
                }
                try await tasks.waitForAll()
            }
            return (before, Self.resident(family), answered)
        }
        #expect(answered == UInt64(Self.frames))
        #expect(before.count >= 3)
        for (pid, start) in before {
            let end = try #require(after[pid])
            print("memory of \(pid): \(start) KiB after \(Self.warmFrames) frames, \(end) KiB after \(Self.frames)")
            #expect(Double(end) <= Double(start) * (1 + Self.allowedGrowth))
        }
    }

    private static func resident(_ family: [Int32]) -> [Int32: Int] {
        Dictionary(uniqueKeysWithValues: family.compactMap { pid in ProcessTable.residentKiB(pid).map { (pid, $0) } })
    }
}
