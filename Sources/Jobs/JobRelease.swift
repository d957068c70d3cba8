/// Why a gateway gives a job back that is not done.
package enum JobRelease: Sendable, Hashable {
    /// The gateway stops. Another one may begin at once.
    case ending
    /// What the work needs is not there, which is no fault of the job's.
    /// - waitingFor: in plain words.
    case absent(waitingFor: String)
    /// Something failed that another attempt may do better; a few times.
    case failed(waitingFor: String)
}

/// How long a job that was given back is left alone.
package struct JobPauses: Sendable, Hashable {
    package var first: Duration
    package var longest: Duration
    private static let factor: Int64 = 4

    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// - Parameter claims: in a row that brought no frame; each makes the pause four times as long.
    func after(_ claims: Int64) -> Duration {
        var pause = first
        for _ in 1..<max(1, min(claims, Job.maxFruitlessClaims)) { pause = min(pause * Int(Self.factor), longest) }
        return min(pause, longest)
    }
}
