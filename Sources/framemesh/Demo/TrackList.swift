import Messages
import Results

/// What was followed through a video.
struct TrackList {
    /// Fewer frames than this are a flicker, not a track to show.
    static let minFrames = 10

    private struct Life {
        var first: UInt64
        var last: UInt64
        var frames = 0
        var readings: [String: Int] = [:]
    }
    private var lives: [UInt64: Life] = [:]

    mutating func add(_ response: AnalyzeResponse) {
        for detection in response.detections {
            guard let id = detection.trackID else { continue }
            var life = lives[id] ?? Life(first: response.sequence, last: response.sequence)
            life.last = response.sequence
            life.frames += 1
            life.readings[NumberReader.text(detection), default: 0] += 1
            lives[id] = life
        }
    }

    /// One row a track, with what it was read as most often.
    var table: Table {
        var table = Table("track>", "digit", "frames>", "from>", "to>", "read so>")
        for (id, life) in lives.sorted(by: { $0.key < $1.key }) where life.frames >= Self.minFrames {
            let best = life.readings.max { ($0.value, $1.key) < ($1.value, $0.key) }
            let share = Double(best?.value ?? 0) / Double(life.frames)
            table.add(
                "\(id)", best?.key ?? "", "\(life.frames)", "\(life.first)", "\(life.last)",
                JSONText.number(share * 100, decimals: 0) + "%")
        }
        return table
    }
}
