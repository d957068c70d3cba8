import Foundation

/// What a process of this machine had taken at some time, as Linux tells it.
package struct ProcessUsage: Sendable, Equatable {
    /// User and system time of all its threads, those that have ended too.
    package var cpuSeconds: Double
    /// In RAM.
    package var residentBytes: Double

    /// Seconds in which the kernel counts, where it tells no more.
    static let tick = 0.01

    package init(cpuSeconds: Double, residentBytes: Double) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
    }

    /// - Parameters:
    ///   - stat: `/proc/PID/stat`, see proc(5). The name of the executable may hold spaces and parentheses.
    ///   - ticks: of a second.
    /// - Returns: nil if it is none.
    package init?(stat: String, ticks: Double, pageBytes: Double) {
        guard let fields = Self.fields(stat), fields.count > 21, let user = Double(fields[11]),
            let system = Double(fields[12]), let resident = Double(fields[21])
        else { return nil }
        cpuSeconds = (user + system) / ticks
        residentBytes = resident * pageBytes
    }

    /// The process that started the one of `stat`.
    package static func parent(stat: String) -> Int32? {
        fields(stat).flatMap { $0.count > 1 ? Int32($0[1]) : nil }
    }

    /// It has ended: its number is kept until who started it asks how.
    package static func hasEnded(stat: String) -> Bool { fields(stat)?.first.map { "ZX".contains($0) } ?? false }

    /// From field 3 of the manual page.
    private static func fields(_ stat: String) -> [Substring]? {
        stat.lastIndex(of: ")").map { stat[stat.index(after: $0)...].split(separator: " ") }
    }

    /// - Returns: nil if there is no such process, or it is hidden from us.
    package static func read(_ pid: Int32) -> ProcessUsage? {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        var usage = ProcessUsage(
            stat: stat, ticks: Double(sysconf(Int32(_SC_CLK_TCK))), pageBytes: Double(sysconf(Int32(_SC_PAGESIZE))))
        // That counts in ticks of 10 ms, of which a window has few.
        if let seconds = clockSeconds(pid) { usage?.cpuSeconds = seconds }
        return usage
    }

    /// By the process's own clock, which counts nanoseconds on a processor. The threads' `schedstat` would too, but not of those
    /// that have ended, and not every kernel has it.
    /// - Returns: nil where the kernel does not tell us.
    static func clockSeconds(_ pid: Int32) -> Double? {
        var clock = clockid_t()
        var time = timespec()
        // Of 0 and below it is another's than it seems.
        guard pid > 0, unsafe clock_getcpuclockid(pid, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
            return nil
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Out of a role's `/metrics`: it may be on another machine.
    /// - Returns: nil if the text does not tell both.
    package init?(metrics: String) {
        var values: [Substring: Double] = [:]
        for line in metrics.split(separator: "\n") where line.hasPrefix("process_") {
            let words = line.split(separator: " ")
            if words.count >= 2, let name = words[0].split(separator: "{").first { values[name] = Double(words[1]) }
        }
        guard let cpu = values["process_cpu_seconds_total"], let resident = values["process_resident_memory_bytes"]
        else { return nil }
        self.init(cpuSeconds: cpu, residentBytes: resident)
    }
}
