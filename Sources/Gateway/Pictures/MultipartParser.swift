import Glibc
import NIOCore

/// Takes a `multipart/form-data` body apart as it comes (RFC 2046, section 5.1; RFC 7578). It keeps a part's header and
/// less than a delimiter's length of what it has not given out.
///
///     preamble ─▶ header ─▶ content ─▶ header … ─▶ epilogue
struct MultipartParser {
    enum Event: Equatable {
        /// A part begins: the lines of its header, without their ends.
        case part([String])
        case content(ByteBuffer)
        case partEnd
        /// What comes after is of no meaning.
        case end
    }

    struct Failure: Error, Equatable {
        enum Kind { case malformed, headerTooLarge }
        var kind: Kind
        var message: String
    }

    private enum State { case preamble, delimiterEnd, header, content, epilogue }

    /// RFC 2046 allows 1 to 70 characters.
    static let maxBoundaryBytes = 70

    private let delimiter: [UInt8]
    private let maxHeaderBytes: Int
    private var state = State.preamble
    private var buffer: ByteBuffer

    /// - Throws: `Failure` where this cannot be a boundary.
    init(boundary: some StringProtocol, maxHeaderBytes: Int) throws(Failure) {
        let bytes = Array(boundary.utf8)
        guard (1...Self.maxBoundaryBytes).contains(bytes.count),
            bytes.allSatisfy({ (0x20...0x7E).contains($0) }), bytes.last != 0x20
        else {
            throw Failure(kind: .malformed, message: "the boundary has not 1 to \(Self.maxBoundaryBytes) characters")
        }
        delimiter = Array("\r\n--".utf8) + bytes
        self.maxHeaderBytes = maxHeaderBytes
        // The first delimiter may stand at the very beginning, without the line end that others begin with.
        buffer = ByteBuffer(string: "\r\n")
    }

    /// The next bytes of the body.
    mutating func feed(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
    }

    /// nil: more bytes are needed.
    mutating func next() throws(Failure) -> Event? {
        while true {
            switch state {
            case .preamble:
                guard let place = place(of: delimiter) else {
                    keep(delimiter.count - 1)
                    return nil
                }
                buffer.moveReaderIndex(forwardBy: place + delimiter.count)
                state = .delimiterEnd
            case .delimiterEnd:
                guard let isLast = try delimiterEnd() else { return nil }
                state = isLast ? .epilogue : .header
                if isLast { return .end }
            case .header:
                guard let lines = try header() else { return nil }
                state = .content
                return .part(lines)
            case .content:
                guard let place = place(of: delimiter) else {
                    // The end may be the beginning of a delimiter.
                    let sure = buffer.readableBytes - (delimiter.count - 1)
                    guard sure > 0, let content = buffer.readSlice(length: sure) else { return nil }
                    return .content(content)
                }
                if place > 0, let content = buffer.readSlice(length: place) { return .content(content) }
                buffer.moveReaderIndex(forwardBy: delimiter.count)
                state = .delimiterEnd
                return .partEnd
            case .epilogue:
                buffer.clear()
                return nil
            }
        }
    }

    /// All parts have come.
    var isComplete: Bool { state == .epilogue }

    /// What follows a delimiter: `--` after the last part, else blanks and a line end.
    /// - Returns: whether it was the last one; nil: not known yet.
    private mutating func delimiterEnd() throws(Failure) -> Bool? {
        let view = buffer.readableBytesView
        if view.starts(with: "--".utf8) { return true }
        if view.count < 2, view.first.map({ $0 == UInt8(ascii: "-") }) ?? true { return nil }
        let blanks = view.prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard blanks < maxHeaderBytes else { throw headerTooLarge }
        let rest = view.dropFirst(blanks)
        if rest.starts(with: "\r\n".utf8) {
            buffer.moveReaderIndex(forwardBy: blanks + 2)
            // A header begins; it may be empty, and then is its own end.
            return false
        }
        if rest.isEmpty || rest.count == 1 && rest.first == 0x0D { return nil }
        throw Failure(kind: .malformed, message: "a boundary is followed by what is no line end")
    }

    private mutating func header() throws(Failure) -> [String]? {
        if buffer.readableBytesView.starts(with: "\r\n".utf8) {
            buffer.moveReaderIndex(forwardBy: 2)
            return []
        }
        guard let end = place(of: Array("\r\n\r\n".utf8)) else {
            guard buffer.readableBytes <= maxHeaderBytes else { throw headerTooLarge }
            return nil
        }
        guard end <= maxHeaderBytes, let text = buffer.readString(length: end) else { throw headerTooLarge }
        buffer.moveReaderIndex(forwardBy: 4)
        return text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    private var headerTooLarge: Failure {
        Failure(kind: .headerTooLarge, message: "the header of a part exceeds \(maxHeaderBytes) bytes")
    }

    /// Throws away all but the last `count` bytes.
    private mutating func keep(_ count: Int) {
        buffer.moveReaderIndex(forwardBy: max(0, buffer.readableBytes - count))
        buffer.discardReadBytes()
    }

    /// Every needle begins with a carriage return, which is rare in pictures.
    private func place(of needle: [UInt8]) -> Int? {
        unsafe buffer.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress, let first = needle.first else { return nil }
            var at = 0
            while at + needle.count <= bytes.count {
                guard let found = unsafe memchr(start + at, Int32(first), bytes.count - needle.count + 1 - at) else {
                    return nil
                }
                at = unsafe UnsafeRawPointer(found) - start
                if unsafe memcmp(start + at, needle, needle.count) == 0 { return at }
                at += 1
            }
            return nil
        }
    }
}
