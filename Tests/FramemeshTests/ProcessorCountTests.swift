import Foundation
import Testing

@testable import framemesh

/// Files as the kernel has them.
@Suite struct ProcessorCountTests {
    private func usable(of cores: Int, _ files: [String: String]) throws -> Int {
        let folder = FileManager.default.temporaryDirectory.appending(path: "processors-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let count = ProcessorCount(
            process: folder.appending(path: "self").path, groups: folder.appending(path: "groups").path)
        return count.usable(of: cores)
    }

    @Test func withoutAnyWordItIsAllCores() throws {
        #expect(try usable(of: 8, [:]) == 8)
        #expect(try usable(of: 8, ["self/status": "Name:\tx\n", "self/cgroup": "0::/\n"]) == 8)
        #expect(ProcessorCount.usable >= 1)
    }

    @Test(arguments: [("0-7", 8), ("0-1,4,6-7", 5), ("3", 1), ("0-63", 16), ("x", 16)])
    func thoseItMayRunOnCount(_ list: String, _ count: Int) throws {
        #expect(try usable(of: 16, ["self/status": "Name:\tx\nCpus_allowed_list:\t\(list)\nThreads:\t1\n"]) == count)
    }

    @Test(arguments: [("max 100000", 16), ("200000 100000", 2), ("250000 100000", 3), ("50000 100000", 1), ("", 16)])
    func aGroupOfVersion2HasAQuota(_ quota: String, _ count: Int) throws {
        let files = ["self/cgroup": "0::/system.slice/framemesh.service\n"]
        let own = ["groups/system.slice/framemesh.service/cpu.max": "\(quota)\n"]
        #expect(try usable(of: 16, files.merging(own) { $1 }) == count)
        // A container sees itself at the root.
        #expect(try usable(of: 16, files.merging(["groups/cpu.max": "\(quota)\n"]) { $1 }) == count)
    }

    @Test func theLeastOfAGroupAndThoseAboveItCounts() throws {
        let files = [
            "self/cgroup": "0::/a/b/c\n", "groups/a/cpu.max": "300000 100000\n",
            "groups/a/b/cpu.max": "max 100000\n", "groups/a/b/c/cpu.max": "600000 100000\n",
            "self/status": "Cpus_allowed_list:\t0-4\n",
        ]
        #expect(try usable(of: 16, files) == 3)
        #expect(try usable(of: 2, files) == 2)
    }

    @Test(arguments: [("-1", 16), ("150000", 2), ("400000", 4)])
    func aGroupOfVersion1HasAQuota(_ quota: String, _ count: Int) throws {
        let files = [
            "self/cgroup": "3:cpuset:/other\n2:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n0::/\n",
            "groups/cpu/docker/1f/cpu.cfs_quota_us": "\(quota)\n",
            "groups/cpu/docker/1f/cpu.cfs_period_us": "100000\n",
        ]
        #expect(try usable(of: 16, files) == count)
    }
}
