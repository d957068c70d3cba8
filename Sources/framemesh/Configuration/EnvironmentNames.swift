import RPC

/// The environment variables that Framemesh reads, checked before anything is read from them: one that is not known is
/// an error, as a key of the file would be.
enum EnvironmentNames {
    static let prefix = "FRAMEMESH_"
    /// Names the configuration file.
    static let config = prefix + "CONFIG"
    /// Folders of models, separated by `:`.
    static let models = prefix + "MODELS"
    /// What `client.coordinator` says too.
    static let coordinator = prefix + "COORDINATOR"

    /// Where OpenVINO's library lies; read by the core (Sources/CVision/openvino).
    static let openVINO = prefix + "OPENVINO"

    static let all = [config, models, coordinator, openVINO] + Settings.knownKeys.map(name(of:))

    /// `coordinator.frame-deadline` is `FRAMEMESH_COORDINATOR_FRAME_DEADLINE`.
    static func name(of key: String) -> String {
        prefix + key.uppercased().map { $0.isLetter ? String($0) : "_" }.joined()
    }

    /// Those of ours that may be shown: neither tokens and passwords, nor URLs, which may hold one.
    static func shown(_ environment: [String: String]) -> [String: String] {
        environment.filter { name, _ in
            name.hasPrefix(prefix) && !["TOKEN", "KEY", "SECRET", "PASSWORD", "URL"].contains { name.contains($0) }
        }
    }

    /// - Throws: `Fatal` naming the first variable, by name, that is not known, and what may be meant.
    static func check(_ environment: [String: String]) throws(Fatal) {
        let known = Set(all)
        let unknown = environment.keys.filter { $0.hasPrefix(prefix) && !known.contains($0) }
        guard let name = unknown.min() else { return }
        let limits = Settings.keysOfLimit { Self.name(of: $0) == name }.map(Self.name(of:))
        let meant = limits.isEmpty ? [Spelling.nearest(to: name, of: all)].compactMap(\.self) : limits
        let question = meant.isEmpty ? "" : ", did you mean \(meant.joined(separator: " or "))?"
        throw Fatal("unknown environment variable \(name)\(question)", status: .usage)
    }
}
