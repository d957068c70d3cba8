import Foundation
import NIOCore

/// Who decides how fast TCP sends: the kernel's default, or another of its algorithms.
enum CongestionControl {
    /// Names are shorter (`TCP_CA_NAME_MAX`).
    private static let maxNameBytes = 16

    /// - Parameter name: nil: the kernel's default stays. On a listening socket it counts for what it accepts.
    /// - Returns: fails if the kernel has none of this name, or does not let us use it.
    static func set(_ name: String?, on channel: any Channel) -> EventLoopFuture<Void> {
        guard let name, let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count < maxNameBytes else {
            return channel.eventLoop.makeFailedFuture(RPCError(.invalidArgument, trouble(name)))
        }
        var value = SIMD16<UInt8>()
        for (index, byte) in bytes.enumerated() { value[index] = byte }
        return provider.unsafeSetSocketOption(
            level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_CONGESTION), value: value
        ).flatMapErrorThrowing { _ in throw RPCError(.invalidArgument, trouble(name)) }
    }

    private static func trouble(_ name: String) -> String { "the kernel offers no congestion control '\(name)'" }
}
