import Foundation
import GoldenSupport
import Messages
import Testing

@testable import Vision

/// What plain OpenCV 4.6 finds with the real models, `Model` finds too, on every engine, in whatever form a picture comes,
/// and in a batch where the model has batches.
@Suite struct GoldenTests {
    private static func reference(_ model: String) throws -> GoldenReference {
        let folder = try #require(Place.shared).appending(path: "golden")
        return try GoldenReference.load(model, from: folder)
    }

    private static func image(_ name: String, _ form: Encoding) throws -> Image {
        let image = try Place.picture(name)
        return form == .jpeg ? image : try PictureForm.image(image, as: form)
    }

    /// All of the reference's boxes and no others.
    private static func expect(
        _ found: [Detection], _ wanted: GoldenReference.Picture, least: Float, _ tolerance: GoldenTolerance,
        _ what: String
    ) {
        let objections = tolerance.objections(to: found, wanted: wanted.boxes, least: least)
        #expect(objections == [], "\(what) \(wanted.picture)")
    }

    @Test(
        .enabled(if: Place.announceSkip("golden detections")),
        arguments: ["yolo-fastest-1.1", "yolo-fastest-1.1-xl", "FastestDet", "ultraface-RFB-320"], Engine.available)
    func detectorsFindWhatTheReferenceFinds(_ name: String, _ engine: Engine) throws {
        let reference = try Self.reference(name)
        let store = try Place.store()
        let manifest = try store.manifest(named: name)
        if engine == .openVINO && manifest.network == .darknet {
            #expect {
                try Model(manifest, store: store, engine: engine)
            } throws: {
                "\($0)" == "model \(name): the engine openvino reads ONNX, and the network is Darknet's"
            }
            return
        }
        let model = try Model(manifest, store: store, engine: engine)
        for form in PictureForm.all {
            let tolerance = GoldenTolerance.boxes(form)
            for wanted in reference.pictures {
                let image = try Self.image(wanted.picture, form)
                #expect(image.width / 2 == wanted.width / 2 && image.height / 2 == wanted.height / 2)
                let found = try model.detect([ModelInput(image)], minConfidence: [0]).found[0]
                Self.expect(found, wanted, least: reference.conf, tolerance, "\(name) \(form)")
            }
        }
        let batching = try Model(manifest, store: store, engine: engine, maxBatchSize: 4)
        let inputs = try reference.pictures.map { try ModelInput(Place.picture($0.picture)) }
        let found = try batching.detect(inputs, minConfidence: inputs.map { _ in 0 }).found
        for (found, wanted) in zip(found, reference.pictures) {
            Self.expect(found, wanted, least: reference.conf, .usual, "\(name) in batches of \(batching.maxBatchSize)")
        }
    }

    @Test(.enabled(if: Place.announceSkip("golden classes")), arguments: Engine.available)
    func theClassifierNamesWhatTheReferenceNames(_ engine: Engine) throws {
        let reference = try Self.reference("squeezenet-1.1")
        let store = try Place.store()
        let manifest = try store.manifest(named: "squeezenet-1.1")
        let model = try Model(manifest, store: store, engine: engine)
        for form in PictureForm.all {
            let tolerance = GoldenTolerance.classes(form)
            for wanted in reference.pictures {
                let found = try model.classify([ModelInput(Self.image(wanted.picture, form))], topK: [0]).found[0]
                Self.expect(found, wanted, tolerance, "\(form) \(wanted.picture)")
            }
        }
        let batching = try Model(manifest, store: store, engine: engine, maxBatchSize: 4)
        #expect(batching.maxBatchSize == 4)
        let inputs = try reference.pictures.map { try ModelInput(Place.picture($0.picture)) }
        let found = try batching.classify(inputs, topK: inputs.map { _ in 0 }).found
        for (found, wanted) in zip(found, reference.pictures) {
            Self.expect(found, wanted, .usual, "\(wanted.picture) in a batch")
        }
    }

    private static func expect(
        _ classes: [Classification], _ wanted: GoldenReference.Picture, _ tolerance: GoldenTolerance, _ what: String
    ) {
        #expect(tolerance.objections(to: classes, wanted: wanted.classes) == [], "\(what)")
    }

    /// The average precision of a detector needs boxes that are hardly sure; OpenCV's own layers leave them out at 0.2.
    @Test(.enabled(if: Place.announceSkip("weak boxes")), arguments: [Engine.openCV, .openCVWithOneDNN])
    func darknetModelsGiveWeakBoxes(_ engine: Engine) throws {
        guard engine.isAvailable else { return }
        let store = try Place.store()
        let model = try Model(store.manifest(named: "yolo-fastest-1.1"), store: store, engine: engine)
        let image = try ModelInput(Place.picture("dog.jpg"))
        let weak = try model.detect([image], minConfidence: [0.001]).found[0]
        #expect(weak.contains { $0.confidence < 0.005 } && weak.allSatisfy { $0.confidence >= 0.001 })
        let less = try model.detect([image], minConfidence: [0.05]).found[0]
        #expect(less.count < weak.count)
    }
}
