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
}
