import RPC
import Testing
import Vision

@testable import Node

@Suite struct ModelLanesTests {
    private func lanes(_ names: [String], of role: NodeRole) throws -> ModelLanes {
        let store = try TestModels.store()
        return ModelLanes(try names.map { try store.manifest(named: $0) }, of: role)
    }

    @Test func aNodeOfOneStageHasALaneForEachModel() throws {
        let lanes = try lanes([TestModels.detector], of: .detector)
        #expect(lanes.all == [ModelLane(detector: 0)])
        #expect(try lanes.index(detector: "", classifier: nil) == 0)
        #expect(try lanes.index(detector: TestModels.detector, classifier: nil) == 0)
    }

    @Test func aNodeOfBothHasOneForEachPairToo() throws {
        // In any order.
        let lanes = try lanes([TestModels.classifier, TestModels.detector], of: .node)
        #expect(
            lanes.all == [
                ModelLane(detector: 1), ModelLane(classifier: 0), ModelLane(classifier: 0, ofBoxes: true),
                ModelLane(detector: 1, classifier: 0), ModelLane(detector: 1, classifier: 0, ofBoxes: true),
            ])
        #expect(lanes.groups == [0, 1, 1, 3, 3])
        #expect(try lanes.index(detector: "", classifier: nil) == 0)
        #expect(try lanes.index(detector: nil, classifier: "") == 1)
        #expect(try lanes.index(detector: nil, classifier: "", ofBoxes: true) == 2)
        #expect(try lanes.index(detector: "", classifier: TestModels.classifier) == 3)
        #expect(try lanes.index(detector: "", classifier: TestModels.classifier, ofBoxes: true) == 4)
    }

    @Test func aModelIsLookedForAmongThoseOfItsStage() throws {
        let lanes = try lanes([TestModels.detector, TestModels.classifier], of: .node)
        let error = #expect(throws: RPCError.self) {
            () throws(RPCError) in try lanes.index(detector: TestModels.classifier, classifier: nil)
        }
        #expect(error?.code == .notFound)
        #expect(error?.message == "no model \"digits-classifier\" here; there is digits-detector")
    }

    @Test func anAnswerHasNoMoreClassesThanAClientReads() throws {
        // Of 10 classes and of 1000, which answer with 3 and 5 of them where nobody says how many.
        let lanes = try lanes([TestModels.detector, TestModels.classifier, "squeezenet-1.1"], of: .node)
        func objection(_ classifier: String?, topK: Int, boxes: Int, detects: Bool = false) throws -> RPCError? {
            let lane = try lanes.index(
                detector: detects ? "" : nil, classifier: classifier, ofBoxes: classifier != nil && boxes > 0)
            do {
                try lanes.checkClasses(topK: topK, boxes: boxes, lane: lane)
                return nil
            } catch {
                return error
            }
        }
        for (classifier, topK, boxes) in [
            ("squeezenet-1.1", 1000, 12), ("squeezenet-1.1", 12, 1000), ("squeezenet-1.1", 11, 1024),
            ("squeezenet-1.1", 0, 2400), ("squeezenet-1.1", 100_000, 0), ("squeezenet-1.1", 100_000, 12),
            ("", 0, 4000), ("", 100_000, 1200), ("", 100_000, 1), ("", 1, 12_000),
        ] {
            for detects in [false, true] {
                let error = try objection(classifier, topK: topK, boxes: boxes, detects: detects)
                #expect(error == nil, "\(boxes) boxes, top_k \(topK)")
            }
        }
        for (classifier, topK, boxes) in [
            ("squeezenet-1.1", 1000, 13), ("squeezenet-1.1", 13, 1000), ("squeezenet-1.1", 12, 1024),
            ("squeezenet-1.1", 0, 2401), ("", 0, 4001), ("", 100_000, 1201), ("", 1, 12_001),
        ] {
            for detects in [false, true] {
                let error = try objection(classifier, topK: topK, boxes: boxes, detects: detects)
                #expect(error?.code == .invalidArgument, "\(boxes) boxes, top_k \(topK)")
            }
        }
        #expect(
            try objection("squeezenet-1.1", topK: 5000, boxes: 64)?.message
                == "1000 classes of each of 64 boxes exceed the limit of 12000 in one answer")
        // Who does not classify asks for none.
        #expect(try objection(nil, topK: .max, boxes: 1024, detects: true) == nil)
    }

    @Test func whichModelsARoleCanDoWithIsSaidInOneLine() throws {
        let store = try TestModels.store()
        let detector = try store.manifest(named: TestModels.detector)
        let classifier = try store.manifest(named: TestModels.classifier)
        #expect(NodeRole.node.objection(to: [detector, classifier]) == nil)
        #expect(NodeRole.node.objection(to: [classifier, detector]) == nil)
        #expect(
            NodeRole.node.objection(to: [detector])
                == "no model does classification, a node needs detection and classification; "
                + "for one of them there is `framemesh detector`")
        #expect(
            NodeRole.node.objection(to: [classifier])
                == "no model does detection, a node needs detection and classification; "
                + "for one of them there is `framemesh classifier`")
        #expect(
            NodeRole.node.objection(to: [detector, classifier, detector])
                == "the model 'digits-detector' is given twice")
        #expect(NodeRole.node.objection(to: []) == "a node needs at least one model")
    }
}
