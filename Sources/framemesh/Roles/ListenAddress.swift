import Mesh
import NIOCore
import SystemPackage

/// Where a role listens: HOST:PORT, port 0 for any free one.
struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    var host: String
    var port: Int

    init(parsing text: String) throws(Fatal) {
        do {
            let parsed = try Target.HostPort(parsing: text)
            host = parsed.host
            port = parsed.port
        } catch {
            throw Fatal("'\(text)' is not HOST:PORT to listen at", status: .usage)
        }
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Why nothing listens there now.
    func failure(_ error: any Error) -> Fatal {
        switch error {
        case let error as IOError:
            return Fatal("cannot listen on \(self): \(Errno(rawValue: error.errnoCode))", status: .unreachable)
        case is SocketAddressError, is SocketAddressError.UnknownHost:
            return Fatal("cannot listen on \(self): there is no such host", status: .unreachable)
        default:
            return Fatal(error)
        }
    }
}

extension SocketAddress {
    /// For example `127.0.0.1:8500` or `[::1]:8500`.
    var hostPort: String {
        let host = ipAddress ?? "?"
        return host.contains(":") ? "[\(host)]:\(port ?? 0)" : "\(host):\(port ?? 0)"
    }
}
