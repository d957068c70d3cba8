/// The decoded header blocks of one read, one after the other in memory that is used again for the next.
///
/// It is written only while nobody but its `EventLog` has it. Raw memory, because a field comes in the middle of
/// nghttp2's decoding, nine times per small call.
@safe final class HeaderArena {
    struct Place {
        var start: Int32
        var nameLength: Int32
        var valueLength: Int32
    }

    /// After a burst, no more than this is kept for the next read.
    private static let keptBytes = 64 << 10
    private static let fewestBytes = 1024
    private static let fewestFields = 32

    private var bytes: UnsafeMutableRawBufferPointer
    private var places: UnsafeMutableBufferPointer<Place>
    @exclusivity(unchecked) private var usedBytes = 0
    @exclusivity(unchecked) private var usedFields = 0

    init() {
        unsafe bytes = .allocate(byteCount: Self.fewestBytes, alignment: 1)
        unsafe places = .allocate(capacity: Self.fewestFields)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe places.deallocate()
    }

    var count: Int { unsafe usedFields }

    /// Too large to be kept.
    var isLarge: Bool { unsafe bytes.count > Self.keptBytes }

    func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        let (start, length) = unsafe (usedBytes, name.count + value.count)
        if unsafe start + length > bytes.count || usedFields == places.count { grow(start + length) }
        unsafe bytes.baseAddress.unsafelyUnwrapped.advanced(by: start).copy(name)
        unsafe bytes.baseAddress.unsafelyUnwrapped.advanced(by: start + name.count).copy(value)
        unsafe places.initializeElement(
            at: usedFields,
            to: Place(
                start: Int32(truncatingIfNeeded: start), nameLength: Int32(truncatingIfNeeded: name.count),
                valueLength: Int32(truncatingIfNeeded: value.count)))
        unsafe usedBytes = start + length
        unsafe usedFields += 1
    }

    func append(copyOf other: HeaderArena, _ range: Range<Int>) {
        for index in range {
            other.with(index) { name, value in
                unsafe name.withUnsafeBufferPointer { name in
                    unsafe value.withUnsafeBufferPointer { unsafe append(name: name, value: $0) }
                }
            }
        }
    }

    private func grow(_ needed: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, 2 * bytes.count), alignment: 1)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<usedBytes]))
        unsafe bytes.deallocate()
        unsafe bytes = larger
        let more = unsafe UnsafeMutableBufferPointer<Place>.allocate(capacity: 2 * places.count)
        _ = unsafe more.initialize(from: places[..<usedFields])
        unsafe places.deallocate()
        unsafe places = more
    }

    /// Forgets the fields from `first` on.
    func drop(from first: Int) {
        guard first < count else { return }
        unsafe usedBytes = Int(places[first].start)
        unsafe usedFields = first
    }

    /// - Returns: false: it is too large to be kept.
    func removeAll() -> Bool {
        unsafe usedBytes = 0
        unsafe usedFields = 0
        return !isLarge
    }

    /// Names and values of the fields in `range`.
    func byteCount(_ range: Range<Int>) -> Int {
        range.reduce(0) { sum, index in sum + with(index) { $0.count + $1.count } }
    }

    /// How many fields of `range` are the same as those of `other` from `start` on; nil: all. There must be as many.
    func firstDifference(_ range: Range<Int>, from other: HeaderArena, at start: Int) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(start >= 0 && start + range.count <= other.count)
        var alike = 0
        var length = 0
        while alike < range.count {
            let (mine, its) = unsafe (places[range.lowerBound + alike], other.places[start + alike])
            guard mine.nameLength == its.nameLength, mine.valueLength == its.valueLength else { break }
            length += Int(mine.nameLength) + Int(mine.valueLength)
            alike += 1
        }
        guard alike > 0 else { return range.isEmpty ? nil : 0 }
        // The bytes of fields lie one after the other, so that one comparison does for all.
        let mine = unsafe bytes.baseAddress.unsafelyUnwrapped.advanced(by: Int(places[range.lowerBound].start))
        let its = unsafe other.bytes.baseAddress.unsafelyUnwrapped.advanced(by: Int(other.places[start].start))
        let same = unsafe Self.sameBytes(mine, its, length)
        if same == length { return alike == range.count ? nil : alike }
        let origin = unsafe Int(places[range.lowerBound].start)
        return (0..<alike).last { unsafe Int(places[range.lowerBound + $0].start) - origin <= same }
    }

    /// How many bytes are the same, looked at eight at a time.
    private static func sameBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Int {
        var index = 0
        while index + 8 <= count {
            let x = unsafe a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let y = unsafe b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if x != y { return index + (UInt64(littleEndian: x) ^ UInt64(littleEndian: y)).trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            if unsafe a.load(fromByteOffset: index, as: UInt8.self) != b.load(fromByteOffset: index, as: UInt8.self) {
                return index
            }
            index += 1
        }
        return count
    }

    func with<Result>(_ index: Int, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Result) -> Result {
        precondition(index >= 0 && index < count)
        let place = unsafe places[index]
        let start = unsafe bytes.baseAddress.unsafelyUnwrapped.advanced(by: Int(place.start))
        let name = unsafe Span<UInt8>(
            _unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: Int(place.nameLength))
        let value = unsafe Span<UInt8>(
            _unsafeStart: start.advanced(by: Int(place.nameLength)).assumingMemoryBound(to: UInt8.self),
            count: Int(place.valueLength))
        return body(name, value)
    }
}

extension UnsafeMutableRawPointer {
    /// Calls nothing for the few bytes that most names and values have.
    fileprivate func copy(_ source: UnsafeBufferPointer<UInt8>) {
        guard let from = unsafe UnsafeRawPointer(source.baseAddress) else { return }
        let count = source.count
        guard (8...32).contains(count) else { return unsafe copyMemory(from: from, byteCount: count) }
        var index = 0
        while index + 8 <= count {
            unsafe storeBytes(
                of: from.loadUnaligned(fromByteOffset: index, as: UInt64.self), toByteOffset: index, as: UInt64.self)
            index += 8
        }
        // The last eight once more, as far as they overlap.
        unsafe storeBytes(
            of: from.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self), toByteOffset: count - 8, as: UInt64.self
        )
    }
}
