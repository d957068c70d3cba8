import Crypto
import NIOCore

/// Proves to a receiver who tells it, and when: HMAC-SHA256 with a secret that both know, over the second, a full stop
/// and the body. A receiver refuses what is old, so that nobody can send the same again.
enum WebhookSignature {
    /// `t=1767225600,v1=HEX`
    static func header(secret: String, second: Int64, body: ByteBuffer) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: Array(secret.utf8)))
        code.update(data: Array("\(second).".utf8))
        code.update(data: Array(body.readableBytesView))
        let digits = code.finalize().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "t=\(second),v1=\(digits.joined())"
    }
}
