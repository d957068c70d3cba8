import Client
import Foundation
import HTTPTypes
import Hummingbird
import Mesh
import Outbound
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What is told of a stream when it ends, and what its frames have come to.
@Suite(.timeLimit(.minutes(5))) struct StreamEndTests {
    private typealias Document = [String: Any]

    /// Who was in a zone, as areas are told.
    private struct Inside {
        private var tracks: Set<Int> = []
        private(set) var entered = 0
        private(set) var count = 0

        mutating func hear(_ event: Document) {
            let track = event["track_id"] as? Int ?? -1
            switch event["type"] as? String {
            case "enter":
                entered += 1
                tracks.insert(track)
            case "leave": tracks.remove(track)
            case "count": count = event["count"] as? Int ?? -1
            default: break
            }
        }

        var isEmpty: Bool { tracks.isEmpty && count == 0 }
    }

    private final class Receiver: Sendable {
        let bodies = Mutex<[String]>([])

        func add(to router: Router<GatewayContext>) {
            router.post("hook") { request, _ in
                let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
                self.bodies.withLock { $0.append(body) }
                return Response(status: .ok)
            }
        }

        /// What it was told, once that is all of it.
        func all() async throws -> [Document] {
            try await within(.seconds(120), "the end is not told") {
                while !self.bodies.withLock({ $0.last?.contains(#""state":"ended""#) ?? false }) {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            return try bodies.withLock { $0 }.map { body in
                try JSONSerialization.jsonObject(with: Data(body.utf8)) as? Document ?? [:]
            }
        }
    }

    @Test func whoeverIsInAZoneLeavesBeforeTheEndIsTold() async throws {
        let receiver = Receiver()
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestStream.with {
                $0.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
            } _: { gateway in
                let path = try await TestStream.begin(
                    gateway,
                    [
                        "source": ["file": "digits.mp4"], "pipeline": "track", "policy": "lossless", "max_fps": 10,
                        "areas": TestStream.everywhere, "webhooks": [["url": server.base + "/hook"]],
                    ])
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                var inside = Inside()
                var names: [String] = []
                var isRemoved = false
                while let event = try await events.next() {
                    names.append(event.name)
                    guard event.name == "area" else { continue }
                    inside.hear(try event.json())
                    guard inside.entered > 0, !isRemoved else { continue }
                    #expect(try await gateway.send("DELETE", path).status == 204)
                    isRemoved = true
                }
                #expect(inside.entered > 0 && inside.isEmpty, "\(inside)")
                #expect(names.suffix(3) == ["area", "state", "end"], "\(names.suffix(9))")
                let told = try await receiver.all()
                var heard = Inside()
                for body in told { heard.hear(body["event"] as? Document ?? [:]) }
                #expect(heard.entered > 0 && heard.isEmpty, "\(heard)")
                #expect(told.suffix(2).map { $0["type"] as? String } == ["area", "state"])
            }
        }
    }

    /// The counts that are told at the end.
    private static func last(of events: EventReader) async throws -> (received: Int, ended: [Int]) {
        var last: Document = [:]
        for try await event in events where event.name == "state" { last = try event.json() }
        #expect(last["state"] as? String == "ended")
        return (last["received"] as? Int ?? -1, ["answered", "dropped", "failed"].map { last[$0] as? Int ?? -1 })
    }

    /// A mesh that takes three frames and answers none; the fourth is the next, the fifth waits, and then there is no place.
    @Test func whatIsRefusedWasNotReceivedAndTheRestIsLostWithTheStream() async throws {
        try await TestGateway.with(mesh: .withoutNodes) {
            $0.limits.streams.framesInFlight = 3
            $0.limits.streams.waitingFrames = 1
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            for _ in 0..<4 { #expect(try await TestStream.push(gateway, path, wait: false).status == 202) }
            try await withThrowingTaskGroup(of: Int.self) {
                (pushers: inout ThrowingTaskGroup<Int, any Error>) async throws in
                for _ in 0..<8 { pushers.addTask { try await TestStream.push(gateway, path, wait: false).status } }
                for _ in 0..<7 { #expect(try await pushers.next() == 429) }
                #expect(try await gateway.send("DELETE", path).status == 204)
                #expect(try await pushers.next() == 409, "it waited")
            }
            let (received, ended) = try await Self.last(of: events)
            #expect(received == 4 && ended == [0, 0, 4], "\(received): \(ended)")
        }
    }

    @Test func whatANewerFrameReplacesIsDropped() async throws {
        try await TestGateway.with(mesh: .withoutNodes) {
            $0.limits.streams.framesInFlight = 3
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed.merging(["policy": "latest"]) { $1 })
            let events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            for _ in 0..<12 { #expect(try await TestStream.push(gateway, path, wait: false).status == 202) }
            #expect(try await gateway.send("DELETE", path).status == 204)
            let (received, ended) = try await Self.last(of: events)
            #expect(received == 12 && ended.reduce(0, +) == 12 && ended[0] == 0, "\(received): \(ended)")
            // Three with the mesh, and the next one.
            #expect((1...4).contains(ended[2]), "\(ended)")
        }
    }

    /// The mesh has some frames, and is gone: nobody will ever answer these.
    @Test func framesThatAreLostWithTheMeshCount() async throws {
        try await BundledMesh.passing { mesh, end in
            try await TestGateway.with(mesh: mesh) {
                $0.cameraFolder = Place.resources.appending(path: "demo").path
                $0.calling.resumeTimeout = .zero
                $0.calling.channel.readyTimeout = .seconds(1)
            } _: { gateway in
                let path = try await TestStream.begin(
                    gateway, ["source": ["file": "digits.mp4"], "pipeline": "detect", "policy": "latest"])
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                _ = try await events.first { $0.name == "frame" }
                end()
                _ = try await events.first { try $0.name == "state" && $0.json()["state"] as? String == "stalled" }
                #expect(try await gateway.send("DELETE", path).status == 204)
                let (received, ended) = try await Self.last(of: events)
                #expect(received == ended.reduce(0, +) && ended[0] > 0, "\(received): \(ended)")
            }
        }
    }

    @Test func aMeshThatIsSilentIsNamedAndNotTheSource() async throws {
        try await TestGateway.with(mesh: .withoutNodes) {
            $0.limits.streams.stall = .seconds(1)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            #expect(try await TestStream.push(gateway, path, wait: false).status == 202)
            let state = try await events.first { $0.name == "state" }.json()
            #expect(state["state"] as? String == "connecting")
            #expect(state["cause"] as? String == "no answer of the mesh for 1 s")
        }
    }

    /// As a video is: no frame would ever have a result.
    @Test func aStreamWhoseStageIsToHaveNoNodesIsRefused() async throws {
        try await TestGateway.with(mesh: .forDetectionAlone) { gateway in
            let answer = try await TestStream.create(
                gateway, TestStream.pushed.merging(["pipeline": "classify"]) { $1 })
            #expect(answer.status == 503, "\(answer.text)")
            #expect(try answer.json()["detail"] as? String == "no nodes for the stage classify")
            #expect(try await TestStream.create(gateway, TestStream.pushed).status == 201)
        }
    }

    @Test func whatIsNoIdOfAnEventIsRefused() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            for id in ["", "abc", "-1", "+1", "1.5", "99999999999999999999"] {
                let answer = try await gateway.get(path + "/events", headers: ["Last-Event-ID": id])
                #expect(answer.status == 400, "\(id)")
                #expect(try answer.json()["field"] as? String == "Last-Event-ID")
            }
        }
    }

    @Test func areasAreInThePictureOnceThatIsKnown() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let far = Data(#"{"lines":[{"name":"far","from":[0,0],"to":[5000,10]}]}"#.utf8)
            #expect(try await gateway.send("PUT", path + "/areas", body: far).status == 200, "of any size so far")
            #expect(try await TestStream.push(gateway, path).status == 200)
            let refused = try await gateway.send("PUT", path + "/areas", body: far)
            #expect(refused.status == 400)
            #expect(try refused.json()["field"] as? String == "lines[0].to")
        }
    }
}
