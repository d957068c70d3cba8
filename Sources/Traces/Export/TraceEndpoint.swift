package import RPC

/// Where traces go.
package struct TraceEndpoint: Sendable, CustomStringConvertible {
    package let address: ServerAddress
    /// nil: in plain text.
    package let tls: ClientTLS?

    /// Of OTLP over gRPC.
    static let port = 4317

    /// - Parameter text: `http://HOST:PORT` (plain text), `https://HOST:PORT`, `HOST:PORT` or `unix:PATH`; the port may be
    ///   left out of the first two. Of an URL's path nothing is used, as gRPC has its own.
    /// - Throws: `RPCError` INVALID_ARGUMENT.
    package init(parsing text: String) throws(RPCError) {
        let (place, isSecure) = Self.place(text)
        do {
            address = try ServerAddress(parsing: place)
        } catch {
            throw RPCError(
                .invalidArgument, "'\(text)' is not http://HOST:PORT, https://HOST:PORT, HOST:PORT or unix:PATH")
        }
        tls = isSecure ? ClientTLS() : nil
    }

    private static func place(_ text: String) -> (String, isSecure: Bool) {
        for (scheme, isSecure) in [("http://", false), ("https://", true)] where text.hasPrefix(scheme) {
            let place = text.dropFirst(scheme.count).prefix { $0 != "/" }
            // The colons of an IPv6 address are in brackets.
            let hasPort = place.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
            return (hasPort ? String(place) : "\(place):\(port)", isSecure)
        }
        return (text, false)
    }

    package var description: String { "\(address)" }
}
