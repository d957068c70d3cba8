/// What each metric is, for who reads `/metrics`; docs/observability.md has the same names.
enum MetricCatalogue {
    struct Entry {
        var help: String
        /// Of a histogram; nil: those of its kind.
        var bounds: [Double]?
    }

    static let overflow = "framemesh_metrics_overflow_total"

    static let entries: [String: Entry] = Dictionary(
        uniqueKeysWithValues: help.map { ($0, Entry(help: $1, bounds: bounds[$0])) })

    private static let bounds: [String: [Double]] = [
        "framemesh_batch_size": [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
    ]

    private static let help: KeyValuePairs = [
        "framemesh_build_info": "The version that runs, as a label; always 1.",
        "framemesh_stage_seconds": "Time of each frame in one stage of its way.",
        "framemesh_frame_seconds": "Time of each frame in the coordinator, from its arrival to its answer.",
        "framemesh_frames_total": "Frames that have ended, by what became of them.",
        "framemesh_drops_total": "Frames that have no result, by the reason.",
        "framemesh_queue_depth": "Frames that wait for a worker of this node, or for a node.",
        "framemesh_queue_limit": "Frames that may wait for a worker of this node.",
        "framemesh_queue_delay_seconds": "Estimated time until all frames that wait now have had their turn.",
        "framemesh_busy_ratio": "Share of the workers' time that was work, over the last seconds.",
        "framemesh_worker_busy_seconds_total": "Time that all workers together were at work.",
        "framemesh_workers": "Worker threads.",
        "framemesh_frames_running": "Frames that are with a worker.",
        "framemesh_batch_size": "Frames that ran together.",
        "framemesh_endpoints": "Nodes that a coordinator knows, by their state.",
        "framemesh_ejections_total": "Times that a node was left out because calls failed, by the last error.",
        "framemesh_metrics_overflow_total": "Series that were not kept because there are too many.",
        "framemesh_trace_spans_total": "Spans that the receiver of traces has taken.",
        "framemesh_trace_drops_total": "Spans that were not taken, by the reason.",
        "framemesh_trace_requests_total": "Requests to the receiver of traces, by their status.",
        "rpc_server_calls_total": "Calls that have ended, by method and status.",
        "rpc_server_call_seconds": "Time of each call, from its head to its status.",
        "rpc_server_calls_in_flight": "Calls that run.",
        "rpc_server_received_bytes_total": "Bytes of messages received.",
        "rpc_server_received_messages_total": "Messages received.",
        "rpc_server_sent_bytes_total": "Bytes of messages sent.",
        "rpc_server_sent_messages_total": "Messages sent.",
        "rpc_limit_total": "What peers were refused or cut off for, by the limit.",
        "rpc_client_retries_total": "Attempts after one that failed, by its status.",
        "rpc_client_hedges_total": "Attempts beside one that takes longer than usual.",
        "http_requests_total": "Requests that were answered, by route, method and status.",
        "http_request_seconds": "Time from a request's header to its answer's.",
        "http_refused_total": "Requests and connections beyond a limit, by its name.",
        "http_pictures_in_flight": "Requests with pictures that are at work.",
        "http_connections": "Connections of clients.",
        "framemesh_upload_memory_bytes": "Bytes of pictures and pushed frames that are in memory.",
        "framemesh_streams": "Live streams of this gateway, by their state.",
        "framemesh_streams_limit": "Live streams that this gateway may have.",
        "framemesh_stream_frames_received_total": "Frames that the sources of live streams have brought.",
        "framemesh_stream_frames_total": "Frames of live streams that have ended, by what became of them.",
        "framemesh_viewers": "Those who look on at streams or follow videos.",
        "framemesh_viewers_limit": "Those who may look on at streams or follow videos.",
        "framemesh_viewers_dropped_total": "Viewers of streams that were too slow.",
        "framemesh_webhook_deliveries_total": "Deliveries to webhooks that have ended, by what became of them.",
        "framemesh_webhook_attempts_total": "Attempts of deliveries to webhooks, by what the receiver said.",
        "framemesh_webhooks_waiting": "Deliveries to webhooks that wait.",
        "framemesh_video_uploads_in_flight": "Videos that are on their way to this gateway.",
        "framemesh_video_upload_bytes_total": "Bytes of videos that have come to this gateway.",
        "framemesh_video_frames_total": "Frames of videos that this gateway has recorded results of.",
        "framemesh_video_turns_total": "Turns of this gateway at jobs of videos that have ended, by how.",
        "framemesh_video_jobs": "Jobs of videos in the store, by their state.",
        "framemesh_video_queue_seconds": "How long the oldest job that waits has been in the store.",
        "framemesh_stored_bytes": "Bytes of the files and results of all jobs.",
        "framemesh_stored_bytes_limit": "Bytes that the files and results of all jobs may have.",
        "framemesh_job_store_unseen": "1 if others will not see that this gateway is gone, else 0.",
        "framemesh_job_store_up": "1 if the store of jobs answered when it was asked last, else 0.",
        "process_cpu_seconds_total": "User and system time of the process.",
        "process_max_fds": "File descriptors that the process may have.",
        "process_open_fds": "File descriptors that the process has.",
        "process_resident_memory_bytes": "Memory of the process that is in RAM.",
        "process_virtual_memory_bytes": "Memory that the process has mapped.",
        "process_start_time_seconds": "When the process began, in seconds since the epoch.",
        "process_threads": "Threads of the process.",
    ]
}
