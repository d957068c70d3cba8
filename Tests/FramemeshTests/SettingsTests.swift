import Coordination
import Foundation
import Mesh
import Testing

@testable import framemesh

@Suite struct SettingsTests {
    private func settings(_ yaml: String?, environment: [String: String] = [:]) async throws -> Settings {
        guard let yaml else { return try await Settings.load(nil, environment: environment) }
        let file = FileManager.default.temporaryDirectory.appending(path: "framemesh-\(UUID().uuidString).yaml")
        try Data(yaml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await Settings.load(file.path, environment: environment)
    }

    @Test func aFileThatCannotBeReadIsSaidWithTheReason() {
        let error = #expect(throws: Fatal.self) { try ConfigurationFile(contentsOf: "/nowhere/a.yaml") }
        #expect(
            error?.message == "cannot read the configuration file /nowhere/a.yaml: no such file or directory"
                && error?.status == .usage)
    }

    private func failure(_ yaml: String) -> String? {
        do {
            _ = try ConfigurationFile(parsing: yaml, name: "f.yaml")
            return nil
        } catch {
            return error.message
        }
    }

    @Test func theFlagWinsOverTheEnvironmentAndThatOverTheFile() async throws {
        let yaml = "detector:\n  workers: 3\n  queue-limit: 5\n"
        let settings = try await settings(yaml, environment: ["FRAMEMESH_DETECTOR_WORKERS": "4"])
        func number(_ flag: Int?, _ key: Settings.Key) throws -> Int {
            try settings.number(flag, key, default: 1, in: 1...10)
        }
        #expect(try number(7, .detectorWorkers) == 7)
        #expect(try number(nil, .detectorWorkers) == 4)
        #expect(try number(nil, .detectorQueueLimit) == 5)
        #expect(try number(nil, .classifierWorkers) == 1)
    }

    @Test func everyKeyHasAnEnvironmentVariable() async throws {
        for key in Settings.Key.allCases {
            let name = EnvironmentNames.name(of: key.rawValue)
            #expect(try await settings(nil, environment: [name: "x"]).string(key) == "x", "\(name)")
        }
    }

