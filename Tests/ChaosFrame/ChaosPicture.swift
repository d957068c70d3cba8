public import Messages
public import NIOCore

/// A picture whose truth is known: grey pixels that follow from its id, which a node answers with their digest.
///
/// The first ten pixels are the id, most significant byte first, the order, and where the object is; the rest is noise
/// that the id seeds.
public struct ChaosPicture: Sendable {
    /// What the picture does to the node that looks at it.
    public enum Order: UInt8, Sendable, CaseIterable {
        case answer
        /// Ends the process, as a fault in a decoder would.
        case crash
        /// Keeps a worker for ever.
        case hang
    }

    /// The corner of the picture that the only object fills.
    public enum Place: UInt8, Sendable, CaseIterable {
        case topLeft, topRight, bottomLeft, bottomRight

        /// Objects that follow each other never overlap.
        public static func of(_ object: UInt64) -> Place {
            allCases[Int(object % UInt64(allCases.count))]
        }

        /// In a picture of so many pixels.
        public func box(width: Int, height: Int) -> Box {
            let (width, height) = (Float(width) / 2, Float(height) / 2)
            return Box(
                x: rawValue % 2 == 0 ? 0 : width, y: rawValue < 2 ? 0 : height, width: width, height: height)
        }
    }

    /// Room for the id, the order and the place.
    public static let leastSide = 4

    public let id: UInt64
    public let order: Order
    public let place: Place
    public let side: Int

    /// - Parameter side: pixels, from `leastSide` on.
    public init(id: UInt64, order: Order = .answer, place: Place = .topLeft, side: Int) {
        precondition(side >= Self.leastSide, "a picture of \(side) pixels has no room for its id")
        self.id = id
        self.order = order
        self.place = place
        self.side = side
    }

    private var pixels: [UInt8] {
        var noise = Digest(of: id)
        var pixels = (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * UInt64(7 - $0))) }
        pixels += [order.rawValue, place.rawValue]
        pixels.reserveCapacity(side * side)
        for index in pixels.count..<side * side {
            noise.add(UInt8(truncatingIfNeeded: index))
            pixels.append(UInt8(truncatingIfNeeded: noise.value >> 24))
        }
        return pixels
    }

    /// The frame, and what a node must say of it.
    public func frame(stream: String, sequence: UInt64, captureTime: Int64) -> (frame: Frame, truth: String) {
        let pixels = pixels
        let frame = Frame(
            stream: stream, sequence: sequence, captureTime: captureTime, encoding: .gray8, width: side, height: side,
            payload: .attached(ByteBuffer(bytes: pixels)))
        return (frame, Digest(of: pixels).text)
    }
}

/// What a node sees.
public struct SeenPicture: Sendable {
    public let order: ChaosPicture.Order
    public let place: ChaosPicture.Place
    public let truth: String

    /// - Parameter pixels: BGR, packed; grey ones have three equal bytes.
    public init(bgr pixels: ByteBuffer) {
        var digest = Digest()
        unsafe pixels.withUnsafeReadableBytes { bytes in
            for index in stride(from: 0, to: bytes.count, by: 3) { unsafe digest.add(bytes[index]) }
        }
        func pixel(_ index: Int) -> UInt8 {
            pixels.getInteger(at: pixels.readerIndex + 3 * index) ?? 0
        }
        order = ChaosPicture.Order(rawValue: pixel(8)) ?? .answer
        place = ChaosPicture.Place(rawValue: pixel(9)) ?? .topLeft
        truth = digest.text
    }
}

/// FNV-1a, 64 bits.
struct Digest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    init() {}

    init(of number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    init(of bytes: [UInt8]) {
        for byte in bytes { add(byte) }
    }

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    var text: String { String(value, radix: 16) }
}
