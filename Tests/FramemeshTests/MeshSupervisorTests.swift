import Foundation
import Testing

@testable import framemesh

@Suite struct MeshSupervisorTests {
    static let detector = MeshPart(.detector, 1)
    static let second = MeshPart(.detector, 2)
    static let classifier = MeshPart(.classifier, 1)
    let start = ContinuousClock.now

    private func killed(_ pid: Int32 = 7) -> ChildEnding { ChildEnding(how: .signal(SIGKILL), pid: pid) }
    private func ended(_ code: Int32 = 0, _ error: String? = nil) -> ChildEnding {
        ChildEnding(how: .code(code), pid: 7, error: error)
    }

    /// A mesh of one detector and one classifier, up.
    private func ready() -> MeshSupervisor {
        var mesh = MeshSupervisor(MeshPlan(detectors: 1, classifiers: 1))
        _ = mesh.handle(.start, now: start)
        _ = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        _ = mesh.handle(.serves(Self.classifier, address: "127.0.0.1:2"), now: start)
        _ = mesh.handle(.serves(.coordinator, address: "127.0.0.1:3"), now: start)
        _ = mesh.handle(.joined, now: start)
        return mesh
    }

    private func spawned(_ actions: [MeshSupervisor.Action]) -> [MeshPart] {
        actions.compactMap { if case .spawn(let part, _) = $0 { part } else { nil } }
    }

