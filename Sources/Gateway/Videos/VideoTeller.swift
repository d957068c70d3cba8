import Areas
import Foundation
import Jobs
import Logging
import Messages
import NIOCore
import Outbound
import RPC
import Results
import ServiceLifecycle

/// Tells webhooks of videos: what happens in zones and at lines, and how the job ended.
///
/// It reads the store as watchers do, at the pace of the receivers, and records there what was told. So nothing is lost
/// with a gateway, and any other goes on; what is told twice has the same delivery id.
struct VideoTeller: Service {
    let videos: VideoServices
    let rules: StreamRules
    let logger: Logger
    private let shelf: WatchShelf

    init(_ videos: VideoServices, _ rules: StreamRules, logger: Logger) {
        self.videos = videos
        shelf = WatchShelf(size: videos.limits.webhookShelf)
        self.rules = rules
        self.logger = logger
    }

    func run() async throws {
        guard rules.webhooks.isOn else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<videos.limits.webhookSenders { tasks.addTask { await tell() } }
            }
        }
    }

    private func tell() async {
        while !Task.isCancelled {
            do {
                let lease = VideoTelling.lease(videos, rules)
                while let webhook = try await videos.store.claimWebhook(now: .now, for: lease) {
                    var telling = VideoTelling(videos, rules, shelf, webhook, logger)
                    try await telling.run()
                }
            } catch is CancellationError {
                return
            } catch {
                logger.notice("webhooks of videos wait", metadata: ["cause": "\(SystemError.forLog(error))"])
            }
            try? await Task.sleep(for: videos.limits.webhookInterval)
        }
    }
}
