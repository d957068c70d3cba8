import HTTPTypes
import Hummingbird

/// Routes see paths in which nothing is escaped that need not be (RFC 3986, section 6.2.2.2): `images%3Aanalyze` is
/// `images:analyze`, which many clients write so. A slash or a percent sign that is escaped stays so.
struct PlainPath<Next: HTTPResponder>: HTTPResponder where Next.Context == GatewayContext {
    let next: Next

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        guard let target = request.head.path, let plain = PlainTarget.plain(target) else {
            return try await next.respond(to: request, context: context)
        }
        var head = request.head
        head.path = plain
        return try await next.respond(to: Request(head: head, body: request.body), context: context)
    }
}

/// The target of a request (RFC 9112, section 3.2).
enum PlainTarget {
    /// - Parameter target: with its query, which stays as it is.
    /// - Returns: nil: it is so already.
    static func plain(_ target: String) -> String? {
        let bytes = Array(target.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        guard bytes[..<end].contains(UInt8(ascii: "%")) else { return nil }
        var plain: [UInt8] = []
        var place = 0
        while place < end {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < end, let high = digit(bytes[place + 1]),
                let low = digit(bytes[place + 2]), isPlain(high << 4 | low)
            {
                plain.append(high << 4 | low)
                place += 3
            } else {
                plain.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: plain + bytes[end...], as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// `pchar` of RFC 3986.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._~!$&'()*+,;=:@".utf8.contains(byte)
        }
    }
}
