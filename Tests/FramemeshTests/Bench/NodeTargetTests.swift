import Bench
import Client
import Mesh
import NIOCore
import RPC
import Services
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct NodeTargetTests {
    private static func target(
        _ address: ServerAddress, survivesLoss: Bool = true, pipeline: String = "detect"
    ) throws -> NodeTarget {
        try NodeTarget(
            address, MeshClientConfiguration().channel, AnalyzeOptions(pipeline: pipeline), survivesLoss: survivesLoss)
    }

    private static func ask(_ target: NodeTarget) async throws -> FrameOutcome.Ending {
        let inputs = try BenchInputs(making: #require(PictureSize("4x4")), isRaw: true)
        return try await target.ask(inputs.frame(0), caller: 0).ending
    }

    @Test func aNodeThatGoesAwayIsCountedAndAskedAgain() async throws {
        let node = FoundNothing()
        let (target, place) = try await node.serve { address in
            let target = try Self.target(address)
            try await target.prepare(callers: 1)
            #expect(try await Self.ask(target) == .ok)
            return (target, address)
        }
        defer { target.close() }
        for _ in 0..<3 {
            guard case .failed(let cause) = try await Self.ask(target) else {
                Issue.record("who is gone has answered")
                return
            }
            #expect(cause.hasPrefix("UNAVAILABLE: "), "\(cause)")
        }
        #expect(node.asked == 1)
        guard case .socket(let socket) = place, let port = socket.port else {
            Issue.record("no port: \(place)")
            return
        }
        try await node.serve(on: port) { _ in
            while try await Self.ask(target) != .ok {}
        }
        #expect(node.asked == 2)
    }

    @Test func withoutADisturbanceALostNodeEndsTheRun() async throws {
        let target = try await FoundNothing().serve { address in
            let target = try Self.target(address, survivesLoss: false)
            try await target.prepare(callers: 1)
            return target
        }
        defer { target.close() }
        let error = await #expect(throws: RPCError.self) { try await Self.ask(target) }
        #expect(error?.isOfConnection == true, "\(error?.message ?? "")")
    }

    @Test func whoIsNoNodeForThisIsSaidAtOnce() async throws {
        try await SwappingCoordinator(swapping: "").serve { place in
            let target = try Self.target(try ServerAddress(parsing: place.hostPorts))
            defer { target.close() }
            let error = await #expect(throws: Fatal.self) { try await target.prepare(callers: 1) }
            #expect(error?.status == .usage)
            #expect(error?.message == "\(place.hostPorts) is a coordinator, no node: name it with --coordinator")
        }
        try await FoundNothing().serve { address in
            for (pipeline, service) in [("classify", "Classifier"), ("cascade", "Fused")] {
                let target = try Self.target(address, pipeline: pipeline)
                defer { target.close() }
                let error = await #expect(throws: Fatal.self) { try await target.prepare(callers: 1) }
                let words = "the node at \(address) cannot run the pipeline '\(pipeline)': it has no service \(service)"
                #expect(error?.status == .usage && error?.message == words, "\(error?.message ?? "")")
            }
            let error = await #expect(throws: ClientError.self) {
                _ = try await MeshClient.connect(to: Target(parsing: "\(address)"))
            }
            #expect(error?.message == "no coordinator answers at \(address): a node is there, no coordinator")
        }
        let place = try ServerAddress(parsing: "a:1")
        #expect(
            NodeTarget.objection(to: ["", "shop.Till"], at: place, ServiceName.detector, "detect")
                == "there is no node of Framemesh at a:1")
    }
}
