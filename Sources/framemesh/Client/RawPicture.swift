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
    }

    /// Bytes of one row of the first plane.
    private var rowBytes: Int {
        switch encoding {
        case .bgr8, .rgb8: width * 3
        default: width
        }
    }

    /// Of a whole picture.
    var bytes: Int {
        let stride = rowStride == 0 ? rowBytes : rowStride
        let plane = stride * height
        let chromaRows = (height + 1) / 2
        switch encoding {
        case .nv12: return plane + (rowStride == 0 ? (width + 1) / 2 * 2 : stride) * chromaRows
        case .i420: return plane + 2 * ((stride + 1) / 2) * chromaRows
        default: return plane
        }
    }

    /// Why `count` bytes are no such picture; nil if they may be.
    func objection(to count: Int) -> String? {
        count == bytes
            ? nil
            : "\(count) bytes, but \(width)×\(height) \(encoding)\(rowStride > 0 ? " with \(rowStride) bytes a row" : "") takes \(bytes)"
    }
}