    @Test(arguments: [
        ("FRAMEMESH_DETECTOR_WORKER", ", did you mean FRAMEMESH_DETECTOR_WORKERS?"),
        ("FRAMEMESH_MODEL", ", did you mean FRAMEMESH_MODELS?"), ("FRAMEMESH_ANYTHING_ELSE_AT_ALL", ""),
        ("FRAMEMESH_PIPELINES_PLATES_BOXES", ""),
    ])
    func anUnknownVariableIsNamedWithTheNearestOne(_ name: String, _ hint: String) async {
        await #expect {
            _ = try await settings(nil, environment: [name: "1", "FRAMEMESH_MODELS": "/m", "PATH": "/bin"])
        } throws: {
            let fatal = $0 as? Fatal
            return fatal?.message == "unknown environment variable \(name)\(hint)" && fatal?.status == .usage
        }
    }

    @Test func variablesThatAreNoKeysAreKnown() async throws {
        let environment = [
            "FRAMEMESH_MODELS": "/m", "FRAMEMESH_CONFIG": "", "FRAMEMESH_COORDINATOR": "a:1", "FRAMEMESH_OPENVINO": "",
        ]
        #expect(try await settings(nil, environment: environment).string(.logLevel) == nil)
    }

    @Test func anUnknownKeyIsNamedWithItsLineAndTheNearestOne() {
        let text = failure("detector:\n  workers: 2\n  queue_limit: 3\n")
        #expect(text == "f.yaml:3: unknown key 'detector.queue_limit', did you mean 'detector.queue-limit'?")
        #expect(failure("detektor:\n  workers: 2\n")?.contains("did you mean 'detector'") == true)
        #expect(failure("nonsense: 1\n") == "f.yaml:1: unknown key 'nonsense'")
    }

    @Test(arguments: [
        "- a\n- b\n", "just text", "", "detector: [1, 2]\n", "detector:\n  workers: [1, 2]\n", "detector: 5\n",
        "a: [1\n", "pipelines:\n  mine:\n    stages: detect\n", "pipelines:\n  mine:\n    stagez: [detect]\n",
        "detector:\n  workers:\n    more: 1\n",
    ])
    func whatIsNoConfigurationIsAnError(_ yaml: String) {
        #expect(failure(yaml)?.contains("f.yaml") == true)
    }

    @Test func numbersOutsideTheirRangeAreNamed() async throws {
        let settings = try await settings(nil, environment: ["FRAMEMESH_DETECTOR_WORKERS": "many"])
        #expect {
            try settings.number(nil, .detectorWorkers, default: 1, in: 1...10)
        } throws: { "\($0)" == "'many' is no value for FRAMEMESH_DETECTOR_WORKERS: it must be 1 to 10" }
        #expect {
            try settings.number(11, .detectorWorkers, default: 1, in: 1...10)
        } throws: { "\($0)" == "--workers is 11, it must be 1 to 10" }
        #expect(throws: Fatal.self) { try settings.seconds(.nan, .detectorDrainTimeout, default: 1) }
    }

    @Test func whatIsWrongIsNamedWhereItWasWritten() async throws {
        let environment = [
            "FRAMEMESH_DETECTOR_WORKERS": "11", "FRAMEMESH_COORDINATOR_DETECTORS": "nowhere",
            "FRAMEMESH_DETECTOR_TLS_KEY": "/no.key",
        ]
        let settings = try await settings("detector:\n  queue-limit: 12\n", environment: environment)
        func message(_ body: () throws -> some Any) -> String {
            do { return "nothing: \(try body())" } catch { return "\(error)" }
        }
        func number(_ key: Settings.Key) -> String { message { try settings.number(nil, key, default: 1, in: 1...10) } }
        #expect(number(.detectorWorkers) == "FRAMEMESH_DETECTOR_WORKERS is 11, it must be 1 to 10")
        #expect(number(.detectorQueueLimit).hasSuffix(".yaml:2: detector.queue-limit is 12, it must be 1 to 10"))
        let target = message { try settings.parsed(nil, .coordinatorDetectors) { try Target(parsing: $0) } }
        #expect(target == "FRAMEMESH_COORDINATOR_DETECTORS: 'nowhere' in target 'nowhere' is not HOST:PORT")
        let flag = message { try settings.parsed("here", .coordinatorDetectors) { try Target(parsing: $0) } }
        #expect(flag == "'here' in target 'here' is not HOST:PORT")
        let file = message {
            try settings.naming(oneOf: "detector") { throw Fatal("cannot read '/no.key'") } as Int
        }
        #expect(file == "FRAMEMESH_DETECTOR_TLS_KEY: cannot read '/no.key'")
        let other = message { try settings.naming(oneOf: "detector") { throw Fatal("cannot read '/x'") } as Int }
        #expect(other == "cannot read '/x'")
    }

    @Test func limitsAndTheFileOfTheEnvironmentAreNamedToo() async throws {
        let settings = try await settings(nil, environment: ["FRAMEMESH_LIMITS_MAX_CONNECTIONS": "none"])
        var limits = RoleLimits()
        let error = #expect(throws: Fatal.self) { try settings.set(RoleLimits.all, of: .roles, [], in: &limits) }
        #expect(error?.message?.hasPrefix("FRAMEMESH_LIMITS_MAX_CONNECTIONS: 'none' is no value") == true)
        await #expect {
            _ = try await Settings.load(nil, environment: ["FRAMEMESH_CONFIG": "/no.yaml"])
        } throws: { "\($0)".hasPrefix("FRAMEMESH_CONFIG: ") && "\($0)".contains("/no.yaml") }
    }

    @Test func pipelinesOfTheFileJoinTheBuiltInOnes() async throws {
        let yaml = """
            pipelines:
              plates:
                stages: [detect, classify, track]
                boxes: 8
                top-k: 2
                required: [detect, classify]
              detect:
                stages: [detect]
                text: mine
            """
        let pipelines = try await settings(yaml).pipelines()
        #expect(pipelines.count == Pipeline.builtIn.count + 1)
        let plates = try #require(pipelines.first { $0.name == "plates" })
        #expect(plates.stages == [.detect, .classify(.boxes(limit: 8), topK: 2), .track])
        #expect(plates.required == ["detect", "classify"])
        #expect(pipelines.first { $0.name == "detect" }?.text == "mine")
    }

    @Test(arguments: [
        "stages: [detect, dance]", "stages: []", "stages: [track]", "stages: [detect, detect]",
        "{ stages: [detect], required: [classify] }", "{ stages: [classify], top-k: 0 }", "text: nothing",
        "{ stages: [classify, detect], boxes: 8 }", "{ stages: [classify], boxes: 8 }",
        "{ stages: [detect, track], boxes: 8 }", "{ stages: [detect, classify], boxes: 1000, top-k: 13 }",
    ])
    func aPipelineThatCannotBeIsNamed(_ body: String) async throws {
        let yaml = "pipelines:\n  mine:\n    \(body)\n"
        await #expect {
            _ = try await settings(yaml).pipelines()
        } throws: { "\($0)".contains(".yaml:2: pipelines.mine: the pipeline 'mine' ") }
    }
}

@Suite struct ConfigurationDocumentTests {
    private static func text() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    }

    /// docs/configuration.md names every key, and no other.
    @Test func theDocumentListsEveryKey() throws {
        let text = try Self.text()
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let names = rows.flatMap { $0.split(separator: "|")[0].matches(of: /`([a-z.-]+)`/).map { String($0.output.1) } }
        let keys = Settings.Key.allCases.map(\.rawValue) + Settings.PipelineKey.allCases.map(\.rawValue)
        #expect(Set(names) == Set(keys))
        #expect(names.count == keys.count)
    }

    @Test func itsExampleIsAConfiguration() throws {
        let text = try Self.text()
        let example = try #require(text.split(separator: "```yaml\n").last?.split(separator: "```").first)
        #expect(try ConfigurationFile(parsing: String(example), name: "docs").pipelines == ["plates"])
    }
}
