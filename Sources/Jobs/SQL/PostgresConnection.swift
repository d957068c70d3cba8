internal import CPostgres
import NIOCore

/// One connection to PostgreSQL. Its calls block; one thread at a time.
///
/// The only file that speaks libpq.
@safe final class PostgresConnection: SQLSession {
    private let connection: OpaquePointer
    /// Names the server in errors.
    private let server: String
    /// Passwords of the connection string, which no error names.
    private let secrets: [String]

    /// - Parameters:
    ///   - url: `postgres://…`, or any connection string of libpq.
    ///   - settings: of the session, as SQL.
    /// - Throws: `JobError`.
    init(_ url: String, connectTimeoutSeconds: Int, unansweredMilliseconds: Int, settings: [String]) throws(JobError) {
        if let trouble = unsafe postgres_load() {
            throw JobError(.failed, "PostgreSQL cannot be spoken here: \(unsafe Self.text(trouble))")
        }
        secrets = try Self.secrets(of: url)
        // Keywords and values in turn. What the URL says of these counts, since it comes last.
        let options = [
            "client_encoding", "UTF8", "connect_timeout", String(connectTimeoutSeconds), "tcp_user_timeout",
            String(unansweredMilliseconds), "fallback_application_name", "framemesh", "dbname", url,
        ]
        let opened = unsafe Self.withCStrings(options) { strings in
            var keywords: [UnsafePointer<CChar>?] = unsafe stride(from: 0, to: strings.count, by: 2).map {
                unsafe strings[$0]
            }
            var values: [UnsafePointer<CChar>?] = unsafe stride(from: 1, to: strings.count, by: 2).map {
                unsafe strings[$0]
            }
            unsafe keywords.append(nil)
            unsafe values.append(nil)
            return unsafe PQconnectdbParams(&keywords, &values, 1)
        }
        guard let opened = unsafe opened else { throw JobError(.unavailable, "PostgreSQL: no memory") }
        unsafe connection = opened
        server = unsafe Self.text(PQhost(opened))
        // Notices go to standard error otherwise.
        unsafe PQsetNoticeProcessor(opened, { _, _ in }, nil)
        guard isAlive else { throw JobError(.unavailable, message) }
        for setting in settings { _ = try run(setting, []) }
    }

    /// - Throws: `JobError` for what is no connection string. libpq's own words would quote it, and a password with it.
    private static func secrets(of url: String) throws(JobError) -> [String] {
        var words: UnsafeMutablePointer<CChar>?
        let parsed = unsafe PQconninfoParse(url, &words)
        defer { unsafe PQfreemem(words) }
        guard let options = unsafe parsed else {
            throw JobError(.failed, "PostgreSQL: the connection string is not right; compare it with libpq's rules")
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [String] = []
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            let value = unsafe text(option.pointee.val)
            switch unsafe text(keyword) {
            case "password", "sslpassword": if !value.isEmpty { found.append(value) }
            // What of a password with `@` or `/` is taken for these would be named in errors.
            case "host" where value.dropFirst().contains("@"),
                "port" where value.contains { !"0123456789,".contains($0) }:
                throw JobError(
                    .failed, "PostgreSQL: the connection string is not right; '@' and '/' in a password are %40 and %2F"
                )
            default: break
            }
            unsafe option += 1
        }
        return found
    }

    deinit { unsafe PQfinish(connection) }

    /// Whether more can be asked. A server that went away is found out by asking.
    var isAlive: Bool { unsafe PQstatus(connection) == CONNECTION_OK }

    func run(_ sql: String, _ values: [SQLValue]) throws(JobError) -> [SQLRow] {
        let parameters = PostgresParameters(values)
        let answer = unsafe parameters.bytes.withUnsafeBytes { bytes in
            let pointers: [UnsafePointer<CChar>?] = unsafe parameters.places.map { place in
                guard let place else { return nil }
                // An empty value is not NULL.
                return unsafe (bytes.baseAddress! + place.lowerBound).assumingMemoryBound(to: CChar.self)
            }
            return unsafe PQexecParams(
                connection, sql, CInt(values.count), parameters.types, pointers,
                parameters.places.map { CInt($0?.count ?? 0) }, values.map { _ in Self.binary }, Self.binary)
        }
        guard let answer = unsafe answer else { throw JobError(.unavailable, message) }
        defer { unsafe PQclear(answer) }
        let status = unsafe PQresultStatus(answer)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else { throw unsafe failure(answer) }
        return try unsafe rows(answer)
    }

    private static let binary: CInt = 1

