import Foundation
import TestSupport
import Testing

@testable import Gateway

/// JSON that is made to cost more than it says (wherever a body or a parameter of JSON is taken).
@Suite struct JSONAttackTests {
    private static let attacks: [String: Data] = {
        var attacks: [String: String] = [:]
        attacks["deep arrays"] = String(repeating: "[", count: 60_000)
        attacks["deep objects"] = String(repeating: "{\"a\":", count: 10_000)
        attacks["deep areas"] = zones(String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000))
        attacks["a huge exponent"] = point("1e999999")
        attacks["a number without end"] = point(String(repeating: "9", count: 60_000))
        attacks["twenty digits"] = point("99999999999999999999")
        attacks["not a number"] = point("NaN")
        attacks["many zones"] = zones("[" + String(repeating: "{},", count: 20_000) + "{}]")
        attacks["many points"] = zone("a", String(repeating: "[1,1],", count: 9_000) + "[0,0]")
        attacks["a long name"] = zone(String(repeating: "n", count: 60_000), triangle)
        attacks["a lone surrogate"] = zone("\\ud800", "[0,0]")
        attacks["an end that is missing"] = "{\"zones\":["
        attacks["nothing"] = ""
        attacks["a word"] = "true"
        attacks["two documents"] = "{}{}"
        attacks["another type"] = zones("{\"name\":1}")
        var bytes = attacks.mapValues { Data($0.utf8) }
        bytes["invalid UTF-8"] = Data("{\"zones\":[{\"name\":\"".utf8) + [0xC0, 0xAF, 0xFF] + Data("\"}]}".utf8)
        bytes["more than is taken"] = Data(repeating: UInt8(ascii: " "), count: 64 << 20)
        return bytes
    }()

    private static let triangle = "[0,0],[1,0],[1,1]"

    private static func zones(_ json: String) -> String { "{\"zones\":\(json)}" }

    private static func zone(_ name: String, _ points: String) -> String {
        zones("[{\"name\":\"\(name)\",\"points\":[\(points)]}]")
    }

    private static func point(_ number: String) -> String { zone("a", "[\(number),0],[1,0],[1,1]") }

    @Test func eachIsRefusedAsTheSendersFaultAndTheNextRequestIsServed() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let stream = try await gateway.post(
                "/v1/streams", Data(#"{"source":{"push":true},"pipeline":"detect"}"#.utf8), type: "application/json"
            ).json()
            for (name, body) in Self.attacks {
                for (method, path) in [("POST", "/v1/streams"), ("PUT", "/v1/streams/\(stream.id)/areas")] {
                    let answer: TestGateway.Answer
                    do {
                        answer = try await gateway.send(
                            method, path, headers: ["Content-Type": "application/json"], body: body)
                    } catch {
                        // What is far too large is answered before it is sent, which not every client reads.
                        #expect(name == "more than is taken", "\(name): \(error)")
                        continue
                    }
                    #expect((400..<500).contains(answer.status), "\(name) \(path): \(answer.status) \(answer.text)")
                    #expect(answer.headers["content-type"] == "application/problem+json", "\(name)")
                    #expect(answer.text.utf8.count < 4096, "\(name): the answer repeats what came")
                }
            }
            #expect(try await gateway.get("/v1/streams/\(stream.id)").json()["state"] as? String == "connecting")
        }
    }

    /// Whatever the reader makes of it, both are what one caller asked for itself: nothing else reads the document.
    @Test func ofTwoKeysOfOneNameOneIsTakenOrNone() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let body = #"{"source":{"push":true},"pipeline":"detect","pipeline":"nonsense","name":"a","name":"b"}"#
            let answer = try await gateway.post("/v1/streams", Data(body.utf8), type: "application/json")
            #expect([201, 400].contains(answer.status), "\(answer.text)")
        }
    }
}
