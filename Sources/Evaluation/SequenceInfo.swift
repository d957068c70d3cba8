/// `seqinfo.ini` beside the pictures of a video of the MOT Challenge.
public struct SequenceInfo: Sendable {
    /// Where the file says none.
    public static let assumedFrameRate = 25.0
    static let frameRates = 0.001...1000

    /// Folder of the pictures.
    public var pictures = "img1"
    public var frameRate = assumedFrameRate
    /// Frames; nil: it does not say.
    public var length: Int?

    public init() {}

    /// - Throws: `DatasetError` for a rate that is none.
    public init(text: String) throws(DatasetError) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "imdir": pictures = parts[1]
            case "framerate":
                guard let rate = Double(parts[1]), Self.frameRates.contains(rate) else {
                    throw DatasetError(
                        """
                        frameRate=\(parts[1]) is not between \(Self.frameRates.lowerBound) and \
                        \(Self.frameRates.upperBound)
                        """)
                }
                frameRate = rate
            case "seqlength": length = Int(parts[1])
            default: break
            }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let front = text.drop { $0.isWhitespace }
        return String(front.reversed().drop { $0.isWhitespace }.reversed())
    }
}
