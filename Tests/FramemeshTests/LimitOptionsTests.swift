import ArgumentParser
import Client
import Coordination
import Foundation
import Gateway
import Logging
import Mesh
import Playback
import RPC
import Testing

@testable import framemesh

@Suite struct LimitOptionsTests {
    private func load(_ yaml: String, environment: [String: String] = [:]) async throws -> Settings {
        let file = FileManager.default.temporaryDirectory.appending(path: "framemesh-\(UUID().uuidString).yaml")
        try Data(yaml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await Settings.load(file.path, environment: environment)
    }

    private func coordinator(_ arguments: [String], _ settings: Settings) throws -> CoordinatorConfiguration {
        try CoordinatorCommand.parse(arguments).configuration(settings, logger: Logger(label: "test")).0
    }

    private static let yaml = """
        limits:
          max-connections: 11
          max-connection-age: off
          keepalive-time: 1h
        coordinator:
          node-limits:
            retry-tokens: 12
        client:
          limits:
            connect-timeout: 13
        """

    @Test func theFlagWinsOverTheEnvironmentAndThatOverTheFile() async throws {
        let settings = try await load(
            Self.yaml,
            environment: ["FRAMEMESH_LIMITS_KEEPALIVE_TIME": "2m", "FRAMEMESH_LIMITS_MAX_QUEUED_BYTES": "3"])
        let configuration = try coordinator(
            ["--limit", "max-queued-bytes=4", "--limit", "max-message-bytes=8MiB"], settings)
        #expect(configuration.server.maxConnections == 11)
        #expect(configuration.server.age.maxAge == nil)
        #expect(configuration.server.keepalive.time == .seconds(120))
        #expect(configuration.server.maxQueuedBytes == 4)
        #expect(configuration.server.maxMessageBytes == 8 << 20)
        #expect(configuration.maxMessageBytes == 8 << 20, "nodes are taken to have the same")
        #expect(configuration.channel.retryTokens == 12)
        #expect(try coordinator(["--node-limit", "retry-tokens=14"], settings).channel.retryTokens == 14)
        let clients = try ClientLimitOptions.parse([]).limits(settings)
        #expect(clients.client.channel.client.connectTimeout == .seconds(13))
    }

    @Test func everyLimitHasAKeyAndAVariable() async throws {
        #expect(Set(Settings.knownKeys).count == Settings.knownKeys.count)
        for section in Settings.LimitSection.allCases {
            for name in section.names {
                let variable = EnvironmentNames.name(of: "\(section.rawValue).\(name)")
                let settings = try await Settings.load(nil, environment: [variable: "not a number"])
                #expect(throws: Fatal.self, "\(variable)") {
                    switch section {
                    case .roles: _ = try RoleLimitOptions.parse([]).limits(settings)
                    case .traces:
                        _ = try TraceOptions.parse(["--trace-endpoint", "127.0.0.1:4317"]).plan("detector", settings)
                    case .clients: _ = try ClientLimitOptions.parse([]).limits(settings)
                    case .gateways: _ = try GatewayLimitOptions.parse([]).limits(settings)
                    case .coordinators: _ = try CoordinatorLimitOptions.parse([]).limits(settings)
                    case .nodes:
                        var channel = ChannelConfiguration()
                        try NodeLimitOptions.parse([]).set(in: &channel, settings)
                    }
                }
            }
        }
    }

