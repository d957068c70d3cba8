import Foundation
import Testing

@testable import Gateway

/// A field of a JSON document that is not known is refused wherever one is taken: a misspelt one would be left out, and
/// `{"zone":[…]}` would remove all zones.
@Suite struct UnknownFieldTests {
    private static let zone = #"{"name":"a","points":[[0,0],[1,0],[1,1]]}"#

    private static func source(_ fields: String) -> String { #"{"source":{"push":true},\#(fields)}"# }

    /// - Returns: the detail of the problem.
    private func refused(_ answer: TestGateway.Answer, _ field: String) throws -> String {
        #expect(answer.status == 400, "\(field): \(answer.text)")
        let problem = try answer.json()
        #expect(problem["field"] as? String == field, "\(answer.text)")
        return problem["detail"] as? String ?? ""
    }

    @Test func aStreamsAreNamedWithTheNearest() async throws {
        let bodies = [
            (Self.source(#""polcy":"lossless""#), "polcy", "policy"),
            (#"{"source":{"push":true,"lop":true}}"#, "source.lop", "loop"),
            (
                Self.source(#""webhooks":[{"url":"http://a.example/","event":["enter"]}]"#), "webhooks[0].event",
                "events"
            ),
            (Self.source(#""areas":{"zone":[]}"#), "areas.zone", "zones"),
            (Self.source(#""areas":{"zones":[{"name":"a","point":[]}]}"#), "areas.zones[0].point", "points"),
        ]
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            for (body, field, near) in bodies {
                let answer = try await gateway.post("/v1/streams", Data(body.utf8), type: "application/json")
                #expect(try refused(answer, field) == "'\(field)' is not known, did you mean '\(near)'?")
            }
            #expect(try await gateway.get("/v1/streams").text == #"{"streams":[]}"#)
        }
    }

    @Test func whatIsNullIsNotLeftOut() async throws {
        let bodies = [
            (Self.source(#""policy":null"#), "policy"), (Self.source(#""areas":null"#), "areas"),
            (#"{"source":{"push":true,"url":null}}"#, "source.url"),
            (Self.source(#""areas":{"lines":[],"normalized":null}"#), "areas.normalized"),
            (Self.source(#""webhooks":[{"url":"http://a.example/","events":null}]"#), "webhooks[0].events"),
            (
                Self.source(#""areas":{"zones":[{"name":"a","points":[[0,0],[1,0],[1,1]],"labels":null}]}"#),
                "areas.zones[0].labels"
            ),
        ]
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            for (body, field) in bodies {
                let answer = try await gateway.post("/v1/streams", Data(body.utf8), type: "application/json")
                #expect(try refused(answer, field) == "'\(field)' is null; leave it out")
            }
        }
    }

    @Test func areasThatAreMisspeltLeaveThoseThatThereAre() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let stream =
                "/v1/streams/"
                + (try await gateway.post(
                    "/v1/streams", Data(Self.source(#""areas":{"zones":[\#(Self.zone)]}"#).utf8), type: nil
                ).json().id)
            let video =
                "/v1/videos/" + (try await gateway.uploadVideo(try await TestVideo.short(in: gateway.data), "").id)
            for path in [stream, video] {
                func put(_ body: String) async throws -> TestGateway.Answer {
                    try await gateway.send(
                        "PUT", path + "/areas", headers: ["Content-Type": "application/json"], body: Data(body.utf8))
                }
                #expect(try await put(#"{"zones":[\#(Self.zone)]}"#).status == 200)
                let detail = try refused(try await put(#"{"zone":[]}"#), "zone")
                #expect(detail == "'zone' is not known, did you mean 'zones'?")
                let other = try refused(try await put(#"{"polygons":[]}"#), "polygons")
                #expect(other == "'polygons' is not known; there are zones, lines, normalized")
            }
            for path in [stream, video + "/areas"] {
                let text = try await gateway.get(path).text
                #expect(text.contains(#""name":"a""#), "\(text)")
            }
        }
    }

    @Test(arguments: [
        ("areas", #"{"line":[]}"#, "areas.line", "lines"),
        ("webhooks", #"[{"url":"http://a.example/","evens":[]}]"#, "webhooks[0].evens", "events"),
    ])
    func soIsWhatAVideosParametersHold(_ name: String, _ json: String, _ field: String, _ near: String) async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let value = json.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await gateway.post("/v1/videos?\(name)=\(value)", Data("x".utf8), type: "video/mp4")
            #expect(try refused(answer, field) == "'\(field)' is not known, did you mean '\(near)'?")
        }
    }

    @Test func aLongNameIsNotRepeated() async throws {
        let name = String(repeating: "é", count: 20_000)
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let body = Data(#"{"\#(name)":1}"#.utf8)
            let answer = try await gateway.post("/v1/streams", body, type: "application/json")
            #expect(answer.status == 400 && answer.body.count < 1000)
        }
    }

    @Test(arguments: ["text/plain", "image/jpeg", "application/xml"])
    func anotherKindOfDocumentIsRefused(_ type: String) async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post("/v1/streams", Data(Self.source(#""name":"a""#).utf8), type: type)
            #expect(answer.status == 415, "\(answer.text)")
        }
    }
}
