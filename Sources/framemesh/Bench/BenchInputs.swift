import Bench
import Messages
import NIOCore
import Vision

/// The pictures of a benchmark, in memory, taken in turn.
struct BenchInputs: Sendable {
    static let maxBytes = 1 << 30

    private struct Picture: Sendable {
        var bytes: ByteBuffer
        /// Of raw pixels; `auto` of a file says nothing of its size.
        var encoding = Encoding.auto
        var width = 0
        var height = 0
    }

    private let pictures: [Picture]
    let bytes: Int

    var count: Int { pictures.count }

    private init(_ pictures: [Picture]) {
        self.pictures = pictures
        bytes = pictures.reduce(0) { $0 + $1.bytes.readableBytes }
    }

    /// - Throws: `Fatal` that names the file that can't be read.
    init(reading sources: [PictureSource]) async throws {
        var pictures: [Picture] = []
        var bytes = 0
        for source in sources {
            do {
                let picture = try await PictureFile.read(source)
                bytes += picture.readableBytes
                pictures.append(Picture(bytes: picture))
            } catch let error as Fatal {
                throw Fatal("\(source.name): \(error.description)", status: .usage)
            }
            guard bytes <= Self.maxBytes else {
                throw Fatal("the inputs have more than \(Self.maxBytes) bytes; name fewer", status: .usage)
            }
        }
        guard !pictures.isEmpty else { throw Fatal("no inputs", status: .usage) }
        self.init(pictures)
    }

    /// Pictures that are made here.
    static let madePictures = 4
    /// Levels up and down from a smooth shade: about as large as a JPEG of a camera is.
    private static let noise: ClosedRange<Int> = -6...6

    /// Shades with noise, the same in every run.
    /// - Parameter isRaw: BGR8 rather than JPEG.
    init(making size: PictureSize, isRaw: Bool) throws(VisionError) {
        var pictures: [Picture] = []
        var chance = SeededGenerator(seed: 1)
        for number in 0..<Self.madePictures {
            var pixels = ByteBuffer()
            pixels.reserveCapacity(size.width * size.height * 3)
            for row in 0..<size.height {
                for column in 0..<size.width {
                    let shade = (row + column + number * 16) * 255 / (size.width + size.height) % 256
                    // One number for all three: a picture of 4K is made in less than a second.
                    let dots = chance.next()
                    for channel in 0..<3 {
                        let span = UInt64(Self.noise.count)
                        let dot = Int((dots >> (channel * 16)) % span) + Self.noise.lowerBound
                        pixels.writeInteger(UInt8(clamping: shade + dot))
                    }
                }
            }
            var picture = Picture(bytes: pixels, encoding: .bgr8, width: size.width, height: size.height)
            if !isRaw {
                let image = try Image(
                    decoding: Frame(
                        encoding: .bgr8, width: size.width, height: size.height, payload: .attached(pixels)))
                picture = Picture(bytes: try image.jpeg(), encoding: .jpeg)
            }
            pictures.append(picture)
        }
        self.init(pictures)
    }

    /// The frame with this number; pictures repeat.
    func frame(_ sequence: UInt64, stream: String = "") -> Frame {
        let picture = pictures[Int(sequence % UInt64(pictures.count))]
        return Frame(
            stream: stream, sequence: sequence, captureTime: Int64(clamping: sequence &* 40_000),
            encoding: picture.encoding, width: picture.width, height: picture.height, payload: .attached(picture.bytes))
    }
}

/// `640x480`.
struct PictureSize: Sendable, Equatable {
    static let maxSide = 8192

    var width: Int
    var height: Int

    init?(_ text: String) {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sides.count == 2, sides.allSatisfy({ (1...Self.maxSide).contains($0) }) else { return nil }
        (width, height) = (sides[0], sides[1])
    }
}