    @Test func whatIsNoLimitIsNamedWithTheNearestOne() async throws {
        let text = "unknown key 'limits.max-conections', did you mean 'limits.max-connections'?"
        await #expect {
            _ = try await load("limits:\n  max-conections: 1\n")
        } throws: { "\($0)".hasSuffix(text) }
        let settings = try await load(Self.yaml)
        #expect {
            _ = try coordinator(["--limit", "max-conections=1"], settings)
        } throws: {
            let fatal = $0 as? Fatal
            return fatal?.status == .usage
                && fatal?.message
                    == "there is no limit 'max-conections', did you mean 'max-connections'? (`framemesh limits` lists them)"
        }
    }

    /// The file is for all commands, a flag for its own.
    @Test func limitsOfSourcesAreRefusedWhereNoneIsCalled() async throws {
        let settings = try await load("client:\n  limits:\n    stream-attempts: 3\n")
        #expect(try ClientLimitOptions.parse([]).limits(settings).sources.attempts == 3)
        let others = try ClientLimitOptions.parse(["--limit", "connect-timeout=5"])
        #expect(try others.limits(settings).client.channel.client.connectTimeout == .seconds(5))
        let values = [("stream-attempts", "4"), ("stream-reconnect", "1s"), ("stream-longest-reconnect", "4s")]
        for (name, value) in values {
            let limit = "\(name)=\(value)"
            let options = try ClientLimitOptions.parse(["--limit", "connect-timeout=5", "--limit", limit])
            let error = #expect(throws: Fatal.self) { try options.limits(settings) }
            let words = "the limit \(name) is for framemesh video with a URL"
            #expect(error?.status == .usage && error?.message?.hasPrefix(words) == true, "\(error?.message ?? "")")
            _ = try options.limits(settings, callsSources: true)
        }
        let patient = try ClientLimitOptions.parse(["--limit", "stream-attempts=4"])
        #expect(try patient.limits(settings, callsSources: true).sources.attempts == 4)
    }

    @Test func theLimitOfStreamsIsRefusedWhereNoneIsSent() async throws {
        let settings = try await load("client:\n  limits:\n    resume-timeout: 3s\n")
        let options = try ClientLimitOptions.parse(["--limit", "connect-timeout=5", "--limit", "resume-timeout=4s"])
        #expect(try options.limits(settings).client.resumeTimeout == .seconds(4))
        let error = #expect(throws: Fatal.self) { try options.limits(settings, sendsStreams: false) }
        #expect(error?.status == .usage)
        #expect(error?.message == "the limit resume-timeout is for commands that send frames as streams")
        let none = try ClientLimitOptions.parse([])
        #expect(try none.limits(settings, sendsStreams: false).client.resumeTimeout == .seconds(3))
    }

    private static let ofSources =
        "the limit stream-attempts is for framemesh video with a URL (--limit), and for framemesh gateway (--limit)"

    /// On the command line of roles.
    @Test func aLimitOfOthersIsToldWhoseItIs() async throws {
        let settings = try await Settings.load(nil, environment: [:])
        func refusal(_ body: () throws -> Void) -> String? {
            let error = #expect(throws: Fatal.self) { try body() }
            #expect(error?.status == .usage)
            return error?.message
        }
        let sources = "stream-attempts=3"
        #expect(refusal { _ = try coordinator(["--limit", sources], settings) } == Self.ofSources)
        #expect(refusal { _ = try coordinator(["--node-limit", sources], settings) } == Self.ofSources)
        #expect(refusal { _ = try Up.parse(["--limit", sources]).plan(settings) } == Self.ofSources)
        // A gateway has it under another option.
        let gateway = try CoordinatorLimitOptions.parse(["--coordinator-limit", sources])
        #expect(
            refusal { _ = try gateway.limits(settings) }
                == "the limit stream-attempts is for framemesh gateway (--limit)")
        #expect(
            refusal { _ = try coordinator(["--node-limit", "max-connections=3"], settings) }
                == "the limit max-connections is for nodes and coordinators (--limit), and for framemesh gateway (--limit)"
        )
    }

    @Test(
        arguments: [
            ("limits", ["client.limits", "gateway.limits"]),
            ("coordinator.node-limits", ["client.limits", "gateway.limits"]),
            ("gateway.coordinator-limits", ["gateway.limits"]), ("trace-limits", ["client.limits", "gateway.limits"]),
        ] as [(String, [String])])
    func aLimitInAnotherSectionIsToldWhereItIs(_ section: String, _ sections: [String]) async throws {
        let keys = sections.map { "\($0).stream-attempts" }
        let (written, parts) = ("\(section).stream-attempts", section.split(separator: "."))
        let file = parts.enumerated().map { String(repeating: " ", count: $0) + "\($1):\n" }.joined()
        let question = keys.map { "'\($0)'" }.joined(separator: " or ")
        await #expect {
            _ = try await load(file + "    stream-attempts: 3\n")
        } throws: { "\($0)".hasSuffix("unknown key '\(written)', did you mean \(question)?") }
        let variable = EnvironmentNames.name(of: written)
        let names = keys.map(EnvironmentNames.name(of:)).joined(separator: " or ")
        await #expect {
            _ = try await Settings.load(nil, environment: [variable: "3"])
        } throws: { "\($0)" == "unknown environment variable \(variable), did you mean \(names)?" }
    }

    @Test func upHandsLimitsOnToItsParts() async throws {
        let settings = try await Settings.load(nil, environment: [:])
        let up = try Up.parse([
            "--limit", "max-connections=5", "--limit", "max-pings=6", "--node-limit", "retry-tokens=7",
        ])
        let plan = try up.plan(settings)
        for part in plan.nodes + [.coordinator] {
            let command = try Framemesh.parseAsRoot(plan.arguments(of: part, at: nil, nodes: [:]))
            let options =
                (command as? CoordinatorCommand)?.limitOptions ?? (command as? DetectorCommand)?.node.limitOptions
                ?? (command as? ClassifierCommand)?.node.limitOptions
            #expect(options?.limits == ["max-connections=5", "max-pings=6"])
            if let coordinator = command as? CoordinatorCommand {
                #expect(coordinator.nodeLimits.limits == ["retry-tokens=7"])
            }
        }
        #expect(throws: Fatal.self) { try Up.parse(["--limit", "nonsense=1"]).plan(settings) }
    }

    /// What the configuration says of TLS is for other meshes.
    @Test func thePartsOfUpArePlainText() async throws {
        let settings = try await Settings.load(
            nil,
            environment: [
                "FRAMEMESH_COORDINATOR_TLS_CERTIFICATE": "/no", "FRAMEMESH_COORDINATOR_TLS_KEY": "/no",
                "FRAMEMESH_COORDINATOR_NODE_TLS": "true", "FRAMEMESH_COORDINATOR_CREDENTIALS": "/no",
            ])
        let arguments = MeshPlan().arguments(of: .coordinator, at: nil, nodes: [:])
        let command = try #require(try Framemesh.parseAsRoot(arguments) as? CoordinatorCommand)
        let (configuration, _) = try command.configuration(settings, logger: Logger(label: "test"))
        #expect(configuration.server.tls == nil && configuration.channel.client.tls == nil)
        #expect(configuration.access == nil)
        #expect(throws: Fatal.self) { try coordinator([], settings) }
    }

    @Test func tlsOfACallerIsOnWhereAnythingIsSaidOfIt() async throws {
        func tls(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> Bool {
            let settings = try await Settings.load(nil, environment: environment)
            return try ClientSecurityOptions.parse(arguments).security(settings).clientTLS() != nil
        }
        #expect(try await !tls([]))
        #expect(try await tls(["--tls"]))
        #expect(try await tls(["--tls-server-name", "a.example"]))
        #expect(try await tls([], ["FRAMEMESH_CLIENT_TLS": "true"]))
        #expect(try await !tls(["--no-tls"], ["FRAMEMESH_CLIENT_TLS": "true"]))
        #expect(try await !tls(["--no-tls", "--tls-server-name", "a.example"]))
    }
}
