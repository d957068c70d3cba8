import Foundation
import Testing

@testable import framemesh

/// What the doctor says of what it has measured.
@Suite struct DoctorTests {
    /// Their clock, between which times of ours it was said, how exact it is, and what comes of it.
    @Test(arguments: [
        (100.5, (100.0, 101.0), 0.0, Finding.Verdict.ok, ""),
        (101.9, (100.0, 101.0), 0, .ok, ""), (99.1, (100.0, 101.0), 0, .ok, ""),
        (102.5, (100.0, 101.0), 0, .wrong, "its clock is 1.5 s ahead of ours"),
        (98.2, (100.0, 101.0), 0, .wrong, "its clock is 1.8 s behind ours"),
        // A long call says less of it.
        (105.0, (100.0, 110.0), 0, .ok, ""),
        (103.9, (100.0, 101.0), 2, .ok, ""), (97.1, (100.0, 101.0), 2, .ok, ""),
        (104.2, (100.0, 101.0), 2, .wrong, "its clock is 1.2 s ahead of ours"),
        (3_700.0, (100.0, 100.0), 2, .wrong, "its clock is 3598.0 s ahead of ours"),
    ])
    func clocksThatDiffer(
        _ theirs: Double, _ ours: (Double, Double), _ precision: Double, _ verdict: Finding.Verdict, _ text: String
    ) {
        let finding = Doctor.clock(theirs, between: ours, precision: precision)
        #expect((finding.check, finding.verdict) == ("clock", verdict))
        #expect(verdict == .ok ? finding.text.contains("the same time") : finding.text == text)
        #expect((finding.advice?.contains("NTP") ?? false) == (verdict == .wrong))
    }

    @Test func withoutAnAddressItLooksAtTheUsualCoordinator() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "framemesh-\(UUID().uuidString).yaml")
        try Data("client:\n  coordinator: of-the-file.example:1\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let plain = try await Settings.load(nil, environment: [:])
        let configured = try await Settings.load(file.path, environment: [:])
        func address(_ settings: Settings, _ variable: String?) throws -> String {
            let environment = variable.map { [CoordinatorOption.variable: $0] } ?? [:]
            let address = try DoctorCommand.coordinator(settings, environment: environment)
            _ = try DoctorPlace(address)
            return address
        }
        #expect(try address(plain, nil) == "127.0.0.1:8500")
        #expect(try address(plain, "") == "127.0.0.1:8500")
        #expect(try address(configured, nil) == "of-the-file.example:1")
        #expect(try address(configured, "dns:///of-the-environment:2") == "of-the-environment:2")
        #expect(try address(plain, "static:///[::1]:3") == "[::1]:3")
        #expect(try address(plain, "unix:///run/x") == "unix:/run/x")
        for several in ["a:1,b:2", "srv:///_rpc._tcp.a"] {
            let error = #expect(throws: Fatal.self) { try address(plain, several) }
            #expect(error?.status == .usage && error?.message?.contains("name the one to look at") == true)
            if several.contains(":///") { #expect(error?.message?.contains(several) == true) }
        }
        #expect(throws: Fatal.self) { try address(plain, "nonsense") }
    }

    @Test(
        arguments: [
            (Framemesh.version, Finding.Verdict.ok, "\(Framemesh.version), as ours"),
            ("0.0.1", .note, "it is 0.0.1, ours is \(Framemesh.version)"),
            ("", .note, "it does not say its version; ours is \(Framemesh.version)"),
            (nil, .note, "it does not say its version; ours is \(Framemesh.version)"),
        ] as [(String?, Finding.Verdict, String)])
    func versionsThatDiffer(_ theirs: String?, _ verdict: Finding.Verdict, _ text: String) {
        let finding = Doctor.version(theirs)
        #expect((finding.check, finding.verdict, finding.text) == ("version", verdict, text))
    }

    @Test(
        arguments: [
            ([], Finding.Verdict.note, "not measured"),
            ([1234], .ok, "1.23 ms at least, 1.23 ms in the middle of 1"),
            ([9000, 500, 2000], .ok, "0.5 ms at least, 2.0 ms in the middle of 3"),
            ([4000, 1000, 3000, 2000], .ok, "1.0 ms at least, 3.0 ms in the middle of 4"),
        ] as [([Int], Finding.Verdict, String)])
    func roundTripsThatWereTimed(_ microseconds: [Int], _ verdict: Finding.Verdict, _ text: String) {
        let finding = Doctor.roundTrip(microseconds.map { .microseconds($0) })
        #expect((finding.check, finding.verdict, finding.text) == ("round trip", verdict, text))
    }

    /// Pipelines with stages that have no node, for some of which the coordinator was told of none.
    private static func gap(unoffered: [String]) -> PipelineGap {
        var gap = PipelineGap()
        let pipelines: [(name: String, missing: [String])] = [
            ("d", ["detect"]), ("whole", []), ("c", ["classify"]), ("dc", ["detect", "classify"]),
        ]
        for pipeline in pipelines {
            let taken = gap.takes(pipeline.name, missing: pipeline.missing, unoffered: unoffered)
            #expect(taken == !pipeline.missing.isEmpty)
        }
        return gap
    }

    @Test func nodesThatNobodyNamedAreNotWrong() throws {
        let findings = Self.gap(unoffered: ["detect", "classify"]).findings(known: [])
        let finding = try #require(findings.first)
        #expect(findings.count == 1 && finding.check == "pipelines" && finding.verdict == .note)
        #expect(finding.text.hasSuffix("is told of no nodes for detect and classify: d, c, dc"))
        #expect(finding.advice?.contains("framemesh classifier, named to the coordinator with --classifiers") == true)
    }

    @Test func nodesThatAreAwayAreWrongBesideThoseThatNobodyNamed() throws {
        let findings = Self.gap(unoffered: ["classify"]).findings(known: ["detector"])
        #expect(findings.map(\.verdict) == [.wrong, .note])
        let away = try #require(findings.first)
        let unnamed = try #require(findings.last)
        #expect(away.text.hasSuffix("for detect: d, dc") && away.advice?.contains("nodes for detect above") == true)
        #expect(away.advice?.contains("classify") == false)
        #expect(unnamed.text.hasSuffix("for classify: c"))
    }

    /// A configured target with no address, and coordinators that do not say what they are configured for.
    @Test func nodesOfWhichNothingIsSaidAreWrong() throws {
        let findings = Self.gap(unoffered: []).findings(known: ["node"])
        #expect(findings.map(\.verdict) == [.wrong])
        #expect(findings.first?.text.hasSuffix("for detect and classify: d, c, dc") == true)
        #expect(Self.gap(unoffered: []).findings(known: []).first?.advice?.contains("Start nodes for detect") == true)
        #expect(PipelineGap().findings(known: []).isEmpty)
    }
}
