import Crypto
import Foundation
import Messages

@testable import Vision

/// A folder with manifests of the tiny networks in Fixtures, whose answers anybody can work out.
struct TinyModels {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    let folder: URL
    private let empty: URL

    init() throws {
        folder = try Place.temporary()
        empty = try Place.temporary()
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path)
        where [".onnx", ".prototxt", ".caffemodel", ".bin"].contains(where: name.hasSuffix) {
            try FileManager.default.copyItem(
                at: Self.fixtures.appending(path: name), to: folder.appending(path: name))
        }
        try write("bright-cells", Self.brightCells(try Self.file("bright-cells.onnx")))
        for name in ["mean-colour", "mixes-batches"] {
            try write(name, Self.meanColour(name, try Self.file(name + ".onnx")))
        }
        try write("mean-colour-caffe", Self.meanColourOfCaffe())
    }

    func remove() {
        for url in [folder, empty] { try? FileManager.default.removeItem(at: url) }
    }

    func write(_ name: String, _ manifest: String) throws {
        try Data(manifest.utf8).write(to: folder.appending(path: name + ".yaml"))
    }

    func store() throws -> ModelStore {
        try ModelStore(bundled: empty.path, folders: [folder.path], pulled: empty.path)
    }

    func model(_ name: String, maxBatchSize: Int = 1) throws -> Model {
        let store = try store()
        return try Model(store.manifest(named: name), store: store, maxBatchSize: maxBatchSize)
    }

    /// The manifest's lines for a network of Fixtures.
    static func file(_ name: String) throws -> String {
        let data = try Data(contentsOf: fixtures.appending(path: name))
        return "{name: \(name), bytes: \(data.count), sha256: \(SHA256.hex(of: Array(data)))}"
    }

    static func brightCells(_ file: String, resize: String = "stretch") -> String {
        """
        name: bright-cells
        task: detection
        licence: Apache-2.0
        format: onnx
        files:
          network: \(file)
        labels: [bright]
        input: {width: 32, height: 32, channels: RGB, mean: 0, scale: 0.00392156862745098, resize: \(resize)}
        output: {decoder: grid, class_activation: softmax, min_confidence: 0.5, nms_iou: 0.45}

        """
    }

    static func meanColour(_ name: String, _ file: String) -> String {
        """
        name: \(name)
        task: classification
        licence: Apache-2.0
        format: onnx
        files:
          network: \(file)
        labels: [blue, green, red]
        input: {width: 16, height: 16, channels: BGR, mean: [0, 0, 0], scale: 0.00392156862745098, resize: stretch}
        output: {decoder: classifier, class_activation: none, top_k: 2}

        """
    }

    static func meanColourOfCaffe() throws -> String {
        """
        name: mean-colour-caffe
        task: classification
        licence: Apache-2.0
        format: caffe
        files:
          network: \(try file("mean-colour.prototxt"))
          weights: \(try file("mean-colour.caffemodel"))
        labels: [red, half the green, blue]
        input: {width: 16, height: 16, channels: BGR, mean: 0, scale: 0.00392156862745098, resize: stretch}
        output: {decoder: classifier, class_activation: none, names: [classes], top_k: 3}

        """
    }

    /// Black, with a white square.
    static func square(width: Int, height: Int, x: Int, y: Int, side: Int) throws -> Image {
        var pixels = Data(count: width * height)
        for row in y..<(y + side) { for column in x..<(x + side) { pixels[row * width + column] = 255 } }
        return try Image(decoding: Frame(pixels, .gray8, width: width, height: height))
    }

    static func plain(_ bgr: [UInt8]) throws -> Image {
        try Image(decoding: Frame(Data((0..<64).flatMap { _ in bgr }), .bgr8, width: 8, height: 8))
    }
}
