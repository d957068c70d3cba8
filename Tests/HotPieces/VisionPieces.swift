import CHotPieces
import Messages
import NIOCore
import Vision

extension Piece {
    static let vision = [
        Piece("jpeg-decode", turns: 3, result: 640 * 480) {
            let jpeg = try picture().jpeg()
            let frame = Frame(encoding: .jpeg, payload: .inline(jpeg))
            return {
                let image = try Image(decoding: frame)
                return image.width * image.height
            }
        },
        preprocess("preprocess-stretch", VISION_BGR8, VISION_STRETCH, grey: 128),
        preprocess("preprocess-letterbox", VISION_BGR8, VISION_LETTERBOX, grey: 128),
        // As ITU-R BT.601 has it.
        preprocess("preprocess-nv12", VISION_NV12, VISION_LETTERBOX, grey: 130),
        Piece("grid-decode", turns: 200, result: 16) {
            let grid = unsafe hot_grid_create(40)
            return { unsafe Int(hot_grid_decode(grid)) }
        },
        Piece("nms", turns: 50, result: 50) {
            let findings = unsafe hot_findings_create(50)
            return { unsafe Int(hot_findings_suppress(findings)) }
        },
    ]

    private static func preprocess(
        _ name: String, _ format: vision_format, _ resize: vision_resize, grey: Int
    ) -> Piece {
        Piece(name, turns: 10, result: grey) {
            let preprocess = unsafe hot_preprocess_create(format, 640, 480, 320, resize)
            return { unsafe Int(hot_preprocess_run(preprocess)) }
        }
    }

    /// With edges and noise, as cameras make it.
    private static func picture() throws -> Image {
        let (width, height) = (640, 480)
        var dice = Dice()
        var pixels = ByteBuffer()
        for y in 0..<height {
            for x in 0..<width {
                let noise = UInt8.random(in: 0..<16, using: &dice)
                let tile = UInt8(truncatingIfNeeded: (x / 32 * 37 + y / 32 * 59) % 224)
                pixels.writeRepeatingByte(tile + noise, count: 3)
            }
        }
        return try Image(decoding: Frame(encoding: .bgr8, width: width, height: height, payload: .inline(pixels)))
    }
}
