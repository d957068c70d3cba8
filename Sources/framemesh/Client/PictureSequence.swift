import Foundation
import Messages
import NIOCore
import NIOPosix
import Playback
import Video
import Vision

/// A folder of numbered pictures, `street-0001.jpg` and so on, played as a video.
///
/// The numbers are those of the frames: where some are missing, frames are missing, and the others keep their times. All
/// pictures have the size of the first one.
actor PictureSequence: FrameSource {
    struct Item: Hashable {
        var number: Int
        var path: String
    }

    static let assumedFrameRate = 25.0
    /// Frames a second that can be asked for.
    static let frameRates = 0.001...1000.0

    nonisolated let info: VideoInfo
    /// A picture that is damaged ends it.
    nonisolated let damagedPackets: UInt64 = 0
    private let items: [Item]
    private var position = 0
    private var first: ByteBuffer?

    /// - Parameter path: of the folder.
    /// - Throws: `Fatal` for names that are no sequence, `VideoError` for a first picture that cannot be read.
    static func open(_ path: String, frameRate: Double) async throws -> PictureSequence {
        let items = try inOrder(PictureSource.discover([path]).map(\.name))
        let image = try await decode(items[0])
        return PictureSequence(items, image, frameRate)
    }

    private init(_ items: [Item], _ image: Image, _ frameRate: Double) {
        self.items = items
        info = VideoInfo(
            width: image.width, height: image.height, frameRate: frameRate, frameCount: items.count, codec: "pictures")
        first = image.pixels
    }

    /// By the number at the end of each name; what comes before it has to be the same everywhere.
    /// - Throws: `Fatal` for a name without a number, another name, or a number that comes twice.
    static func inOrder(_ paths: [String]) throws(Fatal) -> [Item] {
        var items: [Item] = []
        var stem: Substring?
        for path in paths {
            let name = path.dropLast(path.split(separator: ".").last.map { $0.count + 1 } ?? 0)
            let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
            guard digits > 0, let number = Int(name.suffix(digits)) else {
                throw Fatal("\(path): the pictures of a sequence end in the numbers of their frames", status: .usage)
            }
            let before = name.dropLast(digits)
            guard before == stem ?? before else {
                throw Fatal("\(path): is of another sequence than \(paths[0])", status: .usage)
            }
            stem = before
            items.append(Item(number: number, path: path))
        }
        items.sort { ($0.number, $0.path) < ($1.number, $1.path) }
        for (one, other) in zip(items, items.dropFirst()) where one.number == other.number {
            throw Fatal("\(other.path): frame \(other.number) comes twice", status: .usage)
        }
        return items
    }

    func next() async throws -> VideoFrame? {
        guard position < items.count else { return nil }
        let index = position
        position += 1
        let pixels: ByteBuffer
        if index == 0, let first {
            pixels = first
        } else {
            let image = try await Self.decode(items[index])
            guard image.width == info.width, image.height == info.height else {
                throw VideoError(
                    """
                    \(items[index].path): is \(image.width)x\(image.height), and the first picture is \
                    \(info.width)x\(info.height)
                    """)
            }
            pixels = image.pixels
        }
        first = nil
        let seconds = Double(items[index].number - items[0].number) / info.frameRate
        // Numbers may be anything; times end where they no longer fit.
        guard seconds < 1e12 else { throw VideoError("\(items[index].path): is too far from the first picture") }
        return VideoFrame(index: UInt64(index), captureTime: Int64((seconds * 1e6).rounded()), pixels: pixels)
    }

    func close() async { position = items.count }

    private static func decode(_ item: Item) async throws -> Image {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                try Image(decoding: Frame(payload: .inline(PictureFile.readNow(.file(item.path)))))
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw VideoError("\(item.path): \(error)")
        }
    }
}
