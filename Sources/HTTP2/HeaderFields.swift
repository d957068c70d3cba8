/// The header fields of one block, in order, as bytes. Strings are made only where somebody asks for them.
///
/// A value: it stays as it is for as long as somebody holds it, but whoever holds it beyond the event that brought it
/// keeps the memory of all blocks that came with it.
public struct HeaderFields: RandomAccessCollection {
    private var arena: HeaderArena
    private var range: Range<Int>

    init(_ arena: HeaderArena, _ range: Range<Int>) {
        self.arena = arena
        self.range = range
    }

    public init(_ fields: some Sequence<HeaderField>) {
        let arena = HeaderArena()
        for field in fields {
            let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
            unsafe name.withUnsafeBufferPointer { name in
                unsafe value.withUnsafeBufferPointer { unsafe arena.append(name: name, value: $0) }
            }
        }
        self.init(arena, 0..<arena.count)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { range.count }

    public subscript(position: Int) -> HeaderField {
        precondition(position < range.count)
        return arena.with(range.lowerBound + position) { name, value in HeaderField(Self.text(name), Self.text(value)) }
    }

    private static func text(_ span: Span<UInt8>) -> String {
        unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Calls `body` with position, name and value of each field.
    public func visit(_ body: (_ position: Int, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        for index in range { arena.with(index) { body(index - range.lowerBound, $0, $1) } }
    }

    /// The name and the value at `position`.
    public func withField<Result>(
        at position: Int, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Result
    ) -> Result {
        precondition(position < range.count)
        return arena.with(range.lowerBound + position, body)
    }

    /// Becomes the same as `other` in memory of its own, to be held for long; memory that it has is used again.
    public mutating func assign(copyOf other: HeaderFields) {
        if !isKnownUniquelyReferenced(&arena) || !arena.removeAll() { arena = HeaderArena() }
        arena.append(copyOf: other.arena, other.range)
        range = 0..<other.count
    }

    /// In memory of its own.
    public func copied() -> HeaderFields {
        var copy = HeaderFields(HeaderArena(), 0..<0)
        copy.assign(copyOf: self)
        return copy
    }

    /// Names and values.
    public var byteCount: Int { arena.byteCount(range) }

    /// The first position from `start` on at which `other` has another field; nil: there is none.
    /// - Precondition: it has as many.
    public func firstDifference(from other: HeaderFields, startingAt start: Int = 0) -> Int? {
        precondition(count == other.count && start <= count)
        return arena.firstDifference(
            range.dropFirst(start), from: other.arena, at: other.range.lowerBound + start
        ).map { $0 + start }
    }
}

extension HeaderFields: Equatable {
    /// The same fields in the same order.
    public static func == (left: HeaderFields, right: HeaderFields) -> Bool {
        left.count == right.count && left.firstDifference(from: right) == nil
    }
}
