import Foundation

/// What Linux says of this process in `/proc/self`.
struct ProcessStatus {
    var cpuSeconds: Double
    /// After the boot of the machine.
    var startTime: Double
    var threads: Double
    var virtualBytes: Double
    var residentBytes: Double

    /// - Parameters:
    ///   - stat: `/proc/self/stat`, see proc(5). The name of the executable may hold spaces and parentheses.
    ///   - ticks: of a second.
    init?(stat: String, ticks: Double, pageBytes: Double) {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        // The first is field 3 of the manual page.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        func field(_ number: Int) -> Double? { fields.count > number - 3 ? Double(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let virtual = field(23), let resident = field(24)
        else { return nil }
        cpuSeconds = (user + system) / ticks
        startTime = start / ticks
        self.threads = threads
        virtualBytes = virtual
        residentBytes = resident * pageBytes
    }

    static func read() -> ProcessStatus? {
        guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8) else { return nil }
        return ProcessStatus(
            stat: stat, ticks: Double(sysconf(Int32(_SC_CLK_TCK))), pageBytes: Double(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Seconds since the epoch at which the machine was started.
    static func bootTime() -> Double? {
        // It has no size, and `String(contentsOfFile:)` takes its first page for all of it: some forty cores fill one.
        guard let bytes = try? FileHandle(forReadingAtPath: "/proc/stat")?.readToEnd() else { return nil }
        let stat = String(decoding: bytes, as: UTF8.self)
        return stat.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    static func openFiles() -> Int? { try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }

    /// The soft limit. Nil: there is none.
    static func maxFiles() -> Double? {
        guard let limits = try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8),
            let line = limits.split(separator: "\n").first(where: { $0.hasPrefix("Max open files") })
        else { return nil }
        return line.dropFirst("Max open files".count).split(separator: " ").first.flatMap { Double($0) }
    }
}

extension PrometheusMetrics {
    /// Shows what the process takes, under the names that all of Prometheus' clients use, and which version it is.
    /// - Parameter version: of the executable.
    public func observeProcess(role: String, version: String) {
        observe("framemesh_build_info", [("role", role), ("version", version)]) { 1 }
        func show(_ name: String, as kind: MetricKind = .gauge, _ read: @escaping @Sendable () -> Double?) {
            observe(name, as: kind) { read() ?? .nan }
        }
        show("process_cpu_seconds_total", as: .counter) { ProcessStatus.read()?.cpuSeconds }
        show("process_threads") { ProcessStatus.read()?.threads }
        show("process_virtual_memory_bytes") { ProcessStatus.read()?.virtualBytes }
        show("process_resident_memory_bytes") { ProcessStatus.read()?.residentBytes }
        show("process_open_fds") { ProcessStatus.openFiles().map(Double.init) }
        show("process_max_fds") { ProcessStatus.maxFiles() }
        let start = ProcessStatus.read().flatMap { status in ProcessStatus.bootTime().map { $0 + status.startTime } }
        if let start { show("process_start_time_seconds") { start } }
    }
}
