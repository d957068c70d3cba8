package import Logging
package import NIOCore

/// What the rooms of a gateway work with; made once, when it starts.
package struct GatewayServices: Sendable {
    package let configuration: GatewayConfiguration
    package let coordinators: Coordinators
    /// nil: there is no `framemesh-video`, and so there are no videos.
    package let videos: VideoServices?
    /// Places for all who look on at streams; those who follow videos have their own (`max-video-watchers`).
    package let viewers: Places
    package let streams: LiveStreams
    /// For the bytes of pictures and pushed frames.
    let uploads: Places
    package let metrics: GatewayMetrics
    package let group: any EventLoopGroup
    package let logger: Logger

    package var limits: GatewayLimits { configuration.limits }
}
