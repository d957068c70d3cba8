/// What one connection may not do. The raw value is the reason label of the counter that whoever owns the connection
/// keeps (docs/limits.md lists all of them).
public enum ConnectionLimit: String, Sendable, CaseIterable {
    /// No preface and SETTINGS in time.
    case handshake = "handshake_timeout"
    /// A TLS handshake that does not end well: no common protocol, a missing or bad certificate.
    case tlsHandshake = "tls_handshake"
    /// Streams that the peer reset.
    case peerResets = "peer_resets"
    /// Streams that the peer made us reset.
    case ownResets = "own_resets"
    case pings
    /// PINGs that come before their time (`PingPolicy`).
    case pingStrikes = "too_many_pings"
    /// No answer to a PING of ours.
    case keepalive
    /// Output that the peer does not read.
    case stalledOutput = "stalled_output"
    /// Calls that outlive their connection's age.
    case ageGrace = "age_grace"
    case settings
    /// Entries of one SETTINGS frame.
    case settingsEntries = "settings_entries"
    /// Answers to PING and SETTINGS that the peer does not read.
    case unreadAnswers = "unread_answers"
    /// Frames of any kind that the peer does not read.
    case queuedFrames = "queued_frames"
    /// CONTINUATION frames of one header block.
    case continuations
    /// A header block that is many times over its limits.
    case headerBlock = "header_block"
    /// DATA without bytes.
    case emptyData = "empty_data"
    /// DATA with fewer bytes than any message has.
    case tinyData = "tiny_data"
    /// Frames that say nothing to any call.
    case idleFrames = "idle_frames"
    /// Streams beyond SETTINGS_MAX_CONCURRENT_STREAMS.
    case concurrentStreams = "concurrent_streams"
    /// Frames or header fields that HTTP/2 forbids, on a stream that ends by it.
    case streamViolation = "stream_violation"
    /// The same where the connection ends by it.
    case connectionViolation = "connection_violation"
}
