/// `seqinfo.ini` beside the pictures of a video of the MOT Challenge.
public struct SequenceInfo: Sendable {
    /// Where the file says none.
    public static let assumedFrameRate = 25.0

    /// Folder of the pictures.
    public var pictures = "img1"
    public var frameRate = assumedFrameRate

    public init() {}

    /// - Throws: `DatasetError` for a rate that is none.
    public init(text: String) throws(DatasetError) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "imdir": pictures = parts[1]
            case "framerate":
                guard let rate = Double(parts[1]), rate > 0, rate <= 1000 else {
                    throw DatasetError("seqinfo.ini: frameRate=\(parts[1]) is not between 0 and 1000")
                }
                frameRate = rate
            default: break
            }
        }
    }
}
