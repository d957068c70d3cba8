import Foundation
import GoldenSupport
import Messages
import NIOCore
import Testing

@testable import Vision

/// One picture in every form in which it may come: what is found does not depend on it.
@Suite struct FormatTests {
    private static let store = Result {
        try ModelStore(bundled: Place.bundled.path, folders: [], pulled: "/nonexistent")
    }

    /// A scene of digits, as a JPEG of the demo has it; both sides are even.
    private static func picture() throws -> Image {
        let url = Place.root.appending(path: "Sources/framemesh/Resources/demo/numbers-01.jpg")
        return try Image(decoding: Frame(Data(contentsOf: url)))
    }

    private static func detector(_ engine: Engine) throws -> Model {
        let store = try store.get()
        return try Model(store.manifest(named: "digits-detector"), store: store, engine: engine)
    }

    @Test(arguments: Engine.available)
    func formsThatLoseNothingAreTheSame(_ engine: Engine) throws {
        let image = try Self.picture(), model = try Self.detector(engine)
        let expected = try model.detect([ModelInput(image)], minConfidence: [0]).found
        #expect(!expected[0].isEmpty)
        for form in [Encoding.png, .bgr8, .rgb8] {
            let other = try PictureForm.image(image, as: form)
            #expect(try model.detect([ModelInput(other)], minConfidence: [0]).found == expected)
        }
    }

    /// 4:2:0 is read as it is, without a picture in BGR; that is made for whoever asks for pixels.
    @Test(arguments: [Encoding.nv12, .i420], Engine.available)
    func planesAreWhatTheirPixelsAre(_ encoding: Encoding, _ engine: Engine) throws {
        let image = try Self.picture(), model = try Self.detector(engine)
        let planes = try PictureForm.image(image, as: encoding)
        let found = try model.detect([ModelInput(planes)], minConfidence: [0]).found
        // Digits are light or dark: they are found without their colours, too.
        let original = try model.detect([ModelInput(image)], minConfidence: [0]).found
        #expect(found[0].map(\.label).sorted() == original[0].map(\.label).sorted())
        for wanted in original[0] {
            #expect(found[0].contains { $0.box.iou(wanted.box) > 0.9 && abs($0.confidence - wanted.confidence) < 0.03 })
        }
        // Cut out on odd pixels, as a cascade does, all from the one picture, in one batch.
        let bgr = try PictureForm.image(planes, as: .bgr8)
        let boxes = found[0].map(\.box) + [Box(x: 1, y: 3, width: 99, height: 51)]
        let store = try Self.store.get()
        let classifier = try Model(
            store.manifest(named: "digits-classifier"), store: store, engine: engine, maxBatchSize: boxes.count)
        let ones = boxes.map { _ in 1 }
        #expect(
            try classifier.classify(boxes.map { ModelInput(planes, region: $0) }, topK: ones).found
                == classifier.classify(boxes.map { ModelInput(bgr, region: $0) }, topK: ones).found)
        #expect(try model.detect([ModelInput(bgr)], minConfidence: [0]).found == found)
    }
}
