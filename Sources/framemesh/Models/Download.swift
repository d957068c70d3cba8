import Foundation
import FoundationNetworking
import Synchronization

/// One HTTP request whose body is handed over as it comes, on the session's own queue.
final class Download: NSObject, URLSessionDataDelegate {
    /// Between two pieces of the body.
    static let stallTimeout: TimeInterval = 30
    /// For the whole of one request.
    static let wholeTimeout: TimeInterval = 3600

    /// What the receiver says to each event.
    enum Verdict: Sendable { case goOn, stop }

    private let answered: @Sendable (HTTPURLResponse) -> Verdict
    private let received: @Sendable (Data) -> Verdict
    private let state = Mutex<(task: URLSessionDataTask?, end: CheckedContinuation<String?, Never>?)>((nil, nil))

    private init(
        answered: @Sendable @escaping (HTTPURLResponse) -> Verdict, received: @Sendable @escaping (Data) -> Verdict
    ) {
        self.answered = answered
        self.received = received
    }

    /// - Parameters:
    ///   - offset: of the first byte that is wanted.
    ///   - answered: told the status and headers; `stop` ends the request.
    ///   - received: given each piece of the body.
    /// - Returns: why it ended early; nil if it did not, or was stopped.
    static func run(
        _ url: URL, from offset: UInt64, answered: @Sendable @escaping (HTTPURLResponse) -> Verdict,
        received: @Sendable @escaping (Data) -> Verdict
    ) async -> String? {
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = stallTimeout
        settings.timeoutIntervalForResource = wholeTimeout
        settings.httpCookieStorage = nil
        settings.urlCache = nil
        let download = Download(answered: answered, received: received)
        let session = URLSession(configuration: settings, delegate: download, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        var request = URLRequest(url: url)
        // Bytes as they are: a compressed body has other offsets.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        let task = session.dataTask(with: request)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                download.state.withLock { $0 = (task, continuation) }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        guard let response = response as? HTTPURLResponse, answered(response) == .goOn else {
            completionHandler(.cancel)
            return
        }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if received(data) == .stop { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let continuation = state.withLock { state in
            defer { state = (nil, nil) }
            return state.end
        }
        let wasStopped = (error as? URLError)?.code == .cancelled
        continuation?.resume(returning: wasStopped ? nil : error?.localizedDescription)
    }
}
