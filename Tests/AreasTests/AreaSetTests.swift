import Foundation
import Testing

@testable import Areas

@Suite struct AreaSetTests {
    static let text = """
        {"lines":[{"from":[0,240.5],"labels":[],"name":"middle","to":[640,240]}],"normalized":false,\
        "zones":[{"dwell_seconds":5,"labels":["person"],"name":"Tür","points":[[0,0],[100,0],[100,100]]}]}
        """

    @Test func jsonIsReadAndWrittenAlike() throws {
        let areas = try AreaSet(json: Data(Self.text.utf8))
        #expect(areas.zones.first?.name == "Tür")
        #expect(areas.zones.first?.dwellSeconds == 5)
        #expect(areas.lines.first?.from == Point(0, 240.5))
        #expect(String(decoding: areas.json, as: UTF8.self) == Self.text)
    }

    @Test func whatIsNotSaidIsEmpty() throws {
        #expect(try AreaSet(json: Data("{}".utf8)).isEmpty)
        let areas = try AreaSet(json: Data(#"{"lines":[{"name":"a","from":[0,0],"to":[1,1]}],"normalized":true}"#.utf8))
        #expect(areas.normalized)
        #expect(areas.lines.first?.labels == [])
    }

    @Test func pointsAreInTheFrameWhoseSizeIsKnown() throws {
        let areas = try AreaSet(json: Data(Self.text.utf8))
        #expect(throws: Never.self) { try areas.validate(width: 640, height: 480) }
        #expect(throws: Never.self) { try areas.validate(width: 640, height: 241) }
        let narrow = #expect(throws: AreaError.self) { try areas.validate(width: 639, height: 480) }
        #expect(narrow?.field == "lines[0].to")
        #expect(narrow?.message == "is outside of the picture, which has 639×480 pixels")
        let low = #expect(throws: AreaError.self) { try areas.validate(width: 640, height: 99) }
        #expect(low?.field == "zones[0].points[2]")
        let negative = AreaSet(lines: [Line(name: "a", from: Point(-1, 0), to: Point(9, 9))])
        #expect(throws: AreaError.self) { try negative.validate(width: 640, height: 480) }
        var fractions = areas
        fractions.normalized = true
        #expect(throws: Never.self) { try fractions.validate(width: 1, height: 1) }
    }

    @Test func anEventIsOneObject() {
        var event = AreaEvent(
            kind: .leave, area: "door", trackID: 18_446_744_073_709_551_615, label: "</script>",
            atMilliseconds: 1500, sequence: 37)
        event.seconds = 2.25
        let expected =
            #"{"area":"door","at_ms":1500,"label":"</script>","seconds":2.25,"sequence":37,"#
            + #""track_id":18446744073709551615,"type":"leave"}"#
        #expect(String(decoding: event.json, as: UTF8.self) == expected)
    }

    /// A misspelt field would be an empty one.
    @Test(arguments: [
        (#"{"zone":[]}"#, "zone", ["zones", "lines", "normalized"]),
        (
            #"{"zones":[{"name":"a","points":[],"dwel_seconds":1}]}"#, "zones[0].dwel_seconds",
            ["name", "points", "labels", "dwell_seconds"]
        ),
        (
            #"{"lines":[{"name":"a","from":[0,0],"to":[1,1]},{"nane":"b"}]}"#, "lines[1].nane",
            ["name", "from", "to", "labels"]
        ),
    ])
    func whatIsNotKnownIsNamedWithWhatIs(_ text: String, _ field: String, _ known: [String]) {
        let error = #expect(throws: AreaError.self) { try AreaSet(json: Data(text.utf8)) }
        #expect(error == AreaError(field, "is not known", known: known))
    }

    /// What is wrong, and the field that the error names.
    @Test(
        arguments: [
            ("[]", ""), ("{", ""), ("", ""), ("{\"zones\":1}", "zones"), ("{\"zones\":[{}]}", "zones[0].name"),
            (#"{"zones":[{"name":"a"}]}"#, "zones[0].points"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1]]}]}"#, "zones[0].points[1]"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,"x"]]}]}"#, "zones[0].points[1][1]"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,1],[1e999,2]]}]}"#, nil),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,1]]}]}"#, "zones[0].points"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,1],[2,2],[3,3]]}]}"#, "zones[0].points"),
            (#"{"zones":[{"name":"a","points":[[5,5],[5,5],[5,5]]}]}"#, "zones[0].points"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,0],[0,70000]]}]}"#, "zones[0].points[2]"),
            (#"{"zones":[{"name":"","points":[[0,0],[1,0],[0,7]]}]}"#, "zones[0].name"),
            (#"{"zones":[{"name":"a\u0000b","points":[[0,0],[1,0],[0,7]]}]}"#, "zones[0].name"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,0],[0,7]],"dwell_seconds":0}]}"#, "zones[0].dwell_seconds"),
            (#"{"zones":[{"name":"a","points":[[0,0],[1,0],[0,7]],"dwell_seconds":86401}]}"#, "zones[0].dwell_seconds"),
            (#"{"normalized":true,"zones":[{"name":"a","points":[[0,0],[1,0],[0,1.1]]}]}"#, "zones[0].points[2]"),
            (#"{"lines":[{"name":"a","from":[1,1],"to":[1,1]}]}"#, "lines[0].to"),
            (
                #"{"zones":[{"name":"a","points":[[0,0],[1,0],[0,7]]}],"lines":[{"name":"a","from":[1,1],"to":[2,1]}]}"#,
                "lines[0].name"
            ),
        ] as [(String, String?)])
    func whatIsWrongIsNamed(_ text: String, _ field: String?) {
        let error = #expect(throws: AreaError.self) { try AreaSet(json: Data(text.utf8)) }
        // How far the parser comes with a number that is none is its own affair.
        if let field { #expect(error?.field == field) }
        #expect(error?.message.isEmpty == false)
    }

    @Test func everyLimitIsNamedWhenItIsExceeded() {
        let zone = Zone.square()
        func error(_ areas: AreaSet) -> AreaError? {
            #expect(throws: AreaError.self) { try areas.validate() }
        }
        let many = AreaSet(
            zones: (0..<20).map { .square("z\($0)") },
            lines: (0..<13).map { Line(name: "l\($0)", from: Point(0, 0), to: Point(1, 1)) })
        #expect(error(many)?.limitName == "areas")
        #expect(error(many)?.limit == 32)

        let corners = (0..<65).map { Point(Double($0), Double($0 * $0)) }
        #expect(error(AreaSet(zones: [Zone(name: "a", points: corners)]))?.limitName == "points")
        let long = String(repeating: "ü", count: 65)
        #expect(error(AreaSet(zones: [Zone(name: long, points: zone.points)]))?.limitName == "name")
        #expect(error(AreaSet(zones: [.square(labels: Array(repeating: "a", count: 101))]))?.limitName == "labels")
        #expect(error(AreaSet(zones: [.square(labels: [String(repeating: "a", count: 101)])]))?.limitName == "label")
        #expect(error(AreaSet(zones: [.square(dwellSeconds: 1e9)]))?.limitName == "dwell")
        #expect(error(AreaSet(zones: [.square(dwellSeconds: .nan)]))?.limitName == "dwell")
        let far = Line(name: "a", from: Point(0, 0), to: Point(0, -65_537))
        #expect(error(AreaSet(lines: [far]))?.limitName == "coordinate")
        // At the limit all is well.
        #expect(throws: Never.self) {
            try AreaSet(zones: [Zone(name: String(long.dropLast()), points: Array(corners.dropLast()))]).validate()
        }
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: AreaError.self) { try AreaSet(json: Data(#"{"zones":"#.utf8) + Data(deep.utf8)) }
    }
}
