import Crypto
import Foundation
import Messages
import Testing

@testable import Vision

/// Networks of TensorFlow and Caffe answer as the same ones in ONNX, on every engine that reads them, and from a user's
/// own manifest.
@Suite struct NetworkFormatTests {
    /// OpenVINO is given ONNX only.
    static let engines = Engine.available.filter { $0 != .openVINO }
    private static let demo = Place.root.appending(path: "Sources/framemesh/Resources/demo")

    private struct Truth: Decodable {
        struct Digit: Decodable {
            var label: String
            var box: [Float]
        }
        struct Picture: Decodable { var digits: [Digit] }
        var pictures: [String: Picture]
    }

    /// Digits of the demo's pictures, and what they are.
    private static func digits() throws -> [(input: ModelInput, label: String)] {
        let truth = try JSONDecoder().decode(
            Truth.self, from: Data(contentsOf: demo.appending(path: "truth.json")))
        return try truth.pictures.sorted { $0.key < $1.key }.flatMap { name, picture in
            let image = try Image(decoding: Frame(Data(contentsOf: demo.appending(path: name))))
            return picture.digits.map { digit in
                let box = Box(x: digit.box[0], y: digit.box[1], width: digit.box[2], height: digit.box[3])
                return (ModelInput(image, region: box), digit.label)
            }
        }
    }

    private static func bundled(_ name: String, _ engine: Engine, batch: Int = 1) throws -> Model {
        let store = try ModelStore(bundled: Place.bundled.path, folders: [], pulled: "/nonexistent")
        return try Model(store.manifest(named: name), store: store, engine: engine, maxBatchSize: batch)
    }

    /// The bundled network in Caffe's format, by a manifest beside it.
    private static func caffe(_ tiny: TinyModels, _ engine: Engine) throws -> Model {
        try tiny.write(
            "digits-caffe",
            """
            name: digits-caffe
            task: classification
            licence: Apache-2.0
            format: caffe
            files:
              network: \(TinyModels.file("digits-keras.prototxt"))
              weights: \(TinyModels.file("digits-keras.caffemodel"))
            labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
            input: {width: 32, height: 32, channels: GRAY, mean: 0, scale: 0.00392156862745098, resize: stretch}
            output: {decoder: classifier, class_activation: softmax, top_k: 3}

            """)
        let store = try tiny.store()
        return try Model(store.manifest(named: "digits-caffe"), store: store, engine: engine)
    }

    private static func expectSame(_ found: [[Classification]], _ expected: [[Classification]]) {
        #expect(found.map { $0.first?.label } == expected.map { $0.first?.label })
        for (classes, others) in zip(found, expected) {
            for each in classes {
                guard let other = others.first(where: { $0.classID == each.classID }) else { continue }
                #expect(abs(each.confidence - other.confidence) < 0.0001)
            }
        }
    }

    @Test(arguments: engines)
    func threeFormatsOfOneNetworkReadTheSameDigits(_ engine: Engine) throws {
        let digits = try Self.digits(), inputs = digits.map(\.input), top = digits.map { _ in 3 }
        #expect(digits.count > 100)
        let expected = try Self.bundled("digits-keras-onnx", .openCV).classify(inputs, topK: top).found
        let right = zip(expected, digits).count { $0.first?.label == $1.label }
        #expect(Double(right) / Double(digits.count) >= 0.95, "\(right) of \(digits.count)")
        Self.expectSame(try Self.bundled("digits-keras-onnx", engine).classify(inputs, topK: top).found, expected)
        Self.expectSame(try Self.bundled("digits-keras", engine).classify(inputs, topK: top).found, expected)
        Self.expectSame(try Self.bundled("digits-keras", engine, batch: 8).classify(inputs, topK: top).found, expected)
        let tiny = try TinyModels()
        defer { tiny.remove() }
        Self.expectSame(try Self.caffe(tiny, engine).classify(inputs, topK: top).found, expected)
    }

    /// TensorFlow gives borders by name ("SAME"); its layers are fast ones all the same.
    @Test func layersOfTensorFlowAndCaffeAreFastOnes() throws {
        guard Engine.openCVWithOneDNN.isAvailable else { return }
        let tiny = try TinyModels()
        defer { tiny.remove() }
        for model in [
            try Self.bundled("digits-keras", .openCVWithOneDNN), try Self.caffe(tiny, .openCVWithOneDNN),
        ] {
            let description = model.engineDescription
            #expect(!description.contains("Convolution") && !description.contains("Pooling"), "\(description)")
            #expect(description.contains(" layers on oneDNN ("), "\(description)")
        }
    }

    /// A network of Caffe whose answers anybody can work out: Fixtures/make_caffe.py.
    @Test(arguments: engines)
    func caffeComputesWhatItsNumbersSay(_ engine: Engine) throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let store = try tiny.store()
        let model = try Model(
            store.manifest(named: "mean-colour-caffe"), store: store, engine: engine, maxBatchSize: 2)
        #expect(model.maxBatchSize == 2)
        // Blue 0.2, green 0.8, red 0.4.
        let image = ModelInput(try TinyModels.plain([51, 204, 102])),
            other = ModelInput(try TinyModels.plain([0, 0, 255]))
        let found = try model.classify([image, other], topK: [3, 1]).found
        #expect(found[0].map(\.label) == ["half the green", "red", "blue"])
        for (found, expected) in zip(found[0].map(\.confidence), [0.65, 0.4, 0.2] as [Float]) {
            #expect(abs(found - expected) < 0.0001)
        }
        #expect(found[1].map(\.label) == ["red"] && abs(found[1][0].confidence - 1) < 0.0001)
    }

    @Test(arguments: ["digits-keras", "digits-keras-onnx"])
    func openVINOReadsOnlyONNX(_ name: String) throws {
        guard Engine.available.contains(.openVINO) else { return }
        if name == "digits-keras-onnx" {
            let inputs = try Self.digits().map(\.input), top = inputs.map { _ in 3 }
            let expected = try Self.bundled(name, .openCV).classify(inputs, topK: top).found
            Self.expectSame(try Self.bundled(name, .openVINO).classify(inputs, topK: top).found, expected)
        } else {
            let error = #expect(throws: VisionError.self) { try Self.bundled(name, .openVINO) }
            #expect(
                error?.message == """
                    model \(name): the engine openvino reads ONNX, and the network is a frozen graph of TensorFlow
                    """)
        }
    }

    /// The network of one format under the name of another.
    @Test(arguments: ["tensorflow", "onnx", "caffe", "darknet"])
    func aNetworkOfAnotherFormatIsRefused(_ format: String) throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let file = try TinyModels.file(format == "tensorflow" ? "digits-keras.prototxt" : "wrong.bin")
        let weights = format == "caffe" || format == "darknet" ? "\n  weights: \(file)" : ""
        try tiny.write(
            "wrong",
            TinyModels.meanColour("wrong", file).replacing("format: onnx", with: "format: \(format)")
                .replacing("network: \(file)", with: "network: \(file)\(weights)"))
        let error = #expect(throws: VisionError.self) { try tiny.model("wrong") }
        let names = [
            "tensorflow": "a frozen graph of TensorFlow", "onnx": "ONNX", "caffe": "Caffe's", "darknet": "Darknet's",
        ]
        let expected = "model wrong: OpenCV cannot read the network, which should be \(names[format] ?? ""): "
        #expect(error?.kind == .badModel)
        #expect(error?.message.hasPrefix(expected) == true, "\(error?.message ?? "no error")")
        #expect(error?.message.contains("\n") == false)
    }
}
