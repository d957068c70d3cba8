import Bench
import Results

/// A comparison for people and for programs.
enum ComparisonText {
    static func lines(_ comparison: Comparison) -> [String] {
        var table = Table("load", "", "before>", "after>", "change>", "95 %>", "p>", "of", "")
        for row in comparison.rows {
            table.add(
                row.load.text, row.metric, interval(row.base), interval(row.new), change(row),
                row.margin.map { "± " + percent($0, signed: false) } ?? "",
                row.probability.map { Figure.column($0, decimals: 3) } ?? "", samples(row), row.verdict.rawValue)
        }
        return (table.isEmpty ? [] : table.lines) + missing(comparison) + notes(comparison).map { "note: \($0)" }
    }

    /// Loads without rows, and why.
    private static func missing(_ comparison: Comparison) -> [String] {
        comparison.unmatched.map { "only in one of them: \($0.text)" }
            + comparison.cutShort.map {
                "without a whole window in one of them at least, which was interrupted: \($0.text)"
            }
    }

    private static func notes(_ comparison: Comparison) -> [String] {
        guard comparison.rows.contains(where: { !$0.areRuns }) else { return comparison.warnings }
        return comparison.warnings + [
            "windows of one run are no independent samples: by them, changes of up to "
                + "\(Figure.text(comparison.stability * 100, decimals: 1)) % (--stability) are none; several runs in turns, "
                + "appended to each file, can show smaller ones"
        ]
    }

    /// Of nothing there are no shares.
    private static func change(_ row: Comparison.Row) -> String {
        row.change.map { percent($0) } ?? (row.difference.mean == 0 ? "–" : "new")
    }

    private static func samples(_ row: Comparison.Row) -> String {
        "\(row.samples.base) and \(row.samples.new) \(row.areRuns ? "runs" : "windows")"
    }

    /// Processor seconds of a coordinator are hundredths, and so may be rates.
    private static func interval(_ interval: MeanInterval) -> String {
        let isLittle = interval.mean > 0 && interval.mean < 1
        let decimals = isLittle ? Figure.decimals(of: interval.mean) : 2
        return Figure.column(interval.mean, decimals: decimals)
            + (interval.margin.map { " ± " + Figure.column($0, decimals: decimals) } ?? "")
    }

    private static func percent(_ share: Double, signed: Bool = true) -> String {
        (signed && share > 0 ? "+" : "") + Figure.column(share * 100, decimals: 1) + " %"
    }

    /// Numbers, then what else is said of them.
    static func json(_ comparison: Comparison) -> [String] {
        let said = missing(comparison) + notes(comparison)
        return comparison.rows.map { json($0) } + said.map { note in JSONText.object { $0.field("note", note) } }
    }

    private static func json(_ row: Comparison.Row) -> String {
        JSONText.object { json in
            json.field("load", row.load.text)
            json.field("metric", row.metric)
            json.field("before", row.base.mean, decimals: 4)
            json.field("after", row.new.mean, decimals: 4)
            json.field("change", row.change ?? .nan, decimals: 5)
            json.field("margin", row.margin ?? .nan, decimals: 5)
            json.field("probability", row.probability ?? .nan, decimals: 6)
            json.field("samples", row.areRuns ? "runs" : "windows")
            json.field("samples_before", UInt64(row.samples.base))
            json.field("samples_after", UInt64(row.samples.new))
            json.field("verdict", row.verdict.rawValue)
        }
    }
}
