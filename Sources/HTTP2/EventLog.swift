/// What nghttp2's callbacks write down, as plain numbers, in memory that is used again.
///
/// A `Batch` tells it as `SessionEvent`s. A request that came in one read, as HEADERS and one last DATA frame, becomes one
/// event in the place of the DATA; frames of other streams may have been between them.
struct EventLog {
    fileprivate enum Record {
        case headers(stream: Int32, first: Int, count: Int, endStream: Bool)
        case request(stream: Int32, first: Int, count: Int, offset: Int, length: Int)
        case oversizedHeaders(stream: Int32, fields: Int, bytes: Int)
        case rejected(stream: Int32, ConnectionLimit)
        case trailers(stream: Int32, first: Int, count: Int)
        case data(stream: Int32, offset: Int, length: Int)
        case ended(stream: Int32)
        case closed(stream: Int32, code: ErrorCode)
        case sent(stream: Int32, bytes: Int)
        case drained
        case settings(maxConcurrentStreams: UInt32)
        case ping
        case pingAcknowledged(UInt64)
        case goAway(lastStream: Int32, code: ErrorCode)
        /// Became a part of another.
        case none
    }

    /// After a burst, no more than this is kept for the next read.
    private static let keptRecords = 2048

    private let joinsRequests: Bool
    private var records: [Record] = []
    private var spare: [Record] = []
    private var arena = HeaderArena()
    private var block = HeaderBlock()
    private var goAwayText = ""
    /// The heads of requests that have at most one DATA frame until now.
    private var heads = StreamTable<Head>()

    private struct Head {
        let record: Int
        var hasData = false
    }

    init(joinsRequests: Bool) { self.joinsRequests = joinsRequests }

    // ---- writing ----

    /// Before bytes are read.
    mutating func beginRead() { renewArena() }

    private mutating func renewArena() {
        if block.isOpen {
            // Its first part came with the last read.
            let before = arena
            arena = HeaderArena()
            arena.append(copyOf: before, block.first..<before.count)
            block.first = 0
        } else if !isKnownUniquelyReferenced(&arena) || !arena.removeAll() {
            // Somebody holds the fields of the last read, or they were many.
            arena = HeaderArena()
        }
    }

    mutating func beginHeaders() { block.begin(at: arena.count) }

    /// - Returns: the block as it is now, if it is so large that its sender means harm.
    mutating func header(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, _ settings: SessionSettings
    ) -> HeaderBlock? {
        if block.count(bytes: name.count + value.count, settings) {
            unsafe arena.append(name: name, value: value)
            return nil
        }
        arena.drop(from: block.first)
        return block.isHostile(settings) ? block : nil
    }

    mutating func headers(_ stream: Int32, endStream: Bool) {
        block.end()
        if block.isOversized {
            records.append(.oversizedHeaders(stream: stream, fields: block.count, bytes: block.bytes))
        } else if !joinsRequests, !endStream, isInterim {
            arena.drop(from: block.first)
        } else {
            if joinsRequests, !endStream { heads[stream] = Head(record: records.count) }
            records.append(.headers(stream: stream, first: block.first, count: block.count, endStream: endStream))
        }
    }

    /// A head of status 1xx, of which any number may come before an answer. It says nothing to a call.
    private var isInterim: Bool {
        block.count > 0
            && arena.with(block.first) { name, value in
                !name.isEmpty && name[0] == UInt8(ascii: ":") && !value.isEmpty && value[0] == UInt8(ascii: "1")
            }
    }

    /// They end a request.
    mutating func trailers(_ stream: Int32) {
        block.end()
        records.append(
            block.isOversized
                ? .oversizedHeaders(stream: stream, fields: block.count, bytes: block.bytes)
                : .trailers(stream: stream, first: block.first, count: block.count))
    }

    /// Nobody hears of the block that came last: nghttp2 has rejected it.
    mutating func dropped() {
        guard block.isOpen else { return }
        block.end()
        arena.drop(from: block.first)
    }

    /// Nobody hears of its request.
    mutating func refused(_ stream: Int32) {
        block.end()
        arena.drop(from: block.first)
        rejected(stream, .concurrentStreams)
    }

