import Foundation
import TestSupport
import Testing

/// `framemesh models check`, with the models that come with the program.
@Suite struct ModelsCheckTests {
    private struct Line: Decodable {
        var name: String
        var status: String
        var batch_size: Int?
        var single_ms: Double?
        var batch_ms_per_picture: Double?
        var batch_pays: Bool?
    }

    private func check(_ arguments: String...) async throws -> Command.Result {
        try await Command.run(["models", "check", "digits-classifier"] + arguments)
    }

    @Test func batchesAreMeasuredWhereSomebodyAsks() async throws {
        let result = try await check("--batch", "4", "--json")
        let line = try JSONDecoder().decode(Line.self, from: Data(result.output.utf8))
        #expect(line.name == "digits-classifier" && line.status == "ok")
        #expect(line.batch_size == 4 && line.batch_pays != nil)
        let alone = try #require(line.single_ms), together = try #require(line.batch_ms_per_picture)
        #expect(alone > 0 && together > 0)
        let words = try await check("--batch", "4").output
        #expect(words.contains("; in batches of 4 a picture takes ") && words.contains(" pay"), "\(words)")
        let plain = try await check()
        #expect(plain.code == 0 && !plain.output.contains("batch"), "\(plain.output)")
    }

    @Test(arguments: ["1", "65"])
    func aBatchBeyondItsLimitsIsRefused(_ size: String) async throws {
        let result = try await check("--batch", size)
        #expect(result.code == 2 && result.errors.contains("--batch must be 2 to 64"), "\(result.errors)")
    }
}
