import Client
import HTTPTypes
import Hummingbird
import Jobs
import Messages
import NIOCore
import Outbound
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
        case let error as ClientError: self.init(error)
        case let error as JobError where error.code == .unavailable:
            self = Problem(.serviceUnavailable, "the database of jobs does not answer", cause: error)
                .retry(after: Self.pause)
        case let error as JobError where error.code == .full:
            self.init(.insufficientStorage, "the database of jobs has no room for more", cause: error)
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

    private init(_ error: ClientError) {
        switch error.kind {
        case .unreachable:
            self = Problem(.serviceUnavailable, "no coordinator answers", cause: error).retry(after: Self.pause)
        case .usage: self.init(.badRequest, MeshReason.words(.notFound, error.message), cause: error)
        case .refused, .outOfOrder: self.init(.badGateway, MeshReason.words(.unknown, error.message), cause: error)
        }
    }

    /// Of what is not called.
    /// - Parameters:
    ///   - field: that the URL stands in.
    ///   - flag: of the gateway, by which it would be allowed.
    init(outbound error: OutboundError, field: String, allowedBy flag: String) {
        let status: HTTPResponse.Status =
            switch error.kind {
            case .malformed: .badRequest
            case .forbidden: .forbidden
            case .unresolved: .badGateway
            }
        let hint = error.kind == .forbidden ? " (\(flag))" : ""
        self.init(status, "'\(field)': \(error.message)\(hint)", field: field)
    }

    /// - Parameter message: of a coordinator; shown to the peer only where it is about the peer's own request.
    init(code: StatusCode, message: String, cause: (any Error)? = nil) {
        self.init(Self.status(of: code), MeshReason.words(code, message), cause: cause)
        if Self.passing.contains(status) { self = retry(after: Self.pause) }
    }

    /// Of a picture or frame that the mesh failed at. All else in the call was checked before, so what is not as it should
    /// be is the picture.
    /// - Parameter response: in plain words (`PlainReasons`).
    init(failed response: AnalyzeResponse) {
        let code = StatusCode(rawValue: response.code)
        self.init(
            code == .invalidArgument ? .unprocessableContent : Self.status(of: code), response.cause,
            limit: PictureSizeLimit(in: response.cause)?.facts)
        if Self.passing.contains(status) { self = retry(after: Self.pause) }
    }

    private static let passing: Set<HTTPResponse.Status> = [.tooManyRequests, .serviceUnavailable]

    private static func status(of code: StatusCode) -> HTTPResponse.Status {
        switch code {
        case .invalidArgument: .badRequest
        case .notFound: .notFound
        case .deadlineExceeded: .gatewayTimeout
        case .resourceExhausted: .tooManyRequests
        // A stage has no nodes, and is to have none.
        case .unavailable, .cancelled, .failedPrecondition: .serviceUnavailable
        default: .badGateway
        }
    }
}
