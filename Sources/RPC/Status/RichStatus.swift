public import NIOCore

/// `google.rpc.Status`, the convention for what travels in `grpc-status-details-bin`: the status once more, and messages
/// of any type that say more about it.
///
///     let info = RichStatus.Detail(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: serialized)
///     throw RPCError(RichStatus(.notFound, "no model 'cat'", details: [info]))
public struct RichStatus: Sendable, Equatable {
    /// A `google.protobuf.Any`.
    public struct Detail: Sendable, Equatable {
        /// After its last slash, the full name of the message's type.
        public var typeURL: String
        /// The message, serialized.
        public var value: ByteBuffer

        public init(typeURL: String, value: ByteBuffer) {
            self.typeURL = typeURL
            self.value = value
        }
    }

    public var code: StatusCode
    public var message: String
    public var details: [Detail]

    public init(_ code: StatusCode, _ message: String, details: [Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    var serialized: ByteBuffer {
        .protobuf { status in
            if code != .ok { status.writeField(1, varint: UInt64(bitPattern: Int64(code.rawValue))) }
            if !message.isEmpty { status.writeField(2, message) }
            for detail in details {
                status.writeField(3) { any in
                    if !detail.typeURL.isEmpty { any.writeField(1, detail.typeURL) }
                    if detail.value.readableBytes > 0 { any.writeField(2, detail.value) }
                }
            }
        }
    }

    /// - Throws: if the bytes are no such message.
    init(serialized: ByteBuffer) throws(ProtobufReader.Malformed) {
        self.init(.ok, "")
        var reader = ProtobufReader(serialized)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .varint(let value)): code = StatusCode(rawValue: Int(Int32(truncatingIfNeeded: value)))
            case (2, let value): message = try Self.text(value)
            case (3, .bytes(let any)): details.append(try Self.detail(any))
            default: break
            }
        }
    }

    private static func detail(_ any: ByteBuffer) throws(ProtobufReader.Malformed) -> Detail {
        var detail = Detail(typeURL: "", value: ByteBuffer())
        var reader = ProtobufReader(any)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, let value): detail.typeURL = try text(value)
            case (2, .bytes(let value)): detail.value = value
            default: break
            }
        }
        return detail
    }

    private static func text(_ value: ProtobufReader.Value) throws(ProtobufReader.Malformed) -> String {
        guard let text = value.text else { throw ProtobufReader.Malformed(what: "a text is not UTF-8") }
        return text
    }
}

extension RichStatus {
    /// After how long the server wants to be asked again (`google.rpc.RetryInfo`); nil: it does not say, or says
    /// what is no time to wait.
    public var retryDelay: Duration? {
        guard let info = details.first(where: { $0.typeURL.hasSuffix("/google.rpc.RetryInfo") }) else { return nil }
        return (try? Self.delay(info.value)) ?? nil
    }

    /// What google.protobuf.Duration may hold: 10,000 years.
    private static let longestDelay: Int64 = 315_576_000_000
    private static let nanosecondsOfSecond: Int64 = 1_000_000_000

    /// The last of repeated fields counts, as in protobuf. nil: beyond what such a duration may be.
    private static func delay(_ info: ByteBuffer) throws(ProtobufReader.Malformed) -> Duration? {
        var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
        var reader = ProtobufReader(info)
        while let field = try reader.next() {
            guard field.number == 1, case .bytes(let duration) = field.value else { continue }
            var parts = ProtobufReader(duration)
            while let part = try parts.next() {
                guard case .varint(let value) = part.value else { continue }
                switch part.number {
                case 1: seconds = Int64(bitPattern: value)
                case 2: nanoseconds = Int64(bitPattern: value)
                default: break
                }
            }
        }
        guard (0...longestDelay).contains(seconds), (0..<nanosecondsOfSecond).contains(nanoseconds) else { return nil }
        return .seconds(seconds) + .nanoseconds(nanoseconds)
    }
}

extension RPCError {
    /// An error whose `details` are this status.
    public init(_ status: RichStatus, cause: (any Error)? = nil) {
        self.init(status.code, status.message, cause: cause)
        details = Array(status.serialized.readableBytesView)
    }

    /// `details` as the convention has it. nil: there are none, they are not of this form, or their code is not that of
    /// the error.
    public var richStatus: RichStatus? {
        guard let details, let status = try? RichStatus(serialized: ByteBuffer(bytes: details)), status.code == code
        else { return nil }
        return status
    }
}
