import Messages

/// The form of pictures that come as raw pixels, which say nothing of themselves.
struct RawPicture: Sendable, Hashable {
    /// As nodes have it by default.
    static let maxSide = 16_384

    let encoding: Encoding
    let width: Int
    let height: Int
    /// Bytes from row to row (of the first plane); 0 means rows are packed.
    let rowStride: Int

    /// - Throws: `Fatal` that names the number that can't be.
    init(encoding: Encoding, width: Int, height: Int, rowStride: Int = 0) throws(Fatal) {
        self.encoding = encoding
        self.width = width
        self.height = height
        self.rowStride = rowStride
        guard encoding.isRaw else { throw Fatal("the encoding \(encoding) is not of raw pixels", status: .usage) }
        for (name, side) in [("width", width), ("height", height)] where !(1...Self.maxSide).contains(side) {
            throw Fatal("raw pictures need --\(name) of 1 to \(Self.maxSide), not \(side)", status: .usage)
        }
        guard rowStride == 0 || (rowBytes...Self.maxSide * 4).contains(rowStride) else {
            throw Fatal(
                "--row-stride \(rowStride) is not between the \(rowBytes) bytes of a row and \(Self.maxSide * 4)",
                status: .usage)
        }
        if isHalved {
            for (name, number) in [("width", width), ("height", height), ("row-stride", rowStride)]
            where number % 2 != 0 {
                throw Fatal("\(encoding) needs an even --\(name), not \(number)", status: .usage)
            }
        }
    }

    /// Chroma at half size follows the first plane.
    private var isHalved: Bool { encoding == .nv12 || encoding == .i420 }

    /// Bytes of one row of the first plane, without padding.
    private var rowBytes: Int { encoding == .bgr8 || encoding == .rgb8 ? width * 3 : width }

    /// How many bytes a whole picture may have: the padding of its very last row may be left out.
    var byteRange: ClosedRange<Int> {
        let stride = rowStride == 0 ? rowBytes : rowStride
        let whole = stride * (isHalved ? height / 2 * 3 : height)
        let padding = stride - rowBytes
        return whole - (encoding == .i420 ? padding / 2 : padding)...whole
    }

    /// Why `count` bytes are no such picture; nil if they may be.
    func objection(to count: Int) -> String? {
        if byteRange.contains(count) { return nil }
        let stride = rowStride == 0 ? "" : " with \(rowStride) bytes a row"
        return
            "the file has \(count) bytes, but \(encoding) of \(width)×\(height) pixels\(stride) takes \(byteRange.upperBound)"
    }
}
