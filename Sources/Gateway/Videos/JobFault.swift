/// Why a job fails for good: no other gateway would fare better.
struct JobFault: Error, CustomStringConvertible {
    /// For its owner. No paths, no addresses.
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}
