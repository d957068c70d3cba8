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
        var arena = HeaderArena()
        for field in fields { arena.append(name: Array(field.name.utf8), value: Array(field.value.utf8)) }
        self.init(arena, 0..<arena.fields.count)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { range.count }

    public subscript(position: Int) -> HeaderField {
        let place = arena.fields[range.lowerBound + position]
        return HeaderField(
            String(decoding: arena.bytes[place.name], as: UTF8.self),
            String(decoding: arena.bytes[place.value], as: UTF8.self))
    }

    /// Calls `body` with position, name and value of each field.
    public func visit(_ body: (_ position: Int, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let bytes = arena.bytes.span
        let fields = arena.fields.span
        for index in range {
            let place = fields[index]
            body(index - range.lowerBound, bytes.extracting(place.name), bytes.extracting(place.value))
        }
    }

    public func withValue<Result>(at position: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        body(arena.bytes.span.extracting(arena.fields[range.lowerBound + position].value))
    }
}
