import Foundation
import Messages
import Testing

@testable import Vision

@Suite struct ManifestTests {
    static let digest = String(repeating: "0123456789abcdef", count: 4)
    static let good = TinyModels.brightCells("{name: a.onnx, bytes: 10, sha256: \(digest)}")

    private static func message(_ yaml: String) -> String {
        do {
            _ = try ModelManifest.parse(yaml, file: "a.yaml")
            return "no error"
        } catch {
            #expect(error.kind == .badModel && !error.message.contains("\n"))
            return error.message
        }
    }

    @Test func aManifestIsRead() throws {
        let manifest = try ModelManifest.parse(Self.good, file: "a.yaml")
        #expect(manifest.name == "bright-cells" && manifest.task == .detection && manifest.tested)
        #expect(manifest.minConfidence == 0.5 && manifest.licence == "Apache-2.0")
        #expect(manifest.files == [ModelFile(name: "a.onnx", bytes: 10, sha256: Self.digest, url: nil, path: nil)])
        let description = manifest.description
        #expect(description.name == "bright-cells" && description.task == "detection")
        #expect(description.inputWidth == 32 && description.inputHeight == 32 && description.labelCount == 1)
        #expect(description.version.count == 12)
    }

    /// What to change in a good manifest, and what the message must say then.
    struct Mistake: CustomTestStringConvertible, Sendable {
        var from: String
        var to: String
        var message: String
        init(_ from: String, _ to: String, _ message: String) {
            self.from = from
            self.to = to
            self.message = message
        }
        var testDescription: String { message }
    }

    static let mistakes = [
        Mistake("licence: Apache-2.0", "licence: Apache-2.0\nlicense: MIT", "a.yaml: unknown key license"),
        Mistake("resize: stretch", "resize: stretch, widht: 3", "a.yaml: unknown key input.widht"),
        Mistake(
            "resize: stretch", "resize: squash", "a.yaml: input.resize must be one of stretch, letterbox, not squash"),
        Mistake("width: 32", "width: 0", "a.yaml: input.width must be a whole number from 1 to 4096, not 0"),
        Mistake("width: 32", "width: wide", "a.yaml: input.width must be a whole number from 1 to 4096, not wide"),
        Mistake("width: 32, ", "", "a.yaml: input.width is missing"),
        Mistake("mean: 0", "mean: [1, 2]", "a.yaml: input.mean has 2 numbers, but there are 3 channels"),
        Mistake("mean: 0", "mean: .nan", "a.yaml: input.mean must be a number"),
        Mistake(
            "decoder: grid", "decoder: classifier", "a.yaml: output.decoder classifier is not for the task detection"),
        Mistake("decoder: grid", "decoder: ultraface", "a.yaml: output.priors is missing"),
        Mistake("class_activation: softmax, ", "", "a.yaml: output.class_activation is missing"),
        Mistake("min_confidence: 0.5", "min_confidence: 1.5", "a.yaml: output.min_confidence must be a number"),
        Mistake("name: bright-cells", "name: ../etc", "a.yaml: name must be of letters"),
        Mistake("name: a.onnx", "name: /etc/passwd", "a.yaml: files.network.name must be the plain name of a file"),
        Mistake("name: a.onnx", "name: a.onnx, url: 'ftp://x'", "a.yaml: files.network.url must begin with https://"),
        Mistake("bytes: 10", "bytes: 99999999999", "a.yaml: files.network.bytes must be a whole number"),
        Mistake(digest, digest.uppercased(), "a.yaml: files.network.sha256 must be 64 lower-case hexadecimal digits"),
        Mistake("format: onnx", "format: darknet", "a.yaml: files.weights is missing"),
        Mistake("format: onnx", "format: caffe", "a.yaml: files.weights is missing"),
        Mistake(
            "format: onnx", "format: keras",
            "a.yaml: format must be one of darknet, onnx, tensorflow, caffe, not keras"),
        Mistake(
            "network: {", "weights: {name: a, bytes: 1, sha256: \(digest)}\n  network: {",
            "a.yaml: unknown key files.weights"),
        Mistake("labels: [bright]", "labels: []", "a.yaml: labels must be a list of texts"),
        Mistake("labels: [bright]", "summary: x", "a.yaml: labels is missing, and there is no files.labels"),
        Mistake("format: onnx", "format: onnx\nformat: onnx", "a.yaml: "),
        Mistake(good, "[1, 2]", "a.yaml: it is no mapping"),
        Mistake(good, "", "a.yaml: is empty"),
        Mistake(good, "{", "a.yaml: "),
    ]

    @Test(arguments: mistakes)
    func aMistakeIsNamedWithFileAndKey(_ mistake: Mistake) {
        let message = Self.message(Self.good.replacingOccurrences(of: mistake.from, with: mistake.to))
        #expect(message.hasPrefix(mistake.message), "\(message)")
    }

    @Test func bundledManifestsDescribeTheSharedModels() throws {
        let store = try ModelStore(bundled: Place.bundled.path, folders: [], pulled: "/nonexistent")
        let names = Set(store.models.map(\.name))
        #expect(
            names.isSuperset(of: [
                "yolo-fastest-1.1", "yolo-fastest-1.1-xl", "FastestDet", "ultraface-RFB-320", "squeezenet-1.1",
            ]))
        let yolo = try store.manifest(named: "yolo-fastest-1.1")
        #expect(yolo.files.map(\.name) == ["yolo-fastest-1.1.cfg", "yolo-fastest-1.1.weights", "coco.names"])
        #expect(yolo.files.allSatisfy { $0.url?.hasPrefix("https://") == true && $0.path == nil })
        #expect(yolo.minConfidence == 0.3 && yolo.description.labelCount == 80)
        #expect(try store.manifest(named: "squeezenet-1.1").minConfidence == 0)
    }
}
