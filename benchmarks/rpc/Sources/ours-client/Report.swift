import Foundation

/// CPU that this process has used.
enum CPUTime {
    /// Seconds, user and system.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// One line of JSON.
struct Report {
    let options: Options
    let result: Load.Result
    let cpu: Double
    let probe: Load.Result?

    var json: String {
        let calls = Double(max(1, result.calls.count))
        let bytes = Double(options.bytes + (options.attachment ?? 0))
        var fields = [
            "\"path\":\"\(options.path)\"", "\"connections\":\(options.connections)",
            "\"outstanding\":\(options.outstanding)", "\"bytes\":\(options.bytes)",
            "\"attachment\":\(options.attachment.map(String.init) ?? "null")",
            "\"calls\":\(result.calls.count)", "\"failures\":\(result.failures)",
            "\"seconds\":\(number(result.seconds, 6))",
            "\"rps\":\(number(calls / result.seconds, 0))",
            "\"mb_per_s\":\(number(calls * bytes / result.seconds / 1e6, 1))",
            "\"p50_us\":\(number(result.calls.quantile(0.5), 1))",
            "\"p99_us\":\(number(result.calls.quantile(0.99), 1))",
            "\"client_cpu_us_per_call\":\(number(cpu * 1e6 / calls, 2))",
        ]
        if let probe {
            fields.append("\"probes\":\(probe.calls.count)")
            fields.append("\"probe_p50_us\":\(number(probe.calls.quantile(0.5), 1))")
            fields.append("\"probe_p99_us\":\(number(probe.calls.quantile(0.99), 1))")
            fields.append("\"probe_failures\":\(probe.failures)")
        }
        return "{\(fields.joined(separator: ","))}"
    }

    private func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
