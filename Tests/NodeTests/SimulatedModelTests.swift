import Messages
import NIOCore
import Testing
import Vision

@testable import Node

@Suite struct SimulatedModelTests {
    @Test func aPassTakesItsTimeAndFindsNothing() throws {
        let store = try TestModels.store()
        var configuration = NodeConfiguration(role: .detector, store: store, models: [])
        let manifest = try store.manifest(named: "digits-detector")
        configuration.simulate(.milliseconds(30))
        let model = try configuration.load(manifest, configuration)
        let image = try Image(
            decoding: Frame(
                encoding: .bgr8, width: 2, height: 2, payload: .attached(ByteBuffer(repeating: 7, count: 12))))
        let (found, times) = try model.detect([ModelInput(image), ModelInput(image)], minConfidence: [0, 0])
        #expect(found == [[], []] && times.infer >= 30_000)
        let (classes, _) = try model.classify([ModelInput(image)], topK: [1])
        #expect(classes == [[]])
        #expect(configuration.engineName == "simulated")
    }
}
