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

    @Test func theCommitIsThatOfTheBranch() {
        let files = ["refs/heads/main": Self.hash + "\n", "packed-refs": "# x\n\(Self.hash) refs/heads/other\n"]
        #expect(EnvironmentRecord.commit(head: "ref: refs/heads/main\n") { files[$0] } == Self.hash)
        #expect(EnvironmentRecord.commit(head: "ref: refs/heads/other\n") { files[$0] } == Self.hash)
        #expect(EnvironmentRecord.commit(head: Self.hash + "\n") { files[$0] } == Self.hash)
        for head in ["ref: refs/heads/none", "ref: ../../etc/passwd", "no hash", ""] {
            #expect(
                EnvironmentRecord.commit(head: head) { $0.contains("passwd") ? Self.hash : files[$0] } == nil, "\(head)"
            )
        }
    }

    @Test func thisMachineHasARecord() {
        let record = EnvironmentRecord.read(version: "1", executable: URL(fileURLWithPath: "/nowhere/x"))
        #expect(record.cores >= 1 && record.memoryMb > 0 && record.kernel.hasPrefix("Linux ") && record.version == "1")
        #expect(record.affinity != nil && record.commit == nil)
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

    @Test func usageIsReadOutOfMetrics() {
        let text =
            "# HELP process_cpu_seconds_total x\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 1048576\n"
        #expect(ProcessUsage(metrics: text) == ProcessUsage(cpuSeconds: 1.5, residentBytes: 1_048_576))
        #expect(ProcessUsage(metrics: "process_cpu_seconds_total 1.5\n") == nil)
    }

    @Test func aProcessThatBeganAgainTookNothingLess() {
        let record = ProcessRecord(
            name: "x", pid: nil, from: ProcessUsage(cpuSeconds: 5, residentBytes: 0),
            to: ProcessUsage(cpuSeconds: 1, residentBytes: 0), frames: 0)
        #expect(record.cpuSeconds == 0 && record.cpuSecondsPerThousand == nil)
    }
}
