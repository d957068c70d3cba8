/// What one process took while a point was measured.
package struct ProcessRecord: Sendable, Codable, Equatable {
    /// Its role, or what it was named by.
    package var name: String
    /// nil: on another machine.
    package var pid: Int32?
    package var cpuSeconds: Double
    /// Processor seconds of 1,000 answered frames; nil: none was answered.
    package var cpuSecondsPerThousand: Double?
    /// At the end, in RAM; 1 MB is 2^20 bytes.
    package var residentMb: Double

    /// - Parameter frames: that were answered meanwhile.
    package init(name: String, pid: Int32?, from before: ProcessUsage, to after: ProcessUsage, frames: UInt64) {
        self.name = name
        self.pid = pid
        // A process that was started again begins at zero.
        cpuSeconds = max(0, after.cpuSeconds - before.cpuSeconds)
        cpuSecondsPerThousand = frames == 0 ? nil : cpuSeconds / Double(frames) * 1000
        residentMb = after.residentBytes / 0x1p20
    }
}
