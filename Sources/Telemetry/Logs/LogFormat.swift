/// How a line of the log looks.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: time, level, label, message, and then `key=value` for each field.
    case text
    /// For programs: one JSON object a line.
    case json
}
