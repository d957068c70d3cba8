public import ArgumentParser
public import Messages

// Words of the shared vocabulary, as options name them.

extension Encoding: ExpressibleByArgument {
    public init?(argument: String) {
        guard let found = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = found
    }

    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
    // The words speak for themselves.
    public static var allValueDescriptions: [String: String] { [:] }
}

extension StreamPolicy: ExpressibleByArgument {
    public init?(argument: String) {
        guard let found = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = found
    }

    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
    public static var allValueDescriptions: [String: String] { [:] }
}
