import ArgumentParser
import Logging
import Node
import Testing
import Vision

@testable import framemesh

@Suite struct NodeOptionsTests {
    private func configuration(
        _ options: [String], environment: [String: String] = [:]
    ) async throws -> NodeConfiguration {
        let settings = try await Settings.load(nil, environment: environment)
        return try NodeOptions.parse(options).configuration(.classifier, settings, logger: Logger(label: "test")).0
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
        } throws: { "\($0)" == "there is no engine 'fast', there are opencv and opencv+onednn" }
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
