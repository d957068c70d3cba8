import Client
import Gateway
import Mesh
import Outbound
import RPC
import Video
import Vision

/// What scripts can tell a run's end by.
struct ExitStatus: RawRepresentable, Sendable, Hashable {
    let rawValue: Int32
    static let ok = ExitStatus(rawValue: 0)
    /// Some frame or file was not answered `ok`.
    static let failed = ExitStatus(rawValue: 1)
    /// Wrong options, configuration, names of models or pipelines.
    static let usage = ExitStatus(rawValue: 2)
    /// No coordinator or node could be reached, or a port is taken.
    static let unreachable = ExitStatus(rawValue: 3)
    /// 128 and the number of the signal, as shells have it.
    static let interrupted = ExitStatus(rawValue: 130)

    static func interrupted(by signal: Int32) -> ExitStatus { ExitStatus(rawValue: 128 + signal) }
}

/// The end of a command: a line for people, one code for scripts.
struct Fatal: Error, Sendable, CustomStringConvertible {
    /// nil: it was said already.
    var message: String?
    /// What else is wrong, a line each.
    var more: [String] = []
    var status: ExitStatus

    init(_ message: String?, status: ExitStatus = .failed) {
        self.message = message
        self.status = status
    }

    var description: String { message ?? "ended with code \(status.rawValue)" }
}

extension Fatal {
    /// What an error of one of our modules means for the command.
    init(_ error: any Error) {
        switch error {
        case let error as Fatal: self = error
        case is CancellationError: self.init("interrupted", status: .interrupted)
        case let error as VisionError:
            self.init(error.message, status: [.badModel, .notFound].contains(error.kind) ? .usage : .failed)
        case let error as ClientError:
            let status: ExitStatus =
                switch error.kind {
                case .unreachable: .unreachable
                case .usage: .usage
                case .refused, .outOfOrder: .failed
                }
            self.init(error.message + error.tlsMismatch.suffix, status: status)
        case let error as GatewayError: self.init(error.message, status: error.isOfListening ? .unreachable : .failed)
        case let error as MeshError: self.init(error.message, status: .usage)
        // Of rules that somebody wrote; nobody is called by them here.
        case let error as OutboundError: self.init(error.message, status: .usage)
        case let error as VideoError: self.init(error.message)
        case let error as RPCError:
            let unreachable = error.neverStarted || error.lostConnection || error.code == .unavailable
            self.init(error.message + error.tlsMismatch.suffix, status: unreachable ? .unreachable : .failed)
        default: self.init(SystemError.text(error))
        }
    }
}
