import Areas
import Foundation
import Messages
import Outbound
import Results

extension LiveStream {
    /// All that is told of it.
    func add(to json: inout JSONText) {
        json.field("id", id)
        json.field("name", specification.name)
        json.object("source") { json in
            switch specification.source {
            case .url(let url): json.field("url", url.shown)
            case .file(let name, _, let loop):
                json.field("file", name)
                json.field("loop", loop)
            case .push: json.field("push", true)
            }
        }
        json.field("pipeline", specification.pipeline.name)
        json.field("policy", "\(specification.policy)")
        if let rate = specification.maxFrameRate { json.field("max_fps", rate, decimals: 3) }
        json.field("created_at", createdAt.formatted(.iso8601))
        if !owner.isEmpty { json.field("owner", owner) }
        addState(to: &json)
        json.field("areas", json: String(decoding: areas.json, as: UTF8.self))
        json.array("webhooks", webhooks.senders) { json, sender in
            let counts = sender.counts
            json.object { json in
                json.field("url", sender.webhook.url.shown)
                json.field("delivered", counts.delivered)
                json.field("failed", counts.failed)
                json.field("dropped", counts.dropped)
            }
        }
    }

    /// What changes.
    func addState(to json: inout JSONText) {
        let life = life
        let counts = counts
        json.field("state", life.state.rawValue)
        if let cause = life.cause { json.field("cause", cause.onOneLine) }
        json.field("received", counts.received)
        json.field("answered", counts.answered)
        json.field("dropped", counts.dropped)
        json.field("failed", counts.failed + counts.lost)
        json.field("rate", counts.rate(.now), decimals: 2)
        if let age = counts.lastAge { json.field("age_ms", age / .milliseconds(1), decimals: 1) }
        json.field("viewers", events.viewerCount + pictures.viewers.viewerCount)
    }
}
