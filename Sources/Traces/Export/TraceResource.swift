/// Who tells: the process, by the names of OpenTelemetry's conventions.
package struct TraceResource: Sendable {
    /// For example `framemesh-detector`.
    package var service: String
    package var version: String
    /// Different for each process that ever was.
    package var instance: String
    package var host: String
    package var process: Int

    package init(service: String, version: String, instance: String, host: String, process: Int) {
        self.service = service
        self.version = version
        self.instance = instance
        self.host = host
        self.process = process
    }
}
