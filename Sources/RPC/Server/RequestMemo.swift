import HTTP2

/// What the last request heads of a connection said: most peers send the same fields with call after call, but for the
/// time that is left, and then nothing is decoded.
struct RequestMemo {
    /// Of a connection on which so many methods are called in turn.
    private static let keptHeads = 4
    /// More is decoded each time, so that an idle connection holds little.
    private static let keptBytes = 1024

    private struct Entry {
        var fields: HeaderFields
        var head: RequestHead
    }

    private var entries: [Entry] = []
    private var oldest = 0

    mutating func judge(_ fields: HeaderFields, _ methods: MethodTable, maxMetadata: Int) -> RequestHead.Verdict {
        if let head = known(fields) { return .call(head) }
        let verdict = RequestHead.judge(fields, methods, maxMetadata: maxMetadata)
        if case .call(let head) = verdict, head.method != nil { keep(fields, head) }
        return verdict
    }

    private func known(_ fields: HeaderFields) -> RequestHead? {
        // By index: an entry is not copied to be looked at.
        for index in entries.indices where entries[index].fields.count == fields.count {
            guard let place = fields.firstDifference(from: entries[index].fields) else { return entries[index].head }
            if place == entries[index].head.timeoutPosition,
                fields.firstDifference(from: entries[index].fields, startingAt: place + 1) == nil,
                let head = entries[index].head.withTimeout(of: fields)
            {
                return head
            }
        }
        return nil
    }

    private mutating func keep(_ fields: HeaderFields, _ head: RequestHead) {
        guard fields.byteCount <= Self.keptBytes else { return }
        guard entries.count == Self.keptHeads else {
            return entries.append(Entry(fields: fields.copied(), head: head))
        }
        entries[oldest].fields.assign(copyOf: fields)
        entries[oldest].head = head
        oldest = (oldest + 1) % Self.keptHeads
    }
}
