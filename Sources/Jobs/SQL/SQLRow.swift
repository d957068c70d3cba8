package import NIOCore

/// One row of an answer, read from left to right.
package struct SQLRow: Sendable, Hashable {
    private var values: ArraySlice<SQLValue>

    package init(_ values: [SQLValue]) { self.values = values[...] }

    /// - Throws: `JobError`, as the next three, if the column is something else: the schema is not ours.
    package mutating func integer() throws(JobError) -> Int64 {
        guard let value = try optionalInteger() else { throw Self.unexpected(.null) }
        return value
    }

    package mutating func optionalInteger() throws(JobError) -> Int64? {
        switch try next() {
        case .null: return nil
        case .integer(let value): return value
        case let other: throw Self.unexpected(other)
        }
    }

    package mutating func real() throws(JobError) -> Double {
        switch try next() {
        case .real(let value): return value
        // SQLite may keep a whole number as one.
        case .integer(let value): return Double(value)
        case let other: throw Self.unexpected(other)
        }
    }

    package mutating func text() throws(JobError) -> String {
        let value = try next()
        guard case .text(let text) = value else { throw Self.unexpected(value) }
        return text
    }

    package mutating func bytes() throws(JobError) -> ByteBuffer {
        let value = try next()
        guard case .bytes(let bytes) = value else { throw Self.unexpected(value) }
        return bytes
    }

    /// - Throws: `JobError`, also if the text is no id.
    mutating func jobID() throws(JobError) -> JobID {
        let text = try self.text()
        guard let id = JobID(text) else { throw JobError(.failed, "'\(text)' is not a job's id") }
        return id
    }

    private mutating func next() throws(JobError) -> SQLValue {
        guard let value = values.popFirst() else { throw JobError(.failed, "a row has too few columns") }
        return value
    }

    private static func unexpected(_ value: SQLValue) -> JobError {
        JobError(.failed, "a column has an unexpected value: \(value)")
    }
}
