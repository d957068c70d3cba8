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

    /// - Parameters:
    ///   - size: to which they are stretched; nil: each is as large as it is.
    ///   - isRaw: BGR8 rather than JPEG, or what the file has.
    /// - Throws: `Fatal` that names the file that can't be read.
    init(reading sources: [PictureSource], size: PictureSize? = nil, isRaw: Bool = false) async throws {
        var pictures: [Picture] = []
        var bytes = 0
        for source in sources {
            do {
                var picture = Picture(bytes: try await PictureFile.read(source, isEncoded: true))
                guard PictureSignature.begins(picture.bytes.readableBytesView) else {
                    throw Fatal("is no JPEG, PNG or WebP, which is all that is measured here")
                }
                if size != nil || isRaw { picture = try Self.changed(picture, to: size, isRaw: isRaw) }
                bytes += picture.bytes.readableBytes
                pictures.append(picture)
            } catch let error as Fatal {
                throw Fatal("\(source.name): \(error.description)", status: .usage)
            } catch let error as VisionError {
                throw Fatal("\(source.name): \(error.message)", status: .usage)
            }
            guard bytes <= Self.maxBytes else {
                throw Fatal("the inputs have more than \(Self.maxBytes) bytes; name fewer", status: .usage)
            }
        }
        guard !pictures.isEmpty else { throw Fatal("no inputs", status: .usage) }
        self.init(pictures)
    }

    private static func changed(
        _ picture: Picture, to size: PictureSize?, isRaw: Bool
    ) throws(VisionError) -> Picture {
        var image = try Image(decoding: Frame(payload: .attached(picture.bytes)))
        if let size { image = try image.resized(width: size.width, height: size.height) }
        guard isRaw else { return Picture(bytes: try image.jpeg(), encoding: .jpeg) }
        return Picture(bytes: image.pixels, encoding: .bgr8, width: image.width, height: image.height)
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

    /// Between two frames of what says nothing of its rate.
    static let usualInterval: Duration = .milliseconds(40)

    /// The frame with this number; pictures repeat.
    /// - Parameter interval: between the times at which two of them were captured.
    func frame(_ sequence: UInt64, stream: String = "", interval: Duration = usualInterval) -> Frame {
        let picture = pictures[Int(sequence % UInt64(pictures.count))]
        let micros = UInt64(max(1, interval / .microseconds(1)))
        return Frame(
            stream: stream, sequence: sequence, captureTime: Int64(clamping: sequence &* micros),
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
