/// What is wrong with areas that somebody asks for.
package struct AreaError: Error, Sendable, Hashable {
    /// Where, e.g. `zones[0].points[2]`; empty: the whole.
    package var field: String
    package var message: String
    /// The limit that is exceeded, by its name in `AreaLimits`.
    package var limitName: String?
    package var limit: Double?
    /// What could have stood there instead.
    package var known: [String]

    package init(
        _ field: String, _ message: String, limitName: String? = nil, limit: Double? = nil, known: [String] = []
    ) {
        self.field = field
        self.message = message
        self.limitName = limitName
        self.limit = limit
        self.known = known
    }
}
