/// What is wrong with areas that somebody asks for.
package struct AreaError: Error, Sendable, Hashable {
    /// Where, e.g. `zones[0].points[2]`; empty: the whole.
    package var field: String
    package var message: String
    /// The limit that is exceeded, by its name in `AreaLimits`.
    package var limitName: String?
    package var limit: Double?

    package init(_ field: String, _ message: String, limitName: String? = nil, limit: Double? = nil) {
        self.field = field
        self.message = message
        self.limitName = limitName
        self.limit = limit
    }
}
