import Foundation
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

    private static func raw(_ bytes: [UInt8], _ encoding: Encoding, like image: Image) throws -> Image {
        try Image(
            decoding: Frame(
                encoding: encoding, width: image.width, height: image.height,
                payload: .inline(ByteBuffer(bytes: bytes))))
    }

    @Test(arguments: Engine.available)
    func formsThatLoseNothingAreTheSame(_ engine: Engine) throws {
        let image = try Self.picture(), model = try Self.detector(engine)
        let bgr = Array(image.pixels.readableBytesView)
        var rgb = bgr
        for i in stride(from: 0, to: rgb.count, by: 3) { rgb.swapAt(i, i + 2) }
        let others = [
            try Image(decoding: Frame(payload: .inline(image.png()))), try Self.raw(bgr, .bgr8, like: image),
            try Self.raw(rgb, .rgb8, like: image),
        ]
        let expected = try model.detect([ModelInput(image)], minConfidence: [0]).found
        #expect(!expected[0].isEmpty)
        for other in others { #expect(try model.detect([ModelInput(other)], minConfidence: [0]).found == expected) }
    }

    /// 4:2:0 is read as it is, without a picture in BGR; that is made for whoever asks for pixels.
    @Test(arguments: [Encoding.nv12, .i420], Engine.available)
    func planesAreWhatTheirPixelsAre(_ encoding: Encoding, _ engine: Engine) throws {
        let image = try Self.picture(), model = try Self.detector(engine)
        let planes = try Self.raw(Self.planes(of: image, encoding), encoding, like: image)
        let found = try model.detect([ModelInput(planes)], minConfidence: [0]).found
        // Digits are light or dark: they are found without their colours, too.
        let original = try model.detect([ModelInput(image)], minConfidence: [0]).found
        #expect(found[0].map(\.label).sorted() == original[0].map(\.label).sorted())
        for wanted in original[0] {
            #expect(found[0].contains { $0.box.iou(wanted.box) > 0.9 && abs($0.confidence - wanted.confidence) < 0.03 })
        }
        // Cut out on odd pixels, as a cascade does, all from the one picture, in one batch.
        let bgr = try Self.raw(Array(planes.pixels.readableBytesView), .bgr8, like: image)
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

    /// BT.601, 16 to 235; each two by two pixels have the colour of their first.
    private static func planes(of image: Image, _ encoding: Encoding) -> [UInt8] {
        let pixels = Array(image.pixels.readableBytesView), width = image.width
        var luma: [UInt8] = [], u: [UInt8] = [], v: [UInt8] = []
        for i in 0..<width * image.height {
            let (b, g, r) = (Float(pixels[3 * i]), Float(pixels[3 * i + 1]), Float(pixels[3 * i + 2]))
            luma.append(UInt8(16 + 0.257 * r + 0.504 * g + 0.098 * b))
            guard i % width % 2 == 0, i / width % 2 == 0 else { continue }
            u.append(UInt8(128 - 0.148 * r - 0.291 * g + 0.439 * b))
            v.append(UInt8(128 + 0.439 * r - 0.368 * g - 0.071 * b))
        }
        return luma + (encoding == .i420 ? u + v : zip(u, v).flatMap { [$0, $1] })
    }
}
