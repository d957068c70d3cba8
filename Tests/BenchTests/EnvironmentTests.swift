import Foundation
import Testing

@testable import Bench

@Suite struct EnvironmentTests {
    @Test func theProcessorAndThePinningAreRead() {
        let cpu = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: x\n"
        #expect(EnvironmentRecord.value(of: "model name", in: cpu) == "Some CPU @ 2 GHz")
        #expect(
            EnvironmentRecord.value(of: "Cpus_allowed_list", in: "Name:\tx\nCpus_allowed_list:\t0-1,4\n") == "0-1,4")
        #expect(EnvironmentRecord.value(of: "model name", in: "Hardware: y\n") == nil)
        #expect(EnvironmentRecord.value(of: "a", in: "a:  \n") == nil)
    }

    private static let hash = String(repeating: "0123456789abcdef", count: 2) + "01234567"

    @Test func aCommitIsAHashAndMayHaveChanges() {
        #expect(EnvironmentRecord.commit(described: Self.hash + "\n") == Self.hash)
        #expect(EnvironmentRecord.commit(described: Self.hash + "-dirty\n") == Self.hash + "-dirty")
        for text in ["", "v1.0", "fatal: no", String(Self.hash.prefix(12)), Self.hash + "-12-g12"] {
            #expect(EnvironmentRecord.commit(described: text) == nil, "\(text)")
        }
    }

    @Test func librariesAreThoseThatAreMapped() {
        let maps = """
            7f1-7f2 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libdnnl.so.2.6
            7f2-7f3 r--p 00001000 08:01 1 /usr/lib/x86_64-linux-gnu/libdnnl.so.2.6
            7f3-7f4 r--p 00000000 08:01 2 /usr/lib/x86_64-linux-gnu/libopencv_core.so.4.6.0
            7f4-7f5 rw-p 00000000 00:00 0 [heap]
            7f5-7f6 r--p 00000000 08:01 3 /usr/lib/x86_64-linux-gnu/libz.so.1.2.13

            """
        #expect(EnvironmentRecord.libraries(in: maps) == ["libdnnl.so.2.6", "libopencv_core.so.4.6.0"])
    }

    @Test func thisMachineHasARecord() throws {
        let record = EnvironmentRecord.read(version: "1", executable: URL(fileURLWithPath: "/proc/version"), core: "C")
        #expect(record.cores >= 1 && record.memoryMb > 0 && record.kernel.hasPrefix("Linux ") && record.version == "1")
        // Tests are linked with nghttp2, whose place in the map is behind the first page.
        #expect(record.libraries?.contains { $0.hasPrefix("libnghttp2.so") } == true, "\(record)")
        let compilers = try #require(record.compilers)
        #expect(compilers.count == 2 && compilers[0].hasPrefix("Swift 6.") && compilers[1] == "C")
        #expect(record.affinity != nil && record.commit == nil && record.builtAt != nil)
    }

    @Test func usageOfProcessesIsRead() throws {
        let stat = "12 (a (b) c) S 7 12 12 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 100 200 300 18446744073709551615"
        let usage = try #require(ProcessUsage(stat: stat, ticks: 100, pageBytes: 4096))
        #expect(usage.cpuSeconds == 3 && usage.residentBytes == 300 * 4096)
        #expect(ProcessUsage.parent(stat: stat) == 7)
        #expect(ProcessUsage(stat: "12 (a) S 7", ticks: 100, pageBytes: 4096) == nil)
        #expect(ProcessUsage.parent(stat: "") == nil && ProcessUsage.read(-1) == nil)
        #expect(try #require(ProcessUsage.read(getpid())).residentBytes > 0)
    }

    /// Threads that have ended are counted, and much less than a tick of the kernel.
    @Test func processorTimeIsKnownToLessThanATick() throws {
        let thread = Thread {
            var chance = SeededGenerator(seed: 1)
            while ProcessUsage.threadSeconds < 0.05 { _ = chance.next() }
        }
        let before = try #require(ProcessUsage.read(getpid())).cpuSeconds
        thread.start()
        // Only an ended thread shows that its time is kept; a thread of Foundation tells nobody of its end.
        while !thread.isFinished { usleep(1000) }
        var readings: [Double] = []
        for _ in 0..<50 { readings.append(try #require(ProcessUsage.read(getpid())).cpuSeconds) }
        #expect(try #require(readings.first) - before >= 0.049)
        #expect(readings == readings.sorted())
        // In ticks all of them would be multiples of 0.01.
        #expect(readings.contains { abs(($0 * 100).rounded() - $0 * 100) > 0.001 })
        #expect(ProcessUsage.clockSeconds(-1) == nil && ProcessUsage.clockSeconds(0) == nil)
    }

    @Test func usageIsReadOutOfMetrics() {
        let text =
            "# HELP process_cpu_seconds_total x\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 1048576\n"
        #expect(ProcessUsage(metrics: text) == ProcessUsage(cpuSeconds: 1.5, residentBytes: 1_048_576))
        #expect(ProcessUsage(metrics: "process_cpu_seconds_total 1.5\n") == nil)
    }

    @Test func aProcessThatBeganAgainCountsFromZero() {
        func record(_ seconds: [Double]) -> ProcessRecord {
            let usage = seconds.map { ProcessUsage(cpuSeconds: $0, residentBytes: 0) }
            return ProcessRecord(name: "x", pid: nil, usage: usage, frames: 0)
        }
        #expect(record([5, 7, 1, 2]).cpuSeconds == 4 && record([5, 7, 1, 2]).cpuSecondsPerThousand == nil)
        #expect(record([5]).cpuSeconds == 0 && record([]).cpuSeconds == 0)
    }

    @Test func memoryIsTheMostThatWasSeen() {
        let usage = zip([1, 1.5, 2], [1, 3, 2]).map { ProcessUsage(cpuSeconds: $0, residentBytes: $1 * 0x1p20) }
        let record = ProcessRecord(name: "x", pid: 1, usage: usage, frames: 1000)
        #expect(record.residentMb == 3 && record.cpuSeconds == 1 && record.cpuSecondsPerThousand == 1)
    }
}

extension ProcessUsage {
    /// Of the thread that asks.
    fileprivate static var threadSeconds: Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
