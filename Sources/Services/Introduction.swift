import Foundation
public import RPC

/// What a role says of itself to one who asks for it in the metadata of a call: its version, and the time that its clock shows.
/// Nobody else gets that, so the calls of frames stay as small as they are.
public enum Introduction {
    /// That a caller asks by.
    public static let question = "framemesh-introduce"
    static let versionField = "framemesh-version"
    /// Microseconds since the epoch.
    static let timeField = "framemesh-time"

    public static var asking: Metadata { [question: "1"] }

    /// What the answer of a role says.
    public static func version(in metadata: Metadata) -> String? { metadata[versionField] }

    /// Seconds since the epoch.
    public static func time(in metadata: Metadata) -> Double? {
        metadata[timeField].flatMap(Int64.init).map { Double($0) / 1e6 }
    }
}

extension UnaryResponse {
    /// With what the caller has asked for.
    func introducing(_ version: String, to context: CallContext) -> UnaryResponse {
        guard !context.metadata.isEmpty, context.metadata[Introduction.question] != nil else { return self }
        var response = self
        response.metadata.add(Introduction.versionField, version)
        response.metadata.add(Introduction.timeField, "\(Int64(Date().timeIntervalSince1970 * 1e6))")
        return response
    }
}
