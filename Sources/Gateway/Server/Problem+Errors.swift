import Client
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import RPC
import Vision

extension Problem {
    /// After this long a mesh that was full or gone may have room.
    private static let pause: Duration = .seconds(1)

    /// What any error of a request means for the peer.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as RPCError: self.init(error)
        case let error as ClientError where error.kind == .usage: self.init(.badRequest, error.message, cause: error)
        case let error as ClientError:
            self = Problem(.serviceUnavailable, "no coordinator answers", cause: error).retry(after: Self.pause)
        case let error as JobError where error.code == .unavailable:
            self = Problem(.serviceUnavailable, "the database of jobs does not answer", cause: error)
                .retry(after: Self.pause)
        case let error as VisionError where error.kind == .badPicture:
            self.init(.unprocessableContent, error.message, cause: error)
        case let error as HTTPError:
            self.init(error.status, error.body ?? error.status.reasonPhrase)
            headers = error.headers
        case let error as any HTTPResponseError: self.init(error.status, error.status.reasonPhrase, cause: error)
        case is CancellationError:
            self = Problem(.serviceUnavailable, "the gateway is ending").retry(after: Self.pause)
        default: self.init(.internalServerError, "the gateway failed at this request", cause: error)
        }
    }

    /// Of a call to the mesh.
    init(_ error: RPCError) {
        self.init(code: error.code, message: error.message, cause: error)
    }

    /// - Parameter message: of a coordinator; shown to the peer only where it is about the peer's own request.
    init(code: StatusCode, message: String, cause: (any Error)? = nil) {
        switch code {
        case .invalidArgument: self.init(.badRequest, message, cause: cause)
        case .notFound: self.init(.notFound, message, cause: cause)
        case .deadlineExceeded:
            self.init(.gatewayTimeout, "the mesh did not answer before the deadline", cause: cause)
        case .resourceExhausted:
            self = Problem(.tooManyRequests, "the mesh has more to do than it takes", cause: cause)
                .retry(after: Self.pause)
        case .unavailable:
            self = Problem(.serviceUnavailable, "no node or coordinator is there for this", cause: cause)
                .retry(after: Self.pause)
        case .cancelled:
            self = Problem(.serviceUnavailable, "the call was cancelled", cause: cause).retry(after: Self.pause)
        case .unauthenticated, .permissionDenied:
            self.init(.badGateway, "the coordinator refuses the calls of this gateway", cause: cause)
        default: self.init(.badGateway, "the mesh failed at this", cause: cause)
        }
    }
}
