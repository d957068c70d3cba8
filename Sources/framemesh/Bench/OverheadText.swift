import Bench

/// What a coordinator costs, for people.
enum OverheadText {
    static func lines(_ overhead: Overhead) -> [String] {
        var table = Table("", "p50 ms>", "mean ms>", "frames/s>", "coordinator>", "node>", "bench>")
        for (name, way) in [
            ("the node directly", overhead.direct), ("through the coordinator", overhead.through),
            ("more", overhead.added),
        ] {
            func processor(_ role: String) -> String {
                way.processor[role].map { Figure.column($0, decimals: 0) } ?? "–"
            }
            table.add(
                name, Figure.column(way.p50, decimals: 3), Figure.column(way.mean, decimals: 3),
                Figure.rate(way.framesPerSecond), processor("coordinator"), processor("node"),
                processor("bench"))
        }
        return ["What the coordinator costs; of processes the processor time of a frame, µs:"] + table.lines
    }
}
