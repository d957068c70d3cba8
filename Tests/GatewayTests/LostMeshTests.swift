import Client
import Coordination
import Foundation
import HTTPTypes
import Hummingbird
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import TestSupport
import Testing

@testable import Gateway

/// What a gateway says, and how soon, when what it needs of the mesh is gone.
@Suite(.timeLimit(.minutes(10))) struct LostMeshTests {
    private static let picture = Data("x".utf8)

    private static func untilReady(_ gateway: TestGateway) async throws {
        let end = ContinuousClock.now + .seconds(120)
        while try await gateway.get("/readyz").status != 200 {
            guard ContinuousClock.now < end else { throw Failure("the gateway is not ready") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Not 504: nobody has asked for a deadline.
    private static func checkThatNobodyAnswers(_ gateway: TestGateway) async throws {
        // What was known a moment ago may be told for that moment.
        try await Task.sleep(for: GatewayLimits().meshAge)
        for path in ["/readyz", "/v1/pipelines", "/v1/models", "/v1/nodes"] {
            let answer = try await gateway.get(path)
            #expect(answer.status == 503, "\(path): \(answer.status) \(answer.text)")
            #expect(answer.headers["retry-after"] == "1", "\(path)")
            #expect(answer.text.contains("no coordinator answers") && !answer.text.contains("127.0.0.1"), "\(path)")
        }
    }

    @Test func aCoordinatorThatHasEndedIsMissed() async throws {
        let mesh = try await BundledMesh.ofPictures
        let coordinator = try await Coordinator.start(
            BundledMesh.configuration(detectors: mesh.detectors, classifiers: nil),
            group: MultiThreadedEventLoopGroup.singleton, logger: BundledMesh.logger)
        let running = Task { try await coordinator.run() }
        let target = try Target(parsing: coordinator.address.endpointName)
        try await TestGateway.with(mesh: BundledMesh(target: target, detectors: mesh.detectors)) {
            $0.limits.connectPatience = .seconds(2)
        } _: { gateway in
            try await Self.untilReady(gateway)
            running.cancel()
            _ = await running.result
            try await Self.checkThatNobodyAnswers(gateway)
        }
    }

    /// As one that is stopped, or whose host has lost its power: its connections stay.
    @Test func aCoordinatorThatFallsSilentIsMissed() async throws {
        let mesh = try await BundledMesh.ofPictures
        let address = try #require(try await mesh.target.resolve(DNSConfiguration()).first)
        try await SilentHost.with(before: address) { host in
            let target = try Target(parsing: try host.address.endpointName)
            try await TestGateway.with(mesh: BundledMesh(target: target, detectors: mesh.detectors)) {
                $0.limits.connectPatience = .seconds(2)
            } _: { gateway in
                try await Self.untilReady(gateway)
                host.fallSilent()
                try await Self.checkThatNobodyAnswers(gateway)
            }
        }
    }

    /// Two coordinators, of which one is frozen: what the other says is enough.
    @Test func aSilentCoordinatorDoesNotSpeakForTheOthers() async throws {
        let mesh = try await BundledMesh.ofPictures
        let address = try #require(try await mesh.target.resolve(DNSConfiguration()).first)
        try await SilentHost.with(before: address) { host in
            let target = try Target(parsing: "static:///\(mesh.target.hostPorts),\(try host.address.endpointName)")
            try await TestGateway.with(mesh: BundledMesh(target: target, detectors: mesh.detectors)) {
                // Who waited for it would wait for so long.
                $0.limits.connectPatience = .seconds(3600)
                $0.calling.channel.client.keepalive.time = nil
            } _: { gateway in
                func ready() async throws -> Int {
                    let all = try await gateway.get("/v1/nodes").json()["coordinators"] as? [[String: Any]] ?? []
                    return all.count { $0["state"] as? String == "ready" && ($0["nodes"] as? [Any])?.isEmpty == false }
                }
                let end = ContinuousClock.now + .seconds(120)
                while try await ready() < 2, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
                host.fallSilent()
                try await Task.sleep(for: GatewayLimits().meshAge)
                for _ in 0..<3 {
                    #expect(try await gateway.get("/readyz").status == 200)
                    #expect(try await ready() == 1)
                }
            }
        }
    }

    @Test func aDeadlineHoldsAlsoWhereThereIsNoCoordinator() async throws {
        try await TestGateway.with {
            $0.limits.connectPatience = .seconds(3600)
        } _: { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze?deadline_ms=50", Self.picture, type: "image/jpeg")
            #expect(answer.status == 503, "\(answer.text)")
            #expect(answer.headers["retry-after"] == "1")
        }
    }

    @Test func aDeadlineHoldsAlsoForWhatIsToBeAskedOfTheMesh() async throws {
        let mesh = try await BundledMesh.ofPictures
        let address = try #require(try await mesh.target.resolve(DNSConfiguration()).first)
        try await SilentHost.with(before: address) { host in
            let target = try Target(parsing: try host.address.endpointName)
            try await TestGateway.with(mesh: BundledMesh(target: target, detectors: mesh.detectors)) {
                $0.limits.connectPatience = .seconds(3600)
                $0.calling.channel.client.keepalive.time = nil
            } _: { gateway in
                try await Self.untilReady(gateway)
                host.fallSilent()
                try await Task.sleep(for: GatewayLimits().meshAge * 5)
                let answer = try await gateway.post(
                    "/v1/images:analyze?deadline_ms=50", Self.picture, type: "image/jpeg")
                #expect(answer.status == 504, "\(answer.text)")
            }
        }
    }

    @Test(arguments: [
        (1, 0, 51), (500, 0, 550), (500, 200, 350), (500, 600, 50), (10_000, 0, 11_000), (300_000, 0, 305_000),
    ])
    func theCallTakesLittleMoreThanTheDeadline(_ deadline: Int, _ waited: Int, _ timeout: Int) throws {
        let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/?deadline_ms=\(deadline)")
        let options = try AnalyzeOptions(Request(head: head, body: .init(buffer: ByteBuffer())), PictureLimits())
        #expect(options.timeout(after: .milliseconds(waited)) == .milliseconds(timeout))
        let left = options.request(ByteBuffer(), after: .milliseconds(waited)).frameDeadline
        #expect(left == UInt32(max(1, deadline - waited)))
    }

    // ---- nodes ----

    @Test func aPipelineThatIsToHaveNoNodesIsRefusedAtOnce() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .forDetectionAlone) {
            $0.limits.connectPatience = .seconds(3600)
        } _: { gateway in
            let answer = try await gateway.post("/v1/images:analyze?pipeline=classify", picture, type: "image/jpeg")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "1", "\(answer.text)")
            #expect(try answer.json()["detail"] as? String == "no nodes for the stage classify")
            let partial = try await gateway.post("/v1/images:analyze?pipeline=cascade", picture, type: "image/jpeg")
            #expect(partial.status == 200)
            #expect(partial.text.contains("without classify: no nodes for the stage classify"), "\(partial.text)")
        }
    }

    @Test func oneWhoseNodesAreDownIsRefusedAfterAMoment() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .withoutClassifiers) {
            $0.limits.connectPatience = .seconds(5)
        } _: { gateway in
            let answer = try await gateway.post("/v1/images:analyze?pipeline=classify", picture, type: "image/jpeg")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "1", "\(answer.text)")
            #expect(try answer.json()["detail"] as? String == "no nodes for the stage classify")
        }
    }

    /// What passed the gateway's own look, and found nobody.
    @Test func whatTheMeshSaysOfMissingNodesIsNoFaultOfTheMesh() {
        let problem = Problem(
            code: .failedPrecondition, message: "this coordinator has no nodes for the stage classify")
        #expect(problem.status == .serviceUnavailable && problem.headers[.retryAfter] == "1")
        #expect(problem.detail == "no nodes for a stage of this pipeline")
    }
}
