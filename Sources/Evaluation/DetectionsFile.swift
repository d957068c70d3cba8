public import Messages

/// What a detector found in a video, as the MOT Challenge has it in det.txt:
/// `frame,-1,left,top,width,height,confidence,class`, frames and pixels from 1 on; here, as everywhere, pixels are from 0
/// on. Without a class all are of class 0.
public struct DetectionsFile: Sendable {
    /// By number of the frame.
    private var rows: [Int: [Detection]] = [:]

    /// - Throws: `DatasetError` with the number of the line.
    public init(text: String) throws(DatasetError) {
        var count = 0
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            count += 1
            guard count <= MOTSequence.maxRows else { throw DatasetError("more than \(MOTSequence.maxRows) rows") }
            let values = line.split(separator: ",").prefix(8).map { Double($0) ?? .nan }
            guard values.count >= 7, values.allSatisfy(\.isFinite) else {
                throw DatasetError("line \(index + 1) is not frame,-1,left,top,width,height,confidence in numbers")
            }
            guard values[0] >= 1, values[0] <= Double(MOTSequence.maxFrame) else {
                throw DatasetError("line \(index + 1): the frame is not between 1 and \(MOTSequence.maxFrame)")
            }
            let kind = values.count > 7 ? Int(min(max(values[7], 0), 1e9)) : 0
            let box = Box(
                x: Float(values[2] - 1), y: Float(values[3] - 1), width: Float(values[4]), height: Float(values[5]))
            rows[Int(values[0]), default: []].append(
                Detection(classID: kind, label: "\(kind)", confidence: Float(values[6]), box: box))
        }
    }

    public subscript(frame: Int) -> [Detection] { rows[frame] ?? [] }
}
