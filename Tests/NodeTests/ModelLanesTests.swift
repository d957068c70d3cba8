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