    private func rows(_ answer: OpaquePointer) throws(JobError) -> [SQLRow] {
        var rows: [SQLRow] = []
        let count = unsafe PQntuples(answer)
        let columns = unsafe PQnfields(answer)
        for row in 0..<count {
            var values: [SQLValue] = []
            for column in 0..<columns {
                guard unsafe PQgetisnull(answer, row, column) == 0 else {
                    values.append(.null)
                    continue
                }
                let bytes = unsafe UnsafeRawBufferPointer(
                    start: PQgetvalue(answer, row, column), count: Int(PQgetlength(answer, row, column)))
                let type = unsafe PQftype(answer, column)
                let copy = unsafe ByteBuffer(bytes: bytes)
                guard let value = PostgresType(rawValue: type)?.value(copy) else {
                    throw JobError(.failed, "PostgreSQL: column \(column) has type \(type), which is not read here")
                }
                values.append(value)
            }
            rows.append(SQLRow(values))
        }
        return rows
    }

    /// SQLSTATE of PG_DIAG_SQLSTATE: classes 08 (connection), 53 (resources), 57 (stopped), 40 (serialization, deadlock)
    /// and 55 (lock) pass; 53100 is a full disk.
    private func failure(_ answer: OpaquePointer) -> JobError {
        let state = unsafe Self.text(PQresultErrorField(answer, Self.sqlState))
        let passes = !isAlive || ["08", "53", "57", "40", "55"].contains(String(state.prefix(2)))
        let text = unsafe Self.text(PQresultErrorMessage(answer))
        let code: JobError.Code = state == "53100" ? .full : passes ? .unavailable : .failed
        return JobError(code, "PostgreSQL: \(shown(text))")
    }

    /// PG_DIAG_SQLSTATE, 'C' in postgres_ext.h.
    private static let sqlState = CInt(UInt8(ascii: "C"))

    private var message: String {
        "PostgreSQL at \(server): \(unsafe shown(Self.text(PQerrorMessage(connection))))"
    }

    /// On one line, without passwords.
    private func shown(_ text: String) -> String {
        secrets.reduce(text.split(whereSeparator: \.isNewline).joined(separator: "; ")) {
            $0.replacing($1, with: "…")
        }
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: ([UnsafePointer<CChar>]) -> Value
    ) -> Value {
        unsafe withCStrings(strings[...], [], body)
    }

    private static func withCStrings<Value>(
        _ strings: ArraySlice<String>, _ pointers: [UnsafePointer<CChar>], _ body: ([UnsafePointer<CChar>]) -> Value
    ) -> Value {
        guard let first = strings.first else { return unsafe body(pointers) }
        return unsafe first.withCString { unsafe withCStrings(strings.dropFirst(), pointers + [$0], body) }
    }
}

/// Values in PostgreSQL's binary form, one after the other.
private struct PostgresParameters {
    /// With one byte at the end, so that even an empty value has an address.
    var bytes: [UInt8] = []
    /// In `bytes`; nil: NULL.
    var places: [Range<Int>?] = []
    /// Object ids of the types; 0: the server infers it.
    var types: [UInt32] = []

    init(_ values: [SQLValue]) {
        for value in values {
            let start = bytes.count
            switch value {
            case .null:
                places.append(nil)
                types.append(0)
                continue
            case .integer(let value): add(.int8, UInt64(bitPattern: value))
            case .real(let value): add(.float8, value.bitPattern)
            case .text(let value): add(.text, value.utf8)
            case .bytes(let value): add(.bytea, value.readableBytesView)
            }
            places.append(start..<bytes.count)
        }
        bytes.append(0)
    }

    private mutating func add(_ type: PostgresType, _ number: UInt64) {
        add(type, (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) })
    }

    private mutating func add(_ type: PostgresType, _ value: some Sequence<UInt8>) {
        types.append(type.rawValue)
        bytes.append(contentsOf: value)
    }
}

/// Object ids of the types that are spoken (PostgreSQL's pg_type.dat; they never change).
private enum PostgresType: UInt32 {
    case bytea = 17
    case int8 = 20
    case int4 = 23
    case text = 25
    case float8 = 701

    func value(_ bytes: ByteBuffer) -> SQLValue? {
        switch self {
        case .bytea: .bytes(bytes)
        case .text: .text(String(buffer: bytes))
        case .int8: bytes.getInteger(at: bytes.readerIndex, as: Int64.self).map { .integer($0) }
        case .int4: bytes.getInteger(at: bytes.readerIndex, as: Int32.self).map { .integer(Int64($0)) }
        case .float8:
            bytes.getInteger(at: bytes.readerIndex, as: UInt64.self).map { .real(Double(bitPattern: $0)) }
        }
    }
}
