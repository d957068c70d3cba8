import Jobs
import Telemetry

/// What a gateway knows anyway, read when somebody asks:
///
/// | name | labels | what |
/// |---|---|---|
/// | `http_connections` | | connections |
/// | `framemesh_upload_memory_bytes` | | pictures and pushed frames that are in memory |
/// | `framemesh_streams`, `framemesh_streams_limit` | state | live streams |
/// | `framemesh_viewers`, `framemesh_viewers_limit` | of | those who look on at streams and follow videos |
/// | `framemesh_webhooks_waiting` | of | deliveries of streams that wait |
/// | `framemesh_video_uploads_in_flight` | | videos on their way |
/// | `framemesh_video_jobs` | state | jobs of the store, of all gateways that share it |
/// | `framemesh_video_queue_seconds` | | how long the oldest of them waits for a gateway |
/// | `framemesh_stored_bytes`, `framemesh_stored_bytes_limit` | | files and results of all jobs |
/// | `framemesh_job_store_up` | | 1 if the store answered when it was asked last |
/// | `framemesh_job_store_unseen` | | 1 if others will not see that this gateway is gone |
extension GatewayServices {
    func show(in metrics: PrometheusMetrics, connections: ConnectionCount, census: StoreCensus?) {
        metrics.observe("http_connections") { Double(connections.count) }
        metrics.observe("framemesh_upload_memory_bytes") { [uploads] in Double(uploads.taken) }
        showStreams(in: metrics)
        if let videos, let census { videos.show(in: metrics, census: census) }
    }

    private func showStreams(in metrics: PrometheusMetrics) {
        for state in StreamLife.State.allCases {
            metrics.observe("framemesh_streams", [("state", state.rawValue)]) { [streams] in
                Double(streams.all { $0.life.state == state }.count)
            }
        }
        metrics.observe("framemesh_streams_limit") { [limit = limits.streams.streams] in Double(limit) }
        let of = [("of", "streams")]
        metrics.observe("framemesh_viewers", of) { [viewers] in Double(viewers.taken) }
        metrics.observe("framemesh_viewers_limit", of) { [viewers] in Double(viewers.count) }
        metrics.observe("framemesh_webhooks_waiting", of) { [streams] in
            Double(
                streams.all { _ in true }.reduce(0) { sum, stream in
                    stream.webhooks.senders.reduce(sum) { $0 + $1.waiting }
                })
        }
    }
}

extension VideoServices {
    fileprivate func show(in metrics: PrometheusMetrics, census: StoreCensus) {
        for state in JobState.allCases {
            metrics.observe("framemesh_video_jobs", [("state", state.rawValue)]) {
                Double(census.census.jobs[state] ?? 0)
            }
        }
        metrics.observe("framemesh_video_queue_seconds") {
            census.census.oldestQueued.map { max(0, JobTime.now.seconds(since: $0)) } ?? 0
        }
        metrics.observe("framemesh_stored_bytes") { Double(census.census.storedBytes) }
        metrics.observe("framemesh_stored_bytes_limit") { [limits] in Double(limits.maxStoredBytes) }
        metrics.observe("framemesh_job_store_up") { census.isReachable ? 1 : 0 }
        metrics.observe("framemesh_job_store_unseen") { [store] in store.unseen == nil ? 0 : 1 }
        metrics.observe("framemesh_video_uploads_in_flight") { [quota] in Double(quota.uploadsInFlight) }
        let of = [("of", "videos")]
        metrics.observe("framemesh_viewers", of) { [watchers] in Double(watchers.taken) }
        metrics.observe("framemesh_viewers_limit", of) { [watchers] in Double(watchers.count) }
    }
}