    @Test func nodesStartFirstAndTheCoordinatorIsToldWhereTheyAre() throws {
        var mesh = MeshSupervisor(MeshPlan(detectors: 2, classifiers: 1))
        #expect(spawned(mesh.handle(.start, now: start)) == [Self.detector, Self.second, Self.classifier])
        #expect(mesh.handle(.serves(Self.second, address: "127.0.0.1:12"), now: start).isEmpty)
        #expect(mesh.handle(.serves(Self.classifier, address: "127.0.0.1:21"), now: start).isEmpty)
        let actions = mesh.handle(.serves(Self.detector, address: "127.0.0.1:11"), now: start)
        guard case .spawn(.coordinator, let arguments)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(arguments.contains("static:///127.0.0.1:11,127.0.0.1:12"))
        #expect(arguments.contains("static:///127.0.0.1:21"))
        #expect(
            mesh.handle(.serves(.coordinator, address: "127.0.0.1:3"), now: start)
                == [.join(address: "127.0.0.1:3", nodes: 3)])
        #expect(mesh.handle(.joined, now: start) == [.announce(MeshAddresses(coordinator: "127.0.0.1:3"))])
    }

    @Test func nodesOfBothStagesTakeTheirPlace() throws {
        var plan = MeshPlan(detectors: 0, classifiers: 0, both: 2, detectModel: "yolo", cores: 4)
        let first = MeshPart(.node, 1)
        #expect(plan.nodes == [first, MeshPart(.node, 2)])
        let node = plan.arguments(of: first, at: nil, nodes: [:])
        #expect(node.first == "node" && node.contains("yolo,digits-classifier"))
        let workers = try #require(node.firstIndex(of: "--workers"))
        #expect(node[workers + 1] == "2", "the cores are shared among them")
        let coordinator = plan.arguments(of: .coordinator, at: nil, nodes: [first: "127.0.0.1:1"])
        for (option, target) in [
            ("--nodes", "static:///127.0.0.1:1"), ("--detectors", "none"), ("--classifiers", "none"),
        ] {
            let index = try #require(coordinator.firstIndex(of: option))
            #expect(coordinator[index + 1] == target)
        }
        plan.detectModel = nil
        #expect(!plan.arguments(of: first, at: nil, nodes: [:]).contains("--model"), "the node has its own")
    }

    @Test func theGatewayStartsWithTheCoordinatorAndEndsFirst() throws {
        var mesh = MeshSupervisor(MeshPlan(gatewayPort: 0, detectors: 1, classifiers: 0))
        _ = mesh.handle(.start, now: start)
        _ = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        let actions = mesh.handle(.serves(.coordinator, address: "127.0.0.1:3"), now: start)
        guard case .spawn(.gateway, let arguments)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(arguments.first == "gateway" && arguments.contains("127.0.0.1:3"))
        #expect(mesh.handle(.joined, now: start).isEmpty, "the gateway is not there yet")
        #expect(
            mesh.handle(.serves(.gateway, address: "127.0.0.1:4"), now: start)
                == [.announce(MeshAddresses(coordinator: "127.0.0.1:3", gateway: "127.0.0.1:4"))])
        #expect(mesh.handle(.stop, now: start).first == .terminate(.gateway))
        #expect(mesh.handle(.ended(.gateway, ended()), now: start).first == .terminate(.coordinator))
        #expect(mesh.handle(.ended(.coordinator, ended()), now: start).first == .terminate(Self.detector))
        #expect(mesh.handle(.ended(Self.detector, ended()), now: start) == [.finish(.init())])
    }

    @Test func aMeshMayHaveNoNodesAtAll() {
        var mesh = MeshSupervisor(MeshPlan(detectors: 0, classifiers: 0))
        #expect(spawned(mesh.handle(.start, now: start)) == [.coordinator])
    }

    @Test func aPartThatDiesIsStartedAgainAtItsAddress() {
        var mesh = ready()
        let actions = mesh.handle(.ended(Self.detector, killed(4711)), now: start + .seconds(1))
        #expect(actions.contains(.set(.restart(Self.detector), after: .milliseconds(100))))
        guard case .say(let text)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains("4711") && text.contains("signal 9") && text.contains("0.1 s"))
        let again = mesh.handle(.timer(.restart(Self.detector)), now: start + .seconds(2))
        guard case .spawn(Self.detector, let arguments)? = again.first else {
            Issue.record("\(again)")
            return
        }
        #expect(arguments.contains("127.0.0.1:1"))
    }

    /// A mesh of two detectors, up.
    private func two() -> MeshSupervisor {
        var mesh = MeshSupervisor(MeshPlan(detectors: 2, classifiers: 0))
        _ = mesh.handle(.start, now: start)
        _ = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        _ = mesh.handle(.serves(Self.second, address: "127.0.0.1:2"), now: start)
        _ = mesh.handle(.serves(.coordinator, address: "127.0.0.1:3"), now: start)
        _ = mesh.handle(.joined, now: start)
        return mesh
    }

    @Test func aRoleIsStartedAnewOneAfterTheOther() {
        var mesh = two()
        #expect(mesh.handle(.change(.roll(.detector)), now: start) == [.terminate(Self.detector)])
        // Told again meanwhile, it is once.
        #expect(mesh.handle(.change(.roll(.detector)), now: start).isEmpty)
        #expect(spawned(mesh.handle(.ended(Self.detector, ended()), now: start)) == [Self.detector])
        let next = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        #expect(next.last == .terminate(Self.second))
        #expect(spawned(mesh.handle(.ended(Self.second, ended()), now: start)) == [Self.second])
        let last = mesh.handle(.serves(Self.second, address: "127.0.0.1:2"), now: start)
        #expect(last.count == 1, "\(last)")
        // From then on an end is an accident again.
        let accident = mesh.handle(.ended(Self.detector, killed()), now: start)
        #expect(accident.contains(.set(.restart(Self.detector), after: .milliseconds(100))))
    }

    @Test func onePartThatIsDownDoesNotHoldTheOthersUp() {
        var mesh = two()
        _ = mesh.handle(.ended(Self.detector, killed()), now: start)
        #expect(mesh.handle(.change(.roll(.detector)), now: start) == [.terminate(Self.second)])
    }

    @Test func nodesAreScaledDownAndUpAgain() {
        var mesh = two()
        #expect(mesh.handle(.change(.scale(.detector, to: 1)), now: start) == [.terminate(Self.second)])
        #expect(spawned(mesh.handle(.ended(Self.second, ended()), now: start)).isEmpty)
        #expect(mesh.handle(.timer(.restart(Self.second)), now: start).isEmpty)
        #expect(mesh.handle(.change(.scale(.detector, to: 1)), now: start).isEmpty)
        let up = mesh.handle(.change(.scale(.detector, to: 2)), now: start)
        guard case .spawn(Self.second, let arguments)? = up.first else {
            Issue.record("\(up)")
            return
        }
        #expect(up.count == 1 && arguments.contains("127.0.0.1:2"))
    }

    @Test func aPartThatIsScaledAwayWhileItRollsIsNoMoreRolling() {
        var mesh = two()
        _ = mesh.handle(.change(.roll(.detector)), now: start)
        // It was told to end already; a second signal would end it at once.
        #expect(mesh.handle(.change(.scale(.detector, to: 0)), now: start) == [.terminate(Self.second)])
        #expect(spawned(mesh.handle(.ended(Self.detector, ended()), now: start)).isEmpty)
        #expect(spawned(mesh.handle(.ended(Self.second, ended()), now: start)).isEmpty)
        #expect(spawned(mesh.handle(.change(.scale(.detector, to: 2)), now: start)) == [Self.detector, Self.second])
        _ = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        // That roll is over: this end is an accident.
        let accident = mesh.handle(.ended(Self.detector, killed()), now: start)
        #expect(accident.contains(.set(.restart(Self.detector), after: .milliseconds(100))))
        #expect(mesh.handle(.change(.roll(.detector)), now: start) == [.terminate(Self.second)])
    }

    @Test func aPartThatIsScaledAwayWhileItIsDownDoesNotHoldTheRollUp() {
        var mesh = two()
        _ = mesh.handle(.change(.roll(.detector)), now: start)
        _ = mesh.handle(.ended(Self.detector, ended()), now: start)
        // Started anew it dies before it serves.
        _ = mesh.handle(.ended(Self.detector, killed()), now: start)
        #expect(mesh.handle(.change(.scale(.detector, to: 0)), now: start) == [.terminate(Self.second)])
        _ = mesh.handle(.ended(Self.second, ended()), now: start)
        _ = mesh.handle(.change(.scale(.detector, to: 1)), now: start)
        #expect(mesh.handle(.change(.roll(.detector)), now: start) == [.terminate(Self.detector)])
    }

    @Test func aPartThatServesBeforeItEndsHasNotRolled() {
        var mesh = two()
        _ = mesh.handle(.ended(Self.detector, killed()), now: start)
        _ = mesh.handle(.timer(.restart(Self.detector)), now: start)
        #expect(mesh.handle(.change(.roll(.detector)), now: start) == [.terminate(Self.detector)])
        // It had begun to serve when it was told to end: the other one has to wait.
        let early = mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start)
        #expect(!early.contains(.terminate(Self.second)), "\(early)")
        #expect(spawned(mesh.handle(.ended(Self.detector, ended()), now: start)) == [Self.detector])
        #expect(
            mesh.handle(.serves(Self.detector, address: "127.0.0.1:1"), now: start).last == .terminate(Self.second))
    }

    @Test func aPartThatIsWantedAgainWhileItEndsIsStartedAnewAtOnce() {
        var mesh = two()
        _ = mesh.handle(.change(.scale(.detector, to: 1)), now: start)
        #expect(mesh.handle(.change(.scale(.detector, to: 2)), now: start).isEmpty)
        // No second signal either way.
        #expect(mesh.handle(.change(.scale(.detector, to: 1)), now: start).isEmpty)
        #expect(mesh.handle(.change(.scale(.detector, to: 2)), now: start).isEmpty)
        #expect(spawned(mesh.handle(.ended(Self.second, ended()), now: start)) == [Self.second])
    }

    @Test func anEndInTheMiddleOfARollIsSaidAndSignalsNobodyTwice() {
        var mesh = two()
        _ = mesh.handle(.change(.roll(.detector)), now: start)
        let stop = mesh.handle(.stop, now: start)
        #expect(stop.first == .say("the mesh ends before detector-1, detector-2 was started anew and served"))
        #expect(stop.contains(.terminate(.coordinator)))
        let nodes = mesh.handle(.ended(.coordinator, ended()), now: start)
        #expect(nodes.first == .terminate(Self.second) && !nodes.contains(.terminate(Self.detector)))
        #expect(mesh.handle(.timer(.endLimit(.endingNodes)), now: start) == [.kill(Self.detector), .kill(Self.second)])
        _ = mesh.handle(.ended(Self.detector, ended()), now: start)
        let last = mesh.handle(.ended(Self.second, ended()), now: start)
        #expect(last == [.finish(MeshSupervisor.Ending(unrolled: [Self.detector, Self.second]))])
    }

    @Test func aMeshThatEndsIsNotChanged() {
        var mesh = two()
        _ = mesh.handle(.stop, now: start)
        #expect(mesh.handle(.change(.roll(.detector)), now: start).isEmpty)
        #expect(mesh.handle(.change(.scale(.detector, to: 0)), now: start).isEmpty)
    }

    @Test func signalsOfTheLogGoToAllThatRun() {
        var mesh = ready()
        _ = mesh.handle(.ended(Self.detector, killed()), now: start)
        #expect(
            mesh.handle(.signal(SIGUSR1), now: start)
                == [.signal(Self.classifier, SIGUSR1), .signal(.coordinator, SIGUSR1)])
    }

    @Test func aPartThatCannotStartEndsTheMeshWithItsWords() {
        var mesh = MeshSupervisor(MeshPlan(detectors: 1, classifiers: 1))
        _ = mesh.handle(.start, now: start)
        let actions = mesh.handle(.ended(Self.detector, ended(2, "no model 'x'")), now: start)
        #expect(actions.first == .terminate(Self.classifier))
        #expect(
            mesh.handle(.ended(Self.classifier, ended()), now: start)
                == [.finish(.init(failure: "detector-1: no model 'x'", status: .usage))])
    }

    @Test func aPartThatDiesBeforeItWasReadyIsNamed() {
        var mesh = MeshSupervisor(MeshPlan(detectors: 1, classifiers: 0))
        _ = mesh.handle(.start, now: start)
        let actions = mesh.handle(.ended(Self.detector, killed()), now: start)
        guard case .finish(let ending)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(ending.failure?.contains("detector-1") == true && ending.failure?.contains("signal 9") == true)
        #expect(ending.status == .failed)
    }

    @Test func theCoordinatorEndsBeforeItsNodes() {
        var mesh = ready()
        #expect(mesh.handle(.stop, now: start).first == .terminate(.coordinator))
        let nodes = mesh.handle(.ended(.coordinator, ended()), now: start)
        #expect(nodes.prefix(2) == [.terminate(Self.detector), .terminate(Self.classifier)])
        #expect(mesh.handle(.ended(Self.classifier, ended()), now: start).isEmpty)
        #expect(mesh.handle(.ended(Self.detector, ended()), now: start) == [.finish(.init())])
    }

    @Test func whatDoesNotEndIsKilled() {
        var mesh = ready()
        _ = mesh.handle(.stop, now: start)
        #expect(mesh.handle(.timer(.endLimit(.endingCoordinator)), now: start) == [.kill(.coordinator)])
        _ = mesh.handle(.ended(.coordinator, killed()), now: start)
        #expect(mesh.handle(.timer(.endLimit(.endingCoordinator)), now: start).isEmpty, "a late timer")
        #expect(
            mesh.handle(.timer(.endLimit(.endingNodes)), now: start)
                == [.kill(Self.detector), .kill(Self.classifier)])
    }

    @Test func nothingIsStartedAgainOnceTheEndHasBegun() {
        var mesh = ready()
        _ = mesh.handle(.ended(Self.detector, killed()), now: start)
        _ = mesh.handle(.stop, now: start)
        #expect(mesh.handle(.timer(.restart(Self.detector)), now: start).isEmpty)
        _ = mesh.handle(.ended(.coordinator, ended()), now: start)
        #expect(mesh.handle(.ended(Self.classifier, ended()), now: start) == [.finish(.init())])
    }

    @Test func theEndMayComeAtAnyPointOfTheStart() {
        let inputs: [MeshSupervisor.Input] = [
            .start, .serves(Self.detector, address: "h:1"), .serves(Self.classifier, address: "h:2"),
            .serves(.coordinator, address: "h:3"), .joined,
        ]
        for count in 0...inputs.count {
            var mesh = MeshSupervisor(MeshPlan(detectors: 1, classifiers: 1))
            var living: Set<MeshPart> = []
            var pending: [MeshSupervisor.Action] = []
            for input in inputs.prefix(count) { pending += mesh.handle(input, now: start) }
            living.formUnion(spawned(pending))
            pending = mesh.handle(.stop, now: start)
            var finished = false
            while !pending.isEmpty {
                switch pending.removeFirst() {
                case .terminate(let part):
                    #expect(living.remove(part) != nil)
                    pending += mesh.handle(.ended(part, ended()), now: start)
                case .finish: finished = true
                default: break
                }
            }
            #expect(finished && living.isEmpty, "stopped after \(count) inputs")
        }
    }

    @Test func aMeshThatIsNotReadyInTimeSaysWhatItWaitsFor() {
        var mesh = MeshSupervisor(MeshPlan(detectors: 1, classifiers: 1))
        _ = mesh.handle(.start, now: start)
        _ = mesh.handle(.serves(Self.detector, address: "h:1"), now: start)
        _ = mesh.handle(.timer(.startLimit), now: start)
        _ = mesh.handle(.ended(Self.detector, ended()), now: start)
        let actions = mesh.handle(.ended(Self.classifier, ended()), now: start)
        guard case .finish(let ending)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(ending.failure?.contains("classifier-1") == true && ending.failure?.contains("detector-1") == false)
    }
}
