extension Comparison {
    /// How variables of the environment begin among the options of a configuration.
    private static let variable = "FRAMEMESH_"

    /// What makes the numbers of two sides those of different things, or hides something of one.
    static func warnings(_ base: [BenchResult], _ new: [BenchResult]) -> [String] {
        var warnings: [String] = []
        /// Each side may hold several: then they are not runs of the same. A value may be a list with commas.
        func compare(_ name: String, _ verb: String = "differs", _ value: (BenchResult) -> String?) {
            let (before, after) = (Set(base.map { value($0) ?? "none" }), Set(new.map { value($0) ?? "none" }))
            for (side, values) in [("first", before), ("second", after)] where values.count > 1 {
                warnings.append("\(name) \(verb) within the \(side): \(values.sorted().joined(separator: "; "))")
            }
            if before.count == 1, after.count == 1, before != after {
                warnings.append("\(name) \(verb): the first has \(before.joined()); the second has \(after.joined())")
            }
        }
        compare("what was asked") { $0.mode }
        compare("the pipeline") { $0.pipeline }
        compare("the processor") { $0.environment.cpu }
        compare("the number of cores") { "\($0.environment.cores)" }
        compare("the pinning") { $0.environment.affinity }
        compare("the kernel") { $0.environment.kernel }
        compare("the engine") { $0.engine }
        compare("the models", "differ") { $0.models.isEmpty ? nil : $0.models.joined(separator: ", ") }
        compare("the libraries", "differ") { $0.environment.libraries.map { $0.joined(separator: ", ") } }
        // Of older results neither is known, and nothing differs from that.
        if (base + new).allSatisfy({ $0.environment.compilers != nil }) {
            compare("the pair of compilers") { $0.environment.compilers?.joined(separator: ", ") }
        }
        if (base + new).allSatisfy({ $0.versions != nil }) {
            for role in Set((base + new).flatMap { ($0.versions ?? [:]).keys }).sorted() {
                compare("the version of the \(role)") { $0.versions?[role]?.joined(separator: ", ") }
            }
        }
        compare("the number of inputs") { "\($0.inputs)" }
        compare("the size of the inputs") { "\($0.inputBytes)" }
        for option in Set((base + new).flatMap(\.configuration.keys)).sorted() {
            let name = option.hasPrefix(variable) ? "the variable \(option)" : "--\(option)"
            compare(name) { $0.configuration[option] }
        }
        for (side, results) in [("first", base), ("second", new)] {
            let unstable = results.flatMap(\.points).count { !$0.isStable }
            if unstable > 0 {
                warnings.append("of the \(side), \(unstable) point\(unstable == 1 ? " was" : "s were") unstable")
            }
            let overdue = results.flatMap(\.points).filter(\.hasOverdueFrames)
            if let oldest = overdue.map(\.oldestUnansweredMs).max() {
                warnings.append(
                    "of the \(side), \(overdue.count) point\(overdue.count == 1 ? "" : "s") had frames without an answer at "
                        + "the end, the oldest after \(Figure.text(oldest, decimals: 1)) ms, which no window shows")
            }
            let hidden: [(what: String, points: Int)] = [
                ("failures", results.flatMap(\.points).count { !$0.errorsOutsideWindows.isEmpty }),
                ("partial answers", results.flatMap(\.points).count { !$0.partialsOutsideWindows.isEmpty }),
            ]
            for (what, points) in hidden where points > 0 {
                warnings.append(
                    "of the \(side), \(points) point\(points == 1 ? "" : "s") had \(what) that no window shows")
            }
            for (isBehind, one, several) in [
                (false, "before its time", "before their time"),
                (true, "with an error behind its last window", "with an error behind their last windows"),
            ] {
                let ended = results.filter { $0.isCutShort && $0.endedBehindWindows == isBehind }
                guard !ended.isEmpty else { continue }
                let reasons = Set(ended.compactMap(\.error)).sorted().joined(separator: "; ")
                warnings.append(
                    "of the \(side), \(ended.count == 1 ? "1 run ended \(one)" : "\(ended.count) runs ended \(several)")"
                        + (reasons.isEmpty ? "" : ": \(reasons)"))
            }
        }
        return warnings
    }
}
