import ArgumentParser
import Vision

/// What runs the networks.
struct EngineOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What runs the networks: \(Engine.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "engine"))
    var engine: String?

    /// - Throws: `Fatal` where there is no such engine, or it cannot be used here.
    func engine(_ key: Settings.Key, _ settings: Settings) throws -> Engine {
        try explicit(key, settings) ?? .standard
    }

    /// The same; nil where nothing says it.
    func explicit(_ key: Settings.Key, _ settings: Settings) throws -> Engine? {
        try settings.parsed(engine, key) { try Self.engine(named: $0) }
    }

    /// That of a command which has no settings.
    func chosen() throws -> Engine { try engine.map(Self.engine(named:)) ?? .standard }

    private static func engine(named name: String) throws -> Engine {
        guard let engine = Engine(rawValue: name) else {
            let known = Engine.allCases.map(\.rawValue).joined(separator: ", ")
            throw Fatal("there is no engine '\(name)', there are \(known)", status: .usage)
        }
        do {
            try engine.check()
        } catch {
            throw Fatal(error.message, status: .usage)
        }
        return engine
    }
}
