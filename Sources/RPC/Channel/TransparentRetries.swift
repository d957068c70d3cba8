/// Attempts that surely reached no handler are made again whatever the policy says, and are not counted (gRPC proposal
/// A6, "Transparent Retries"): without limit if nothing was sent, once if the server refused the stream or said GOAWAY
/// below its id.
struct TransparentRetries {
    /// Each needs a connection that ends between being picked and being used. So many in a row are no accident.
    static let unsentLimit = 16

    private(set) var count = 0
    /// `unsentLimit` has ended it.
    private(set) var isUsedUp = false
    private var wasRefused = false

    /// - Returns: the failed attempt is to be made again at once.
    mutating func takes(_ error: RPCError) -> Bool {
        // Other codes are ours: cancelled, the deadline, too many calls that wait for a stream.
        guard error.neverStarted, error.code == .unavailable else { return false }
        if error.wasRefused {
            if wasRefused { return false }
            wasRefused = true
        } else if count >= Self.unsentLimit {
            isUsedUp = true
            return false
        }
        count += 1
        return true
    }
}
