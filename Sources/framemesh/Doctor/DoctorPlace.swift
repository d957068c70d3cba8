import Foundation
import NIOCore
import RPC

/// Whom the doctor looks at.
enum DoctorPlace: Sendable, Equatable {
    case grpc(ServerAddress)
    case http(URL, host: String, port: Int)

    /// - Throws: `Fatal` if it is no address.
    init(_ text: String) throws(Fatal) {
        let wrong = Fatal(
            "'\(text)' is not HOST:PORT, unix:PATH, http://HOST:PORT or https://HOST:PORT", status: .usage)
        guard text.contains("://"), !text.hasPrefix("unix:") else {
            guard let address = try? ServerAddress(parsing: text) else { throw wrong }
            self = .grpc(address)
            return
        }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), let host = url.host, !host.isEmpty
        else { throw wrong }
        self = .http(url, host: host, port: url.port ?? (url.scheme == "https" ? 443 : 80))
    }

    /// nil: a socket of this host.
    var hostPort: (host: String, port: Int)? {
        switch self {
        case .grpc(.host(let host, let port)), .http(_, let host, let port): return (host, port)
        case .grpc(.socket(let address)):
            guard let host = address.ipAddress, let port = address.port else { return nil }
            return (host, port)
        }
    }
}
