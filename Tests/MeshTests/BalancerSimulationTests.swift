import Testing

@testable import Mesh

/// Nodes of one worker each with a queue, calls that come at random, and a clock that is passed in.
private struct Simulation {
    struct Node {
        /// Of one call that runs alone, nanoseconds.
        var service: UInt64
        var fails = false
        /// When its last call so far ends.
        var busyUntil: UInt64 = 0
        var calls = 0
    }

    struct Running {
        var name: String
        var start: UInt64
        var end: UInt64
        var fails: Bool
    }

    static let millisecond: UInt64 = 1_000_000
    static let second: UInt64 = 1_000_000_000

    var balancer = Balancer<String>()
    var nodes: [String: Node] = [:]
    var now: UInt64 = 0
    private var running: [Running] = []
    private var dice = Dice(7)
    private(set) var latencies: [UInt64] = []

    init(_ names: [String], service: UInt64 = 10 * millisecond) {
        for name in names { add(name, service: service) }
    }

    mutating func add(_ name: String, service: UInt64 = 10 * millisecond) {
        nodes[name] = Node(service: service)
        balancer.setReady(name, true, now: now)
    }

    /// Calls come for so long, on average one each `interval`.
    mutating func run(for time: UInt64, every interval: UInt64) {
        for name in nodes.keys { nodes[name]?.calls = 0 }
        latencies = []
        let end = now + time
        while now < end {
            now += UInt64.random(in: 0...2 * interval, using: &dice)
            finish()
            guard let name = balancer.pick(now: now, using: &dice), var node = nodes[name] else { continue }
            node.calls += 1
            let service = UInt64.random(in: node.service * 8 / 10...node.service * 12 / 10, using: &dice)
            // Who fails, fails at once.
            let over = node.fails ? now + Self.millisecond : max(now, node.busyUntil) + service
            if !node.fails { node.busyUntil = over }
            nodes[name] = node
            running.append(Running(name: name, start: now, end: over, fails: node.fails))
        }
    }

    private mutating func finish() {
        let now = now
        for call in running.filter({ $0.end <= now }).sorted(by: { $0.end < $1.end }) {
            let latency = call.end - call.start
            balancer.finished(call.name, latency: latency, call.fails ? .failed : .answered, now: call.end)
            if !call.fails { latencies.append(latency) }
        }
        running.removeAll { $0.end <= now }
    }

    var shares: [String: Double] {
        let all = Double(nodes.values.reduce(0) { $0 + $1.calls })
        return nodes.mapValues { Double($0.calls) / all }
    }

    func p99() -> UInt64 { latencies.sorted()[latencies.count * 99 / 100] }
}

@Suite struct BalancerSimulationTests {
    private let second = Simulation.second
    /// 40 % of what four nodes can do.
    private let interval = Simulation.millisecond * 25 / 4

    @Test(arguments: [2, 3, 4, 8])
    func equalNodesHaveEqualLoad(_ count: Int) {
        var mesh = Simulation((0..<count).map { "\($0)" })
        mesh.run(for: 10 * second, every: Simulation.millisecond * 25 / UInt64(count))
        for share in mesh.shares.values { #expect(abs(share * Double(count) - 1) < 0.2, "\(mesh.shares)") }
    }

    @Test func aNodeThatIsAHundredTimesSlowerLosesItsTrafficAndGetsItBack() {
        var mesh = Simulation(["a", "b", "c", "slow"])
        mesh.run(for: 5 * second, every: interval)
        let quiet = mesh.p99()
        mesh.nodes["slow"]?.service = second
        mesh.run(for: 2 * second, every: interval)
        mesh.run(for: 10 * second, every: interval)
        #expect((mesh.shares["slow"] ?? 1) < 0.02, "\(mesh.shares)")
        mesh.nodes["slow"]?.service = 10 * Simulation.millisecond
        mesh.run(for: 15 * second, every: interval)
        mesh.run(for: 10 * second, every: interval)
        for share in mesh.shares.values { #expect(abs(share * 4 - 1) < 0.2, "\(mesh.shares)") }
        #expect(mesh.p99() < 3 * quiet)
    }

    @Test func aNodeThatFailsAtOnceAttractsNothing() {
        var mesh = Simulation(["a", "b", "c", "bad"])
        mesh.nodes["bad"]?.fails = true
        mesh.run(for: 20 * second, every: interval)
        #expect((mesh.shares["bad"] ?? 1) < 0.02, "\(mesh.shares)")
        mesh.nodes["bad"]?.fails = false
        mesh.run(for: 60 * second, every: interval)
        mesh.run(for: 10 * second, every: interval)
        #expect((mesh.shares["bad"] ?? 0) > 0.2, "\(mesh.shares)")
    }

    @Test func aNodeThatFlapsHasLittle() {
        var mesh = Simulation(["a", "b", "c", "flapping"])
        var failed = 0
        var all = 0
        for turn in 0..<60 {
            mesh.nodes["flapping"]?.fails = turn % 2 == 0
            mesh.run(for: second / 2, every: interval)
            if turn % 2 == 0 { failed += mesh.nodes["flapping"]?.calls ?? 0 }
            all += mesh.nodes.values.reduce(0) { $0 + $1.calls }
        }
        #expect(Double(failed) / Double(all) < 0.03)
    }

    @Test func withAllNodesBadAllServe() {
        var mesh = Simulation(["a", "b"])
        for name in ["a", "b"] { mesh.nodes[name]?.fails = true }
        mesh.run(for: 5 * second, every: interval)
        #expect(["a", "b"].count { mesh.balancer.isEjected($0, now: mesh.now) } <= 1)
        for name in ["a", "b"] { mesh.nodes[name]?.fails = false }
        mesh.run(for: 60 * second, every: interval * 2)
        mesh.run(for: 10 * second, every: interval * 2)
        for share in mesh.shares.values { #expect(abs(share * 2 - 1) < 0.2, "\(mesh.shares)") }
    }

    @Test func newcomersHaveEvenLoadWithinTenSeconds() {
        var mesh = Simulation(["a", "b"])
        mesh.run(for: 5 * second, every: interval * 2)
        for name in ["c", "d"] { mesh.add(name) }
        mesh.run(for: second / 2, every: interval * 2)
        // Not all at once.
        #expect((mesh.shares["c"] ?? 1) < 0.2, "\(mesh.shares)")
        mesh.run(for: 9 * second, every: interval)
        mesh.run(for: 10 * second, every: interval)
        for share in mesh.shares.values { #expect(abs(share * 4 - 1) < 0.2, "\(mesh.shares)") }
    }
}
