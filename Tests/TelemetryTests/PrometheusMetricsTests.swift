import Metrics
import Testing

@testable import Telemetry

@Suite struct PrometheusMetricsTests {
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
        #expect(metrics.text == "# TYPE n counter\nn{a=\"1\",b=\"2\"} 4\n")
    }

    @Test func seriesHaveALimit() {
        let metrics = PrometheusMetrics()
        for number in 0..<PrometheusMetrics.maxSeries + 5 {
            Counter(label: "n", dimensions: [("a", "\(number)")], factory: metrics).increment()
        }
        #expect(metrics.text.split(separator: "\n").count == PrometheusMetrics.maxSeries + 1)
    }
}
