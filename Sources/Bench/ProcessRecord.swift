/// What one process took while a point was measured.
package struct ProcessRecord: Sendable, Codable, Equatable {
    /// Its role, or what it was named by.
    package var name: String
    /// nil: on another machine.
    package var pid: Int32?
    package var cpuSeconds: Double
    /// Processor seconds of 1,000 answered frames; nil: none was answered.
    package var cpuSecondsPerThousand: Double?
    /// The most that was seen at the ends of windows, in RAM; 1 MB is 2^20 bytes.
    package var residentMb: Double

    /// - Parameters:
    ///   - usage: what it had taken, in the order of the times at which it was asked; what it took after the last is not known.
    ///   - frames: that were answered meanwhile.
    package init(name: String, pid: Int32?, usage: [ProcessUsage], frames: UInt64) {
        self.name = name
        self.pid = pid
        // A process that was started again begins at zero.
        cpuSeconds = zip(usage, usage.dropFirst()).reduce(0) { sum, pair in
            let (earlier, later) = (pair.0.cpuSeconds, pair.1.cpuSeconds)
            return sum + (later >= earlier ? later - earlier : later)
        }
        cpuSecondsPerThousand = frames == 0 ? nil : cpuSeconds / Double(frames) * 1000
        residentMb = (usage.map(\.residentBytes).max() ?? 0) / 0x1p20
    }
}
