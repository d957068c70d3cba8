import Foundation
import FoundationNetworking
import Synchronization

/// One HTTP request whose body is handed over as it comes, on the session's own queue.
final class Download: NSObject, URLSessionDataDelegate {
    /// Between two pieces of the body.
    static let stallTimeout: TimeInterval = 30
    /// For the whole of one request.
    static let wholeTimeout: TimeInterval = 3600

    /// Why it ended early.
    struct Failure: Sendable, Equatable {
        var reason: String
        /// It would end so again.
        var isFinal = false

        init(_ reason: String, isFinal: Bool = false) {
            self.reason = reason
            self.isFinal = isFinal
        }

        /// Foundation has no code for what is wrong with a certificate, only the words of curl.
        fileprivate init(_ error: any Error) {
            let reason = error.localizedDescription
            self.init(reason, isFinal: reason.hasPrefix("SSL") && reason.contains("certificate"))
        }
    }

    /// What the receiver says to each event.
    enum Verdict: Sendable { case goOn, stop }

    private let answered: @Sendable (HTTPURLResponse) -> Verdict
    private let received: @Sendable (Data) -> Verdict
    /// Who waits for the end; nil before it began and after it has ended.
    private let waiting = Mutex<CheckedContinuation<Failure?, Never>?>(nil)
    /// Foundation tells no end of a task that was cancelled before it began.
    private let isCancelled = Atomic(false)

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
    ) async -> Failure? {
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
                download.waiting.withLock { $0 = continuation }
                if download.isCancelled.load(ordering: .sequentiallyConsistent) {
                    download.end(nil)
                } else {
                    task.resume()
                }
            }
        } onCancel: {
            download.isCancelled.store(true, ordering: .sequentiallyConsistent)
            download.end(nil)
            task.cancel()
        }
    }

    /// The first end counts; nothing is told after it.
    private func end(_ failure: Failure?) {
        waiting.withLock { $0.take() }?.resume(returning: failure)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let verdict = waiting.withLock { waiting in
            guard waiting != nil, let response = response as? HTTPURLResponse else { return Verdict.stop }
            return answered(response)
        }
        completionHandler(verdict == .goOn ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if waiting.withLock({ $0 == nil ? .stop : received(data) }) == .stop { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let wasStopped = (error as? URLError)?.code == .cancelled
        end(wasStopped ? nil : error.map { Failure($0) })
    }
}
