package import Client
package import Jobs
package import Mesh
import NIOCore
package import Outbound
package import RPC
package import Telemetry
package import Traces

/// Everything that a gateway can be told.
package struct GatewayConfiguration: Sendable {
    package var listen: ServerAddress
    /// The coordinators, and how they are called.
    package var coordinators: Target
    package var calling = MeshClientConfiguration()
    /// Folder of the page: `index.html` and what it loads.
    package var page: String
    /// File with the description of the API, as `/openapi.yaml` serves it.
    package var apiDescription: String
    /// Folder for what is kept: uploads, results, jobs.
    package var data: String
    /// The executable that speaks FFmpeg; nil: there are no videos.
    package var videoHelper: String?
    /// Where the jobs of videos are kept.
    package var database = JobDatabase.sqlite
    /// Who may call; nil: everybody may have pictures analysed, and only this machine may do what takes `Scope.admin`.
    package var credentials: Credentials?
    /// The same in a file that may change, instead of `credentials`.
    package var credentialsFile: CredentialsFile?
    package var tls: ServerTLS?
    /// Origins whose pages may call (CORS), such as `https://shop.example`; none by default.
    package var origins: Set<String> = []
    /// Names, beside its address, by which the gateway may be called (`HostCheck`).
    package var hosts: Set<String> = []
    /// Which live sources may be called by their URLs; none by default.
    package var streamAllow = OutboundRule.nobody
    /// A file with those who may vouch for live sources with TLS (PEM); nil: those that the system trusts.
    package var streamAuthorities: String?
    /// Which receivers of webhooks may be called; none by default.
    package var webhookAllow = OutboundRule.nobody
    /// For the signatures of webhooks; nil: there are none.
    package var webhookSecret: String?
    /// Whose video files may be live sources; nil: none.
    package var cameraFolder: String?
    package var limits = GatewayLimits()
    /// The version of the program, for those who ask.
    package var build = ""
    /// What `/metrics` shows; the process may have made it that of all its metrics.
    package var metrics = PrometheusMetrics()
    /// Makes requests and calls spans; nil: nobody wants them.
    package var tracer: MeshTracer?
    /// How long running requests have to finish in at the end.
    package var drainTimeout: Duration = .seconds(10)

    package var hasCredentials: Bool { credentials != nil || credentialsFile != nil }

    /// How coordinators are called, with the spans of that.
    var tracedCalling: MeshClientConfiguration {
        var calling = calling
        if let tracer { calling.channel.interceptors.insert(ClientTraces(tracer), at: 0) }
        return calling
    }

    package init(listen: ServerAddress, coordinators: Target, page: String, apiDescription: String, data: String) {
        self.listen = listen
        self.coordinators = coordinators
        self.page = page
        self.apiDescription = apiDescription
        self.data = data
    }
}
