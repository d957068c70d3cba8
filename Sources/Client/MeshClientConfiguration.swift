package import Mesh
package import RPC

/// How coordinators are called.
package struct MeshClientConfiguration: Sendable {
    /// A coordinator tries what is worth another attempt; here only lost connections are made good.
    package var channel: ChannelConfiguration
    /// How long a stream that lost its coordinator looks for one; `.zero`: not at all.
    package var resumeTimeout: Duration = .seconds(30)

    package init() {
        channel = ChannelConfiguration()
        channel.maxAttempts = 1
    }

    /// Every limit, in the order of docs/limits.md.
    package static let limits: [Limit<MeshClientConfiguration>] =
        ChannelConfiguration.limits.map { $0.under(\.channel) } + ofStreams

    /// Those that mean nothing where no stream is sent.
    package static let ofStreams: [Limit<MeshClientConfiguration>] = [
        Limit("resume-timeout", \.resumeTimeout, "How long a stream that lost its coordinator looks for one.")
    ]
}
