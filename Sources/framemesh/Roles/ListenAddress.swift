import NIOCore
import RPC

/// Where a role listens: HOST:PORT, port 0 for any free one, or unix:PATH.
struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    let address: ServerAddress

    init(parsing text: String) throws(Fatal) {
        do {
            address = try ServerAddress(parsing: text)
        } catch {
            throw Fatal("'\(text)' is not HOST:PORT or unix:PATH to listen at", status: .usage)
        }
    }

    var description: String { "\(address)" }

    /// Why nothing listens there now.
    func failure(_ error: any Error) -> Fatal {
        guard let error = error as? RPCError else { return Fatal(error) }
        switch error.cause {
        case is SocketAddressError where error.message.contains(description),
            is SocketAddressError.UnknownHost where error.message.contains(description):
            return Fatal("cannot listen on \(self): there is no such host", status: .unreachable)
        default:
            // Rules for methods that it does not have.
            return error.code == .invalidArgument ? Fatal(error.message, status: .usage) : Fatal(error)
        }
    }
}
