import HTTPTypes

/// The token of an `Authorization` header (RFC 6750, section 2.1), as long as a header may be.
enum BearerToken: Equatable {
    case none, malformed
    case token(Substring)

    init(_ headers: HTTPFields) {
        let values = headers[values: .authorization]
        guard let value = values.first else {
            self = .none
            return
        }
        let scheme = "bearer ".utf8
        // A set bit makes letters small, and leaves the space.
        let isBearer = value.utf8.prefix(scheme.count).lazy.map { $0 | 0x20 }.elementsEqual(scheme)
        let token = value.utf8.dropFirst(scheme.count)
        guard values.count == 1, isBearer, !token.isEmpty, !token.contains(UInt8(ascii: " ")) else {
            self = .malformed
            return
        }
        self = .token(Substring(token))
    }
}
