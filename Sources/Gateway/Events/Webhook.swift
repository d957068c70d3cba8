package import Areas
package import Outbound

/// Somebody who is told of events by POST.
package struct Webhook: Sendable, Hashable {
    /// What may be told.
    package enum Topic: String, Sendable, Hashable, CaseIterable, Codable {
        case enter, leave, cross, dwell, count
        /// The stream is connecting, live, stalled or failed.
        case state
        /// How a video's job ended.
        case done, failed, cancelled

        static let ofAreas = AreaEvent.Kind.allCases.map { Topic($0) }
        static let ofStreams = ofAreas + [.state]
        static let ofVideos = ofAreas + [.done, .failed, .cancelled]
    }

    package var url: OutboundURL
    /// Empty: all.
    package var topics: Set<Topic>

    package init(url: OutboundURL, topics: Set<Topic> = []) {
        self.url = url
        self.topics = topics
    }

    package func wants(_ topic: Topic) -> Bool { topics.isEmpty || topics.contains(topic) }
}

extension Set<Webhook.Topic> {
    /// As it is stored.
    var text: String { map(\.rawValue).sorted().joined(separator: ",") }

    /// What is not known is not wanted.
    init(text: String) { self = Set(text.split(separator: ",").compactMap { Webhook.Topic(rawValue: String($0)) }) }
}

extension Webhook.Topic {
    package init(_ kind: AreaEvent.Kind) {
        switch kind {
        case .enter: self = .enter
        case .leave: self = .leave
        case .cross: self = .cross
        case .dwell: self = .dwell
        case .count: self = .count
        }
    }
}
