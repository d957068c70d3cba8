import Crypto
import NIOCore
import NIOSSL

extension PeerCertificate {
    convenience init(_ certificate: NIOSSLCertificate) throws {
        var (dnsNames, uris, emails, ipAddresses): ([String], [String], [String], [String]) = ([], [], [], [])
        for name in certificate._subjectAlternativeNames() {
            let bytes = Array(name.contents)
            switch name.nameType {
            case .dnsName: if let text = Self.printable(bytes) { dnsNames.append(text) }
            case .uri: if let text = Self.printable(bytes) { uris.append(text) }
            case .email: if let text = Self.printable(bytes) { emails.append(text) }
            case .ipAddress:
                if let text = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress {
                    ipAddresses.append(text)
                }
            default: break
            }
        }
        // Of several common names the last is the most significant.
        let commonName = certificate.subjectName.last { $0.type == .commonName }?.value ?? ""
        self.init(
            commonName: commonName.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? "" : commonName,
            dnsNames: dnsNames, uris: uris, emails: emails, ipAddresses: ipAddresses,
            fingerprint: Self.fingerprint(of: try certificate.toDERBytes()))
    }

    /// SHA-256 of a certificate's DER form: 64 hexadecimal digits, in lower case.
    static func fingerprint(of bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// RFC 9525, section 6.3: one of the DNS names, of which the first label may be `*`. The common name is no name.
    func isFor(host: String) -> Bool {
        let host = host.lowercased()
        return dnsNames.contains { name in
            guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return name == host }
            return host[dot...] == name.dropFirst()
        }
    }

    /// Names are ASCII (IA5String); one with control characters is there to deceive, and is left out.
    private static func printable(_ bytes: [UInt8]) -> String? {
        bytes.allSatisfy { (0x20...0x7e).contains($0) } ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
