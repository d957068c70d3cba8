import Messages
import NIOCore

/// The pictures of a benchmark, in memory, taken in turn.
struct BenchInputs: Sendable {
    static let maxBytes = 1 << 30

    private let pictures: [ByteBuffer]
    let bytes: Int

    var count: Int { pictures.count }

    /// - Throws: `Fatal` that names the file that can't be read.
    init(reading sources: [PictureSource]) async throws {
        var pictures: [ByteBuffer] = []
        var bytes = 0
        for source in sources {
            do {
                let picture = try await PictureFile.read(source)
                bytes += picture.readableBytes
                pictures.append(picture)
            } catch let error as Fatal {
                throw Fatal("\(source.name): \(error.description)", status: .usage)
            }
            guard bytes <= Self.maxBytes else {
                throw Fatal("the inputs have more than \(Self.maxBytes) bytes; name fewer", status: .usage)
            }
        }
        guard !pictures.isEmpty else { throw Fatal("no inputs", status: .usage) }
        self.pictures = pictures
        self.bytes = bytes
    }

    /// The frame with this number; pictures repeat.
    func frame(_ sequence: UInt64, stream: String = "") -> Frame {
        let index = Int(sequence % UInt64(pictures.count))
        return Frame(
            stream: stream, sequence: sequence, captureTime: Int64(clamping: sequence &* 40_000),
            payload: .attached(pictures[index]))
    }
}
