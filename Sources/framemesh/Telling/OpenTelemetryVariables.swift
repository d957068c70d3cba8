import Foundation
import RPC
import Traces

/// The variables of the environment by which OpenTelemetry's programs are told where to send their traces, as far as they fit:
/// we speak OTLP over gRPC, and nothing else. Ours win over them.
struct OpenTelemetryVariables {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    /// What is said of traces alone wins over what is said of all signals.
    private func value(_ name: String) -> (variable: String, value: String)? {
        for variable in ["OTEL_EXPORTER_OTLP_TRACES_\(name)", "OTEL_EXPORTER_OTLP_\(name)"] {
            if let value = environment[variable], !value.isEmpty { return (variable, value) }
        }
        return nil
    }

    /// nil: they name none, or one for another protocol.
    /// - Throws: `Fatal` that names the variable.
    func endpoint() throws(Fatal) -> TraceEndpoint? {
        guard environment["OTEL_SDK_DISABLED"]?.lowercased() != "true",
            ["", "otlp"].contains(environment["OTEL_TRACES_EXPORTER"] ?? ""),
            ["grpc", nil].contains(value("PROTOCOL")?.value), let (variable, text) = value("ENDPOINT")
        else { return nil }
        do {
            return try TraceEndpoint(parsing: text)
        } catch {
            throw Fatal("\(variable): \(error.message)", status: .usage)
        }
    }

    /// The name of the service.
    var service: String? { environment["OTEL_SERVICE_NAME"].flatMap { $0.isEmpty ? nil : $0 } }

    /// `name=value,name=value`, values in percent encoding. What cannot be sent is left out.
    var headers: Metadata {
        var headers = Metadata()
        for field in (value("HEADERS")?.value ?? "").split(separator: ",") {
            guard let sign = field.firstIndex(of: "=") else { continue }
            let name = field[..<sign].filter { $0 != " " }
            let value = field[field.index(after: sign)...].trimmingPrefix { $0 == " " }
            headers.add(String(name), String(value).removingPercentEncoding ?? String(value))
        }
        return headers
    }
}
