/// Attempts that surely reached no handler are made again whatever the policy says, and are not counted (gRPC proposal
/// A6, "Transparent Retries"): without limit if nothing was sent, once if the server refused the stream or said GOAWAY
/// below its id.
struct TransparentRetries {
    /// Attempts that were never sent, one after the other. Each needs a connection that ends between being picked and being
    /// used: so many in a row are no accident.
    let maxUnsent: Int
    private(set) var count = 0
    /// `maxUnsent` has ended it.
    private(set) var isUsedUp = false
    private var wasRefused = false

    init(maxUnsent: Int) { self.maxUnsent = maxUnsent }

    /// - Returns: the failed attempt is to be made again at once.
    mutating func takes(_ error: RPCError) -> Bool {
        // Other codes are ours: cancelled, the deadline, too many calls that wait for a stream.
        guard error.neverStarted, error.code == .unavailable else { return false }
        if error.wasRefused {
            if wasRefused { return false }
            wasRefused = true
        } else if count >= maxUnsent {
            isUsedUp = true
            return false
        }
        count += 1
        return true
    }
}
