package import Areas
package import Outbound

/// What streams may do, of one gateway.
package struct StreamRules: Sendable {
    package var limits: StreamLimits
    /// Of all streams, what one caller with a name may have.
    package var share: Double
    package var areas: AreaLimits
    package var events: EventLimits
    package var webhookLimits: WebhookLimits
    package var areaRules: AreaRules
    /// Which sources may be called.
    package var streams: OutboundRule
    /// A file with those who may vouch for sources with TLS (PEM); nil: those that the system trusts.
    package var streamAuthorities: String?
    /// Which receivers of webhooks may be called.
    package var webhooks: OutboundRule
    /// For the signatures of webhooks; nil: there are none.
    package var webhookSecret: String?
    /// Whose files may be looped as cameras; nil: none.
    package var cameraFolder: String?
    /// The executable that speaks FFmpeg; nil: frames can only be pushed.
    package var helper: String?

    package init(_ configuration: GatewayConfiguration) {
        limits = configuration.limits.streams
        share = configuration.limits.rate.share
        areas = configuration.limits.areas
        areaRules = configuration.limits.areaRules
        events = configuration.limits.events
        webhookLimits = configuration.limits.webhooks
        streams = configuration.streamAllow
        streamAuthorities = configuration.streamAuthorities
        webhooks = configuration.webhookAllow
        webhookSecret = configuration.webhookSecret
        cameraFolder = configuration.cameraFolder
        helper = configuration.videoHelper
    }
}
