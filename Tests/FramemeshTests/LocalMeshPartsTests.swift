import ArgumentParser
import Testing

@testable import framemesh

@Suite struct LocalMeshPartsTests {
    @Test func restartsWaitLongerEachTimeUntilOneHoldsOut() {
        var backoff = RestartBackoff()
        let delays = (0..<9).map { _ in backoff.delay(afterRunning: .seconds(1)) }
        #expect(delays.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(delays.last == RestartBackoff.maximum)
        #expect(backoff.delay(afterRunning: RestartBackoff.stable) == .milliseconds(100))
    }

    @Test func bytesBecomeLinesWhereverTheyAreCut() {
        let text = Array("ready 1\nlog é\n\nlast".utf8)
        for cut in 0...text.count {
            var splitter = LineSplitter()
            var lines = splitter.take(text[..<cut]) + splitter.take(text[cut...])
            if let rest = splitter.finish() { lines.append(rest) }
            #expect(lines == ["ready 1", "log é", "", "last"])
        }
    }

    /// Its stack is larger than there are addresses.
    @Test func aChildWithoutAThreadIsEndedAndSaysSo() {
        #expect {
            _ = try framemesh.ChildProcess(
                executable: "/bin/sh", arguments: ["-c", "sleep 600"], stackBytes: 1 << 60
            ) { _ in }
        } throws: { error in
            "\(error)".hasPrefix("cannot start the thread 'child'")
        }
    }

    @Test func longLinesAreCut() {
        var splitter = LineSplitter()
        let lines = splitter.take([UInt8](repeating: 65, count: 1_000_000) + [10, 66, 10])
        #expect(lines.map(\.utf8.count) == [LineSplitter.maxLineBytes, 1])
    }

    @Test func coresAreSharedAmongTheNodesOfARole() {
        let plan = MeshPlan(detectors: 3, classifiers: 1, cores: 8)
        let detector = plan.arguments(of: MeshPart(.detector, 1), at: nil, nodes: [:])
        let classifier = plan.arguments(of: MeshPart(.classifier, 1), at: nil, nodes: [:])
        #expect(value("--workers", detector) == "3")
        #expect(value("--workers", classifier) == "8")
        #expect(value("--listen", detector) == "127.0.0.1:0")
    }

    @Test func aCoordinatorWithoutNodesOfARoleIsToldSo() {
        let plan = MeshPlan(coordinatorPort: 8500, detectors: 1, classifiers: 0)
        let arguments = plan.arguments(of: .coordinator, at: nil, nodes: [MeshPart(.detector, 1): "127.0.0.1:9"])
        #expect(value("--detectors", arguments) == "static:///127.0.0.1:9")
        #expect(value("--classifiers", arguments) == "none")
        #expect(value("--listen", arguments) == "127.0.0.1:8500")
    }

    /// The executable reads what the plan writes.
    @Test func everyPartParsesItsCommandLine() throws {
        let plan = MeshPlan(
            both: 1, detectModel: "a", classifyModel: "b", workers: 2, maxPixels: 7, maxSide: 5, drainTimeout: 1.5,
            config: "f.yaml", logLevel: "debug")
        for part in plan.nodes + [.coordinator, .gateway] {
            let command = try Framemesh.parseAsRoot(plan.arguments(of: part, at: nil, nodes: [:]))
            switch part.role {
            case .gateway: #expect((command as? GatewayCommand)?.parent.isOn == true)
            case .coordinator: #expect((command as? CoordinatorCommand)?.parent.isOn == true)
            case .detector:
                let node = try #require((command as? DetectorCommand)?.node)
                #expect(node.model == "a" && node.maxPixels == 7 && node.maxSide == 5)
            case .classifier:
                let node = try #require((command as? ClassifierCommand)?.node)
                #expect(node.model == "b" && node.maxPixels == 7 && node.maxSide == 5)
            case .node:
                let node = try #require((command as? NodeCommand)?.node)
                #expect(node.model == "a,b" && node.maxPixels == 7 && node.maxSide == 5)
            }
        }
    }

    @Test func nodesThatDoBothAreInPlaceOfTheOthers() async throws {
        let settings = try await Settings.load(nil, environment: [:])
        let usual = try Up.parse([]).plan(settings)
        #expect([usual.detectors, usual.classifiers, usual.both] == [2, 1, 0])
        let both = try Up.parse(["--nodes", "2"]).plan(settings)
        #expect([both.detectors, both.classifiers, both.both] == [0, 0, 2])
        let mixed = try Up.parse(["--nodes", "1", "--detectors", "1"]).plan(settings)
        #expect([mixed.detectors, mixed.classifiers, mixed.both] == [1, 0, 1])
    }

    @Test(arguments: ["--detectors", "--classifiers", "--nodes"])
    func noNodesOfAKindAreZero(_ option: String) {
        #expect {
            try Up.parse([option, "none"])
        } throws: {
            Up.exitCode(for: $0) == .validationFailure
                && Up.message(for: $0)
                    == "The value 'none' is invalid for '\(option) <n>': it must be 0 to 64, and 0 is none"
        }
    }

    @Test func aMeshWithoutAnyNodesIsRefused() async throws {
        let plain = try await Settings.load(nil, environment: [:])
        let none = ["--detectors", "0", "--classifiers", "0"]
        func refusal(_ arguments: [String], _ settings: Settings) -> Fatal? {
            return #expect(throws: Fatal.self) { try Up.parse(arguments).plan(settings) }
        }
        for arguments in [none, none + ["--nodes", "0"], none + ["--no-gateway"]] {
            let error = refusal(arguments, plain)
            #expect(error?.status == .usage && error?.message?.contains("can do nothing") == true, "\(arguments)")
        }
        let configured = try await Settings.load(
            nil, environment: ["FRAMEMESH_UP_DETECTORS": "0", "FRAMEMESH_UP_CLASSIFIERS": "0"])
        #expect(refusal([], configured)?.status == .usage)
        #expect(try Up.parse(["--classifiers", "1"]).plan(configured).nodes == [MeshPart(.classifier, 1)])
        #expect(try Up.parse(none + ["--nodes", "1"]).plan(plain).nodes == [MeshPart(.node, 1)])
    }

    private func value(_ option: String, _ arguments: [String]) -> String? {
        arguments.firstIndex(of: option).flatMap { arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil }
    }
}
