import Foundation
import Metrics
import Testing

@testable import Telemetry

@Suite struct PrometheusMetricsTests {
    /// All but what every process has.
    private static func text(_ metrics: PrometheusMetrics) -> String {
        metrics.text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains(MetricCatalogue.overflow) }.joined(separator: "\n")
    }

    @Test func everyKindIsWrittenAsPrometheusReadsIt() {
        let metrics = PrometheusMetrics()
        let ok = Counter(
            label: "requests_total", dimensions: [("status", "200"), ("route", "/a\"\\\n")], factory: metrics)
        ok.increment(by: 3)
        Counter(label: "requests_total", dimensions: [("status", "404"), ("route", "/")], factory: metrics).increment()
        Meter(label: "in.flight", factory: metrics).set(2)
        FloatingPointCounter(label: "seconds_total", factory: metrics).increment(by: 0.5)
        let timer = Timer(label: "call_seconds", factory: metrics)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(60_000_000_000)
        let text = metrics.text
        #expect(text.contains(#"requests_total{route="/a\"\\\n",status="200"} 3"# + "\n"))
        #expect(text.split(separator: "# TYPE requests_total counter").count == 2, "one line for all its series")
        #expect(text.contains("# TYPE in_flight gauge\nin_flight 2.0\n"))
        #expect(text.contains("seconds_total 0.5\n"))
        #expect(text.contains("call_seconds_bucket{le=\"0.001\"} 0\ncall_seconds_bucket{le=\"0.0025\"} 1\n"))
        #expect(text.contains("call_seconds_bucket{le=\"30.0\"} 1\ncall_seconds_bucket{le=\"+Inf\"} 2\n"))
        #expect(text.contains("call_seconds_sum 60.002\ncall_seconds_count 2\n"))
    }

    @Test func oneNameIsOneSeries() {
        let metrics = PrometheusMetrics()
        for _ in 0..<3 { Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment() }
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: metrics).increment()
        #expect(Self.text(metrics) == "# TYPE n counter\nn{a=\"1\",b=\"2\"} 4\n")
    }

    @Test func whatIsKnownHasAWordOfHelp() {
        let metrics = PrometheusMetrics()
        metrics.observe("framemesh_queue_depth", [("role", "detector")]) { 3 }
        #expect(
            Self.text(metrics) == """
                # HELP framemesh_queue_depth Frames that wait for a worker of this node, or for a node.
                # TYPE framemesh_queue_depth gauge
                framemesh_queue_depth{role="detector"} 3.0

                """)
    }

    @Test func whatIsObservedIsReadForEachScrape() {
        let metrics = PrometheusMetrics()
        let reads = AtomicDouble()
        metrics.observe("reads_total", as: .counter) {
            reads.add(1)
            return reads.value
        }
        #expect(Self.text(metrics) == "# TYPE reads_total counter\nreads_total 1.0\n")
        #expect(Self.text(metrics) == "# TYPE reads_total counter\nreads_total 2.0\n")
    }

    @Test func batchesHaveBoundsOfTheirOwn() {
        let metrics = PrometheusMetrics()
        let sizes = Recorder(label: "framemesh_batch_size", aggregate: true, factory: metrics)
        sizes.record(3)
        #expect(
            metrics.text.contains(
                "framemesh_batch_size_bucket{le=\"2.0\"} 0\nframemesh_batch_size_bucket{le=\"3.0\"} 1\n"))
    }

    @Test func threadsAddWithoutLosingAny() async {
        let metrics = PrometheusMetrics()
        let timer = Timer(label: "t_seconds", factory: metrics)
        let meter = Meter(label: "m", factory: metrics)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    for _ in 0..<5000 {
                        timer.recordNanoseconds(500_000_000)
                        meter.increment()
                    }
                }
            }
        }
        let text = metrics.text
        #expect(text.contains("t_seconds_bucket{le=\"0.25\"} 0\nt_seconds_bucket{le=\"0.5\"} 40000\n"))
        #expect(text.contains("t_seconds_sum 20000.0\nt_seconds_count 40000\n"))
        #expect(text.contains("m 40000.0\n"))
    }

    @Test func aMetricWithTooManyLabelsIsCutAndTheRestCounted() {
        var limits = MetricsLimits()
        limits.maxSeriesOfMetric = 3
        let metrics = PrometheusMetrics(limits: limits)
        for number in 0..<5 {
            Counter(label: "n", dimensions: [("a", "\(number)")], factory: metrics).increment()
        }
        Counter(label: "other", factory: metrics).increment()
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("n{") } == 3)
        #expect(lines.contains("other 1"), "One metric's labels are not another's loss.")
        #expect(lines.contains("framemesh_metrics_overflow_total 2"))
    }

    @Test func allSeriesTogetherHaveALimit() {
        var limits = MetricsLimits()
        limits.maxSeries = 10
        let metrics = PrometheusMetrics(limits: limits)
        for number in 0..<15 { Counter(label: "n_\(number)", factory: metrics).increment() }
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("n_") } == 10)
        #expect(lines.contains("framemesh_metrics_overflow_total 5"))
    }
}

@Suite struct ProcessStatusTests {
    @Test func linuxIsReadWhateverTheExecutableIsCalled() throws {
        let stat = "4242 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 17 18 900 4096000 25 18446744073709551615"
        let status = try #require(ProcessStatus(stat: stat, ticks: 100, pageBytes: 4096))
        #expect(status.cpuSeconds == 2)
        #expect(status.threads == 17)
        #expect(status.startTime == 9)
        #expect(status.virtualBytes == 4_096_000)
        #expect(status.residentBytes == 102_400)
        #expect(ProcessStatus(stat: "4242 (a) S 1 2", ticks: 100, pageBytes: 4096) == nil)
    }

    @Test func thisProcessIsSeenAsItIs() throws {
        let metrics = PrometheusMetrics()
        metrics.observeProcess(role: "test", version: "1.2.3")
        let text = metrics.text
        #expect(text.contains("framemesh_build_info{role=\"test\",version=\"1.2.3\"} 1.0\n"))
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_048_576)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        let start = try value("process_start_time_seconds")
        let now = Date().timeIntervalSince1970
        #expect(start > now - 86_400 && start < now + 5)
    }
}

@Suite struct MetricDocumentTests {
    /// docs/observability.md names every metric, and no other; its other sections have tables of other things.
    @Test func theDocumentListsEveryMetric() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/observability.md"), encoding: .utf8)
        let metrics = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix("Metrics\n") })
        let rows = metrics.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let names = rows.flatMap {
            $0.split(separator: "|")[0].matches(of: /`([a-z_]+)(?:\{[^}]*\})?`/).map { String($0.output.1) }
        }
        #expect(Set(names) == Set(MetricCatalogue.entries.keys))
        #expect(names.count == MetricCatalogue.entries.count, "each once")
    }
}