    mutating func data(_ stream: Int32, offset: Int, length: Int) {
        if let place = heads.find(stream) {
            if heads[at: place].hasData { heads.remove(stream) } else { heads[at: place].hasData = true }
        }
        records.append(.data(stream: stream, offset: offset, length: length))
    }

    mutating func ended(_ stream: Int32) {
        if !join(stream) { records.append(.ended(stream: stream)) }
    }

    private mutating func join(_ stream: Int32) -> Bool {
        guard let head = heads.remove(stream)?.record, case .data(stream, let offset, let length) = records.last,
            case .headers(stream, let first, let count, endStream: false) = records[head]
        else { return false }
        records[head] = .none
        records[records.count - 1] = .request(
            stream: stream, first: first, count: count, offset: offset, length: length)
        return true
    }

    mutating func closed(_ stream: Int32, _ code: ErrorCode) { records.append(.closed(stream: stream, code: code)) }
    mutating func sent(_ stream: Int32, bytes: Int) { records.append(.sent(stream: stream, bytes: bytes)) }

    mutating func drained() { records.append(.drained) }

    mutating func rejected(_ stream: Int32, _ limit: ConnectionLimit) {
        records.append(.rejected(stream: stream, limit))
    }

    mutating func settings(maxConcurrentStreams: UInt32) {
        records.append(.settings(maxConcurrentStreams: maxConcurrentStreams))
    }

    mutating func ping() { records.append(.ping) }
    mutating func pingAcknowledged(_ payload: UInt64) { records.append(.pingAcknowledged(payload)) }

    mutating func goAway(lastStream: Int32, code: ErrorCode, debug: String) {
        goAwayText = debug
        records.append(.goAway(lastStream: lastStream, code: code))
    }

    // ---- telling ----

    /// What was written down until now. `told` gives it back for use.
    struct Batch {
        fileprivate var records: [Record]
        fileprivate let arena: HeaderArena
        fileprivate let goAwayText: String

        var isEmpty: Bool { records.isEmpty }

        func forEach(_ body: (SessionEvent) -> Void) {
            for record in records { if let event = event(record) { body(event) } }
        }

        private func event(_ record: Record) -> SessionEvent? {
            switch record {
            case .headers(let stream, let first, let count, let endStream):
                .headers(stream: stream, fields: HeaderFields(arena, first..<first + count), endStream: endStream)
            case .request(let stream, let first, let count, let offset, let length):
                .request(
                    stream: stream, fields: HeaderFields(arena, first..<first + count), offset: offset, length: length)
            case .oversizedHeaders(let stream, let fields, let bytes):
                .oversizedHeaders(stream: stream, fields: fields, bytes: bytes)
            case .rejected(let stream, let limit): .rejected(stream: stream, limit)
            case .trailers(let stream, let first, let count):
                .trailers(stream: stream, fields: HeaderFields(arena, first..<first + count))
            case .data(let stream, let offset, let length): .data(stream: stream, offset: offset, length: length)
            case .ended(let stream): .ended(stream: stream)
            case .closed(let stream, let code): .closed(stream: stream, code: code)
            case .sent(let stream, let bytes): .sent(stream: stream, bytes: bytes)
            case .drained: .drained
            case .settings(let streams): .settings(maxConcurrentStreams: streams)
            case .ping: .ping
            case .pingAcknowledged(let payload): .pingAcknowledged(payload)
            case .goAway(let last, let code): .goAway(lastStream: last, code: code, debug: goAwayText)
            case .none: nil
            }
        }
    }

    mutating func take() -> Batch {
        let batch = Batch(records: records, arena: arena, goAwayText: goAwayText)
        heads.removeAll()
        records = spare
        spare = []
        return batch
    }

    mutating func told(_ batch: consuming Batch) {
        // Its connection may be silent from now on.
        if arena.isLarge { renewArena() }
        var records = batch.records
        guard records.capacity <= Self.keptRecords else { return }
        records.removeAll(keepingCapacity: true)
        spare = records
    }
}
