import ArgumentParser
import Configuration
import Foundation
import SystemPackage

/// What the environment and the configuration file say. A flag on the command line wins over both, the environment
/// wins over the file.
///
/// The key `coordinator.frame-deadline` is `FRAMEMESH_COORDINATOR_FRAME_DEADLINE` in the environment, and in the file
///
///     coordinator:
///       frame-deadline: 10
struct Settings: Sendable {
    private let reader: ConfigReader
    let file: ConfigurationFile?
    /// For the names of what is wrong.
    let environment: [String: String]
    let path: String?

    /// - Parameter path: of the YAML file; nil: the one that `FRAMEMESH_CONFIG` names, if it does.
    /// - Throws: `Fatal` naming the file, the line and the key that is wrong, or the variable of the environment.
    static func load(
        _ path: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> Settings {
        try EnvironmentNames.check(environment)
        var providers: [any ConfigProvider] = [
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "framemesh")
        ]
        var file: ConfigurationFile?
        let given = path ?? environment[EnvironmentNames.config].flatMap { $0.isEmpty ? nil : $0 }
        if let given {
            do {
                file = try ConfigurationFile(contentsOf: given)
            } catch {
                throw path == nil ? Fatal("\(EnvironmentNames.config): \(error)", status: error.status) : error
            }
            providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(given)))
        }
        return Settings(
            reader: ConfigReader(providers: providers), file: file, environment: environment, path: given)
    }

    func string(_ key: Key) -> String? { reader.string(forKey: ConfigKey(key.rawValue)) }

    /// - Parameter range: what it takes, in words.
    /// - Throws: `Fatal` when the text is not such a value.
    func value<Value: ExpressibleByArgument>(
        _ key: Key, as type: Value.Type = Value.self, in range: String? = nil
    ) throws -> Value? {
        guard let text = string(key) else { return nil }
        guard let value = Value(argument: text) else {
            let must = range.map { ": it must be \($0)" } ?? ""
            throw Fatal("'\(text)' is no value for \(origin(of: key.rawValue))\(must)", status: .usage)
        }
        return value
    }

    /// The flag, or else the configured number, or else the default, checked against its range.
    func number<Number: ExpressibleByArgument & Comparable & SendableMetatype>(
        _ flag: Number?, _ key: Key, default standard: Number, in range: ClosedRange<Number>
    ) throws -> Number {
        try self.number(flag, key, in: range) ?? standard
    }

    /// The flag, or else the configured number, checked against its range; nil: neither is there.
    func number<Number: ExpressibleByArgument & Comparable & SendableMetatype>(
        _ flag: Number?, _ key: Key, in range: ClosedRange<Number>
    ) throws -> Number? {
        let words = "\(range.lowerBound) to \(range.upperBound)"
        guard let number = try flag ?? value(key, in: words) else { return nil }
        guard range.contains(number) else {
            let name = flag == nil ? origin(of: key.rawValue) : key.option
            throw Fatal("\(name) is \(number), it must be \(words)", status: .usage)
        }
        return number
    }

    /// Seconds as a duration.
    func seconds(_ flag: Double?, _ key: Key, default standard: Double) throws -> Duration {
        .seconds(try number(flag, key, default: standard, in: 0...Self.maxSeconds))
    }

    /// `--timeout` of commands that ask others.
    static func check(timeout: Double) throws(ValidationError) {
        guard timeout > 0, timeout <= maxSeconds else {
            throw ValidationError("--timeout is \(timeout), it must be above 0 and at most \(Int(maxSeconds))")
        }
    }

    /// A day.
    static let maxSeconds: Double = 86_400

    /// A list at a place of the file that no key names, for example the stages of a pipeline of the user's.
    func list(at path: [String]) -> [String]? { reader.stringArray(forKey: ConfigKey(path)) }
    func string(at path: [String]) -> String? { reader.string(forKey: ConfigKey(path)) }
}
