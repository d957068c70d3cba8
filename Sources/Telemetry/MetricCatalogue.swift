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
        "process_cpu_seconds_total": "User and system time of the process.",
        "process_max_fds": "File descriptors that the process may have.",
        "process_open_fds": "File descriptors that the process has.",
        "process_resident_memory_bytes": "Memory of the process that is in RAM.",
        "process_virtual_memory_bytes": "Memory that the process has mapped.",
        "process_start_time_seconds": "When the process began, in seconds since the epoch.",
        "process_threads": "Threads of the process.",
    ]
}
