import ArgumentParser
import Logging
import Node
import Testing
import Vision

@testable import framemesh

@Suite struct NodeOptionsTests {
    private func configuration(
        _ options: [String], as role: NodeRole = .classifier, environment: [String: String] = [:]
    ) async throws -> NodeConfiguration {
        let settings = try await Settings.load(nil, environment: environment)
        return try NodeOptions.parse(options).configuration(role, settings, logger: Logger(label: "test")).0
    }

    @Test func limitsOfPicturesAreThoseOfTheFlagTheEnvironmentOrTheDefault() async throws {
        let standard = try await configuration([])
        #expect(standard.imageLimits == ImageLimits())
        let environment = ["FRAMEMESH_CLASSIFIER_MAX_PIXELS": "1000", "FRAMEMESH_CLASSIFIER_MAX_SIDE": "40"]
        let set = try await configuration(["--max-side", "50"], environment: environment)
        #expect([set.imageLimits.maxPixels, set.imageLimits.maxSide] == [1000, 50])
    }

    @Test func theEngineIsThatOfTheFlagTheEnvironmentOrTheDefault() async throws {
        #expect(try await configuration([]).engine == .standard)
        let environment = ["FRAMEMESH_CLASSIFIER_ENGINE": "opencv"]
        #expect(try await configuration([], environment: environment).engine == .openCV)
        let standard = Engine.standard.rawValue
        #expect(try await configuration(["--engine", standard], environment: environment).engine == .standard)
        await #expect {
            _ = try await configuration(["--engine", "fast"])
        } throws: { "\($0)" == "there is no engine 'fast', there are opencv, opencv+onednn, openvino" }
    }

    @Test func batchesAreThoseOfTheFlagTheEnvironmentOrTheDefault() async throws {
        let standard = try await configuration([])
        #expect(standard.preferredBatchSizes.isEmpty && !standard.preservesOrder)
        let environment = [
            "FRAMEMESH_CLASSIFIER_PREFERRED_BATCH_SIZE": "2,8", "FRAMEMESH_CLASSIFIER_PRESERVE_ORDERING": "true",
        ]
        let set = try await configuration(["--max-batch-size", "8"], environment: environment)
        #expect(set.preferredBatchSizes == [2, 8] && set.preservesOrder)
        let flag = try await configuration(
            ["--max-batch-size", "8", "--preferred-batch-size", "4", "--preserve-ordering", "false"],
            environment: environment)
        #expect(flag.preferredBatchSizes == [4] && !flag.preservesOrder)
        await #expect {
            _ = try await configuration(["--max-batch-size", "4", "--preferred-batch-size", "2,8"])
        } throws: { "\($0)" == "'8' is no batch size, it must be 1 to 4 (--max-batch-size)" }
        var other = NodeConfiguration(role: .classifier, store: standard.store, models: standard.models)
        other.preferredBatchSizes = [2]
        #expect(throws: NodeError.self) { try other.check() }
    }

    @Test func aNodeThatSimulatesSaysSo() async throws {
        #expect(try await configuration([]).engineName == Engine.standard.rawValue)
        #expect(try await configuration(["--engine", "opencv"]).engineName == "opencv")
        #expect(try await configuration(["--simulate-ms", "2.5"]).engineName == "simulated")
        for wrong in [
            ["--simulate-ms=-1"], ["--simulate-ms", "nan"], ["--simulate-ms", "60001"],
            ["--simulate-ms", "1", "--engine", "opencv"],
        ] { await #expect(throws: Fatal.self, "\(wrong)") { _ = try await configuration(wrong) } }
    }

    @Test func aNodeOfBothHasTheBundledModelsOrThoseThatAreNamed() async throws {
        let standard = try await configuration([], as: .node)
        #expect(standard.models.map(\.name) == ["digits-detector", "digits-classifier"])
        #expect("\(standard.listen)" == "127.0.0.1:8503")
        let environment = ["FRAMEMESH_NODE_MODEL": "digits-classifier,digits-detector", "FRAMEMESH_NODE_WORKERS": "3"]
        let named = try await configuration([], as: .node, environment: environment)
        #expect(named.models.map(\.name) == ["digits-classifier", "digits-detector"] && named.workers == 3)
    }

    @Test(arguments: [
        (
            "digits-detector",
            "no model does classification, a node needs detection and classification; "
                + "for one of them there is `framemesh detector`"
        ),
        (
            "digits-classifier",
            "no model does detection, a node needs detection and classification; "
                + "for one of them there is `framemesh classifier`"
        ),
        ("digits-detector,digits-classifier,digits-detector", "the model 'digits-detector' is given twice"),
        (",", "no model is named"),
    ])
    func modelsThatANodeOfBothCannotDoWithAreNamed(_ models: String, _ message: String) async {
        await #expect {
            _ = try await configuration(["--model", models], as: .node)
        } throws: { ($0 as? Fatal)?.message == message && ($0 as? Fatal)?.status == .usage }
    }

    @Test func aModelThatThereIsNotIsNamedWithThoseThatThereAre() async {
        await #expect {
            _ = try await configuration(["--model", "digits-detector,no-such"], as: .node)
        } throws: { "\($0)".hasPrefix("no model is named no-such; there are: ") }
    }

    @Test(arguments: [
        ("--max-pixels", "0", "1 to 500000000"), ("--max-pixels", "500000001", "1 to 500000000"),
        ("--max-side", "65536", "1 to 65535"), ("--workers", "257", "1 to 256"), ("--max-batch-size", "65", "1 to 64"),
    ])
    func aNumberBeyondItsLimitIsNamed(_ option: String, _ number: String, _ range: String) async {
        await #expect {
            _ = try await configuration([option, number])
        } throws: { "\($0)" == "\(option) is \(number), it must be \(range)" }
    }
}
