/// One track and one zone.
struct Stay: Sendable {
    enum News: Equatable {
        case entered
        case left(after: Int64)
    }

    /// nil until it was seen.
    private var presence: Sluggish?
    /// When it came in, microseconds.
    private var since: Int64 = 0
    private var toldDwell = false

    var isInside: Bool { presence?.side ?? false }

    mutating func see(_ inside: Bool, distance: Double, at time: Int64, settling: Int64) -> News? {
        guard presence != nil else {
            presence = Sluggish(inside)
            since = time
            return inside ? .entered : nil
        }
        guard presence?.see(inside, distance: distance, at: time, settling: settling) == true else { return nil }
        defer {
            since = time
            toldDwell = false
        }
        return inside ? .entered : .left(after: time - since)
    }

    /// True once a stay, when it has lasted for so long (microseconds).
    mutating func reaches(_ dwell: Int64, at time: Int64) -> Bool {
        guard isInside, !toldDwell, time - since >= dwell else { return false }
        toldDwell = true
        return true
    }

    /// How long it has been inside by then, microseconds.
    func duration(at time: Int64) -> Int64 { time - since }
}
