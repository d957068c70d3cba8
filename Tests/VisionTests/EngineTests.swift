import Foundation
import Messages
import Testing

@testable import Vision

extension Engine {
    /// Those that can be used here; the others are announced.
    static let available = allCases.filter { engine in
        do throws(VisionError) {
            try engine.check()
            return true
        } catch {
            print("SKIPPED: engine \(engine.rawValue): \(error.message)")
            return false
        }
    }
}

/// The models that come with the program, on every engine that there is. Tests/CVisionTests compares their numbers.
@Suite struct EngineTests {
    private static let pictures = Place.root.appending(path: "Sources/framemesh/Resources/demo")

    private func picture(_ name: String) throws -> Image {
        try Image(decoding: Frame(Data(contentsOf: Self.pictures.appending(path: name))))
    }

    @Test func theCoreKnowsItsCompiler() {
        let words = VisionCore.compiler.split(separator: " ")
        #expect(words.count > 1 && ["Clang", "GCC"].contains(words[0]) && words[1].first?.isNumber == true)
    }

    private func model(_ name: String, _ engine: Engine) throws -> Model {
        let store = try ModelStore(bundled: Place.bundled.path, folders: [], pulled: "/nonexistent")
        return try Model(store.manifest(named: name), store: store, engine: engine)
    }

    @Test(arguments: Engine.available)
    func everyEngineFindsTheSameDigits(_ engine: Engine) throws {
        let reference = try model("digits-detector", .openCV), tried = try model("digits-detector", engine)
        let image = ModelInput(try picture("numbers-01.jpg"))
        let expected = try reference.detect([image], minConfidence: [0]).found[0]
        let found = try tried.detect([image], minConfidence: [0]).found[0]
        #expect(!expected.isEmpty)
        #expect(found.map(\.label) == expected.map(\.label))
        for (a, b) in zip(found, expected) {
            #expect(abs(a.confidence - b.confidence) < 0.0001)
            #expect(a.box.iou(b.box) > 0.999)
        }
    }

    @Test(arguments: Engine.available)
    func everyEngineReadsTheSameDigits(_ engine: Engine) throws {
        let detector = try model("digits-detector", .openCV)
        let image = try picture("numbers-01.jpg")
        let boxes = try detector.detect([ModelInput(image)], minConfidence: [0]).found[0]
        let digits = boxes.map { ModelInput(image, region: $0.box) }
        let expected = try model("digits-classifier", .openCV).classify(digits, topK: digits.map { _ in 1 }).found
        let found = try model("digits-classifier", engine).classify(digits, topK: digits.map { _ in 1 }).found
        #expect(found.map { $0.map(\.label) } == expected.map { $0.map(\.label) })
    }

    @Test func anEngineSaysWhatRunsTheLayers() throws {
        #expect(try model("digits-classifier", .openCV).engineDescription == "all layers are OpenCV's own")
        guard Engine.openCVWithOneDNN.isAvailable else { return }
        let description = try model("digits-classifier", .openCVWithOneDNN).engineDescription
        #expect(description.hasPrefix("20 of 22 layers on oneDNN ("))
        #expect(description.hasSuffix("); OpenCV's own: Identity 1, InnerProduct 1"))
    }

    @Test func openVINOSaysWhichItIsAndHowItComputes() throws {
        guard Engine.available.contains(.openVINO) else { return }
        let description = try model("digits-classifier", .openVINO).engineDescription
        #expect(description.hasPrefix("all layers are OpenVINO's (20"))
        #expect(description.hasSuffix(", f32, one thread)"))
    }

    @Test func theStandardIsTheFastestThatTheBuildHasItself() {
        #expect(Engine.standard == (Engine.available.contains(.openCVWithOneDNN) ? .openCVWithOneDNN : .openCV))
        #expect(Engine.available.first == .openCV)
    }
}
