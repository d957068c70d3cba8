/// The decoded header blocks of one read, one after the other in memory that is used again for the next.
struct HeaderArena {
    struct Place {
        var start: Int32
        var nameLength: Int32
        var valueLength: Int32

        var name: Range<Int> { Int(start)..<Int(start + nameLength) }
        var value: Range<Int> { Int(start + nameLength)..<Int(start + nameLength + valueLength) }
    }

    /// After a burst, no more than this is kept for the next read.
    private static let keptBytes = 64 << 10

    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Place] = []

    mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        fields.append(
            Place(
                start: Int32(truncatingIfNeeded: bytes.count), nameLength: Int32(truncatingIfNeeded: name.count),
                valueLength: Int32(truncatingIfNeeded: value.count)))
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
    }

    /// Forgets the fields from `first` on.
    mutating func drop(from first: Int) {
        guard first < fields.count else { return }
        bytes.removeLast(bytes.count - Int(fields[first].start))
        fields.removeLast(fields.count - first)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
        fields.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
    }
}
