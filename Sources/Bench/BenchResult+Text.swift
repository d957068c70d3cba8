/// What reports for people say of a whole run, each without a capital and a full stop.
extension BenchResult {
    /// nil: all parts that said it are of the version of the program that measured.
    package var versionNote: String? {
        let others = otherVersions.map { "\($0.role) \($0.versions.joined(separator: " and "))" }
        guard !others.isEmpty else { return nil }
        let list = others.joined(separator: ", ")
        return "note: measured with version \(environment.version), and of another are: \(list)"
    }

    /// - Parameters:
    ///   - percentile: of the latency that the limit is about; nil: its mean.
    ///   - limit: milliseconds; nil: there was none.
    package func remarks(percentile: Double?, limit: Double?) -> [String] {
        var remarks: [String] = []
        if endedInWarmUp == true {
            remarks.append("the next point was not measured: the run ended in its warm-up")
        }
        if let errorText { remarks.append(errorText) }
        if let limit { remarks.append(answer(percentile, limit)) }
        return remarks + capacityRemarks
    }

    /// The most at once, as far as it is known.
    private func answer(_ percentile: Double?, _ limit: Double) -> String {
        let latency = "\(LatencyFigures.name(of: percentile)) of \(Figure.text(limit, decimals: 3)) ms"
        guard let bestConcurrency else {
            return isCutShort
                ? "it ended before anything was known to stay within a \(latency)"
                : "nothing that was measured stays within a \(latency)"
        }
        let most = "\(bestConcurrency)\(isBestUnstable ? " (unstable: its windows did not agree)" : "")"
        if isCutShort { return "it ended before its answer: within a \(latency) are at least \(most)" }
        if isBestTheMost { return "no more were tried: within a \(latency) are at least \(most)" }
        return "most at once within a \(latency): \(most)"
    }

    private var capacityRemarks: [String] {
        guard let capacity else { return [] }
        var remarks = ["capacity: \(Figure.rate(capacity)) frames/s"]
        let goodput = points.filter { $0.load.factor ?? 0 >= 1 }.map(\.framesPerSecond)
        if let least = goodput.min(), capacity > 0 {
            remarks.append("least goodput under overload: \(Figure.text(least / capacity * 100, decimals: 0)) % of it")
        }
        if let most = beyondCapacity {
            remarks.append(
                "note: up to \(Figure.rate(most)) frames/s were answered under overload: the capacity was measured with "
                    + "too few callers (--concurrency), and the multiples are of too little")
        }
        return remarks
    }
}
