/// What a route asks of its caller.
package enum Access: String, Sendable, Hashable, CaseIterable {
    /// Nothing: the page, its parts, health.
    case open
    /// The scope `analyze`; anybody where there are no credentials.
    case analyze
    /// The scope `admin`; only callers on this machine where there are no credentials.
    case admin
}
