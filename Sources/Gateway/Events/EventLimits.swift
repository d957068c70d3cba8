package import RPC

/// How many people look on, and how far one of them may be behind.
package struct EventLimits: Sendable, Hashable {
    /// Who look on at the same time: events and moving pictures of all streams together. Videos have
    /// `max-video-watchers`.
    package var viewers = 1000
    /// Events that wait for one viewer. Who is behind by more is dropped.
    package var viewerEvents = 512
    /// Bytes of them.
    package var viewerBytes = 1 << 20
    /// A viewer of moving pictures that takes none for this long while there are some is dropped.
    package var viewerStall = Duration.seconds(10)
    /// Events that are kept of each source for viewers who come back (`Last-Event-ID`).
    package var history = 512
    /// Bytes of them.
    package var historyBytes = 1 << 20
    /// A comment is sent this often, so that nothing between takes the connection for dead.
    package var keepAlive = Duration.seconds(15)

    package init() {}

    package static let limits: [Limit<EventLimits>] = [
        Limit(
            "viewers", \.viewers, .count, "Viewers of events and moving pictures at the same time; more are refused."),
        Limit(
            "viewer-events", \.viewerEvents, .count, "Events that wait for one viewer; one further behind is dropped."),
        Limit("viewer-bytes", \.viewerBytes, .bytes, "Bytes of them."),
        Limit(
            "viewer-stall", \.viewerStall, "A viewer of moving pictures that takes none for so long is dropped."),
        Limit("event-history", \.history, .count, "Events kept of each stream for viewers who come back."),
        Limit("event-history-bytes", \.historyBytes, .bytes, "Bytes of them."),
        Limit("keep-alive", \.keepAlive, "Between comments that keep an event stream's connection alive."),
    ]
}
