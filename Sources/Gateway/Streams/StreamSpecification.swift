import Areas
import Foundation
import HTTPTypes
import Messages
import Outbound
import Playback

/// What a stream is, checked.
struct StreamSpecification: Sendable {
    /// A frame's own deadline under the policy `deadline`, where none is asked for.
    static let usualDeadline = 200
    static let webhookPorts = ["http": 80, "https": 443]

    var name: String
    var source: StreamSource
    var pipeline: PipelineDescription
    var policy: StreamPolicy
    /// 0: the model's own.
    var minConfidence: Float
    /// Frames beyond this rate are left out; nil: none are.
    var maxFrameRate: Double?
    /// Milliseconds; 0: the coordinator's default.
    var frameDeadline: UInt32
    var areas: AreaSet
    var webhooks: [Webhook]

    /// - Throws: `Problem` that names the field and the limit.
    init(_ request: StreamRequest, _ pipeline: PipelineDescription, _ rules: StreamRules) async throws {
        let limits = rules.limits
        name = request.name ?? ""
        guard name.unicodeScalars.count <= limits.name else {
            throw Problem(
                .badRequest, "'name' is longer than \(limits.name) characters", field: "name",
                limit: ("stream-name", Double(limits.name)))
        }
        self.pipeline = pipeline
        policy = try Self.policy(request.policy)
        minConfidence = try Self.number(request.minConfidence, 0...1, "min_confidence").map { Float($0) } ?? 0
        maxFrameRate = try Self.number(request.maxFPS, 0.01...1000, "max_fps")
        let deadline = try Self.number(request.deadlineMS.map { Double($0) }, 1...600_000, "deadline_ms")
        frameDeadline = UInt32(deadline ?? (policy == .deadline ? Double(Self.usualDeadline) : 0))
        try Self.checkUse(of: request, policy)
        areas = request.areas ?? AreaSet()
        do {
            try areas.validate(rules.areas)
        } catch {
            throw Problem(areas: error, under: "areas")
        }
        source = try await Self.source(request.source, rules)
        webhooks = try Self.webhooks(request.webhooks ?? [], rules, of: Webhook.Topic.ofStreams)
    }

    /// What would be heard by nobody is refused.
    private static func checkUse(of request: StreamRequest, _ policy: StreamPolicy) throws {
        if request.source.push == true, request.maxFPS != nil {
            throw Problem(
                .badRequest, "'max_fps' is of a file or URL: of a pushed stream every frame counts", field: "max_fps")
        }
        if policy != .deadline, request.deadlineMS != nil {
            throw Problem(.badRequest, "'deadline_ms' is of the policy deadline alone", field: "deadline_ms")
        }
        if request.source.file == nil, request.source.loop != nil {
            throw Problem(.badRequest, "'source.loop' is of a file alone", field: "source.loop")
        }
    }

    private static func policy(_ word: String?) throws -> StreamPolicy {
        switch word {
        case nil, "latest": .latest
        case "deadline": .deadline
        case "lossless": .lossless
        default: throw Problem(.badRequest, "'policy' is latest, deadline or lossless", field: "policy")
        }
    }

    private static func number(_ value: Double?, _ range: ClosedRange<Double>, _ field: String) throws -> Double? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw Problem(
                .badRequest, "'\(field)' is to be from \(range.lowerBound) to \(range.upperBound)", field: field)
        }
        return value
    }

    private static func source(_ source: StreamRequest.Source, _ rules: StreamRules) async throws -> StreamSource {
        switch (source.url, source.file, source.push ?? false) {
        case (let url?, nil, false):
            do throws(OutboundError) {
                let url = try OutboundURL(url, ports: SourceCall.ports)
                guard rules.streams.isOn, rules.helper != nil else {
                    throw OutboundError("this gateway calls no sources")
                }
                try rules.streams.check(url)
                return .url(url)
            } catch {
                throw Problem(outbound: error, field: "source.url", allowedBy: "--stream-allow")
            }
        case (nil, let name?, false):
            guard rules.helper != nil, let folder = rules.cameraFolder else {
                throw Problem(
                    .forbidden, "'source.file': this gateway has no camera folder (--camera-folder)",
                    field: "source.file")
            }
            return .file(name: name, path: try await path(of: name, in: folder), loop: source.loop ?? true)
        case (nil, nil, true): return .push
        default:
            throw Problem(.badRequest, "'source' has one of 'url', 'file' and 'push': true", field: "source")
        }
    }

    /// A file right in the folder: a name is no path, and leads nowhere else.
    private static func path(of name: String, in folder: String) async throws -> String {
        let isName =
            !name.isEmpty && name.utf8.count <= 255 && !name.hasPrefix(".") && !name.contains("/")
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
        guard isName, await isFile(path) else {
            throw Problem(
                .badRequest, "'source.file': there is no file of this name in the camera folder", field: "source.file")
        }
        return path
    }

    private static func isFile(_ path: String) async -> Bool {
        await BlockingCall.run {
            let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            return kind == .typeRegular
        }
    }

    /// - Parameter topics: that there are.
    /// - Throws: `Problem` that names the field and the limit.
    static func webhooks(
        _ hooks: [StreamRequest.Hook], _ rules: StreamRules, of topics: [Webhook.Topic]
    ) throws -> [Webhook] {
        guard hooks.count <= rules.webhookLimits.webhooks else {
            throw Problem(
                .badRequest, "\(hooks.count) webhooks exceed the limit of \(rules.webhookLimits.webhooks)",
                field: "webhooks", limit: ("webhooks", Double(rules.webhookLimits.webhooks)))
        }
        return try hooks.enumerated().map { index, hook in
            let field = "webhooks[\(index)]"
            let wanted = try (hook.events ?? []).map { word in
                guard let topic = Webhook.Topic(rawValue: word), topics.contains(topic) else {
                    let known = topics.map(\.rawValue).joined(separator: ", ")
                    throw Problem(
                        .badRequest, "'\(field).events' has what is none of \(known)", field: "\(field).events")
                }
                return topic
            }
            do throws(OutboundError) {
                let url = try OutboundURL(hook.url, ports: webhookPorts)
                guard rules.webhooks.isOn else {
                    throw OutboundError("this gateway calls no webhooks")
                }
                try rules.webhooks.check(url)
                return Webhook(url: url, topics: Set(wanted))
            } catch {
                throw Problem(outbound: error, field: "\(field).url", allowedBy: "--webhook-allow")
            }
        }
    }
}
