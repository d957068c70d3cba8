/// The header fields of one block, in order, as bytes. Strings are made only where somebody asks for them.
///
/// A value: it stays as it is for as long as somebody holds it, but whoever holds it beyond the event that brought it
/// keeps the memory of all blocks that came with it.
public struct HeaderFields: RandomAccessCollection {
    private let arena: HeaderArena
    private let range: Range<Int>

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

    public func withValue<Result>(at position: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        precondition(position < range.count)
        return arena.with(range.lowerBound + position) { _, value in body(value) }
    }

    /// In memory of its own, to be held for long.
    public func copied() -> HeaderFields { HeaderFields(Array(self)) }
}

extension HeaderFields: Equatable {
    /// The same fields in the same order.
    public static func == (left: HeaderFields, right: HeaderFields) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count {
            let isSame = left.arena.with(left.range.lowerBound + index) { name, value in
                right.arena.with(right.range.lowerBound + index) {
                    name.hasSameBytes(as: $0) && value.hasSameBytes(as: $1)
                }
            }
            if !isSame { return false }
        }
        return true
    }
}

extension Span<UInt8> {
    /// Eight at a time.
    fileprivate func hasSameBytes(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return unsafe withUnsafeBytes { a in
            unsafe other.withUnsafeBytes { b in
                var index = 0
                while index + 8 <= a.count {
                    let x = unsafe a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let y = unsafe b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    if x != y { return false }
                    index += 8
                }
                while index < a.count {
                    if unsafe a[index] != b[index] { return false }
                    index += 1
                }
                return true
            }
        }
    }
}
