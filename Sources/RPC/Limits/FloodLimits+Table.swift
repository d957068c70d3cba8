public import HTTP2

extension FloodLimits {
    public static let limits: [Limit<FloodLimits>] = [
        Limit("max-resets-received", \.resetsReceived, .perSecond, "Streams of a connection that the peer resets."),
        Limit("max-resets-sent", \.resetsSent, .perSecond, "Streams of a connection that we have to reset."),
        Limit("max-pings", \.pings, .perSecond, "PING frames while we send nothing."),
        Limit("max-settings", \.settings, .perSecond, "SETTINGS frames."),
        Limit("max-empty-data", \.emptyData, .perSecond, "DATA frames without bytes."),
        Limit("max-tiny-data", \.tinyData, .perSecond, "DATA frames of fewer bytes than a message's prefix."),
        Limit(
            "max-idle-frames", \.idleFrames, .perSecond, "Frames that say nothing to any call, beyond those we cause."),
        Limit(
            "max-idle-allowance", \.maxIdleAllowance, .count, in: 0...Int(Int32.max),
            "Frames that we cause and the peer has yet to send; what is beyond counts by max-idle-frames."),
        Limit(
            "header-overrun-factor", \.headerOverrunFactor, .count, in: 1...1024,
            "A header block so many times over its limits ends the connection."),
        Limit("max-continuations", \.maxContinuations, .count, "CONTINUATION frames of one header block."),
        Limit("max-settings-entries", \.maxSettingsEntries, .count, "Entries of one SETTINGS frame."),
        Limit(
            "max-unread-answers", \.maxUnreadAnswers, .count,
            "Answers to PING and SETTINGS that wait because the peer does not read."),
        Limit(
            "max-queued-frames", \.maxQueuedFrames, .count,
            "Other frames that wait because the peer does not read, beside those of open streams."),
    ]
}
