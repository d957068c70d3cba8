import Foundation
import Messages
import NIOCore
import RPC
import Services
import Testing
import Vision

@testable import Node

extension RealNodes {
    /// Starting, health, and the end.
    @Suite struct NodeLifeTests {
        @Test func healthKnowsTheNodeItsServiceAndItsModels() async throws {
            try await TestNode.with(.classifier) { node in
                for name in ["", ServiceName.classifier, TestModels.classifier] {
                    let status = try await node.connection.checkHealth(
                        of: name, options: .init(deadline: .after(TestNode.patience)))
                    #expect(status == .serving, "\(name)")
                }
                for name in [ServiceName.detector, TestModels.detector] {
                    let error = await failure {
                        try await node.connection.checkHealth(
                            of: name, options: .init(deadline: .after(TestNode.patience)))
                    }
                    #expect(error?.code == .notFound, "\(name)")
                }
            }
        }

        @Test func thoseWhoWatchHearOfTheEnd() async throws {
            try await TestNode.with(.detector) { node in
                var statuses: [HealthService.Status] = []
                let watch = try await node.connection.watchHealth(of: ServiceName.detector)
                do {
                    for try await status in watch.statuses {
                        statuses.append(status)
                        node.running.cancel()
                    }
                } catch {
                    // A watch has no end of its own: the server ends it.
                }
                #expect(statuses == [.serving, .notServing])
                try await node.running.value
            }
        }

        @Test func aNodeSaysWhatItIs() async throws {
            try await TestNode.with(
                .detector,
                configure: {
                    $0.workers = 2
                    $0.queueLimit = 17
                    $0.build = "1.2.3"
                    $0.engine = .openCV
                }
            ) { node in
                let description = try await node.describe()
                #expect(description.role == "detector")
                #expect(description.models.map(\.name) == [TestModels.detector])
                #expect(description.models[0].inputWidth > 0)
                #expect(description.workers == 2)
                #expect(description.queueLimit == 17)
                #expect(description.build == "1.2.3")
                #expect(description.engine == "opencv")
                #expect(description.estimatedWait == 0)
            }
        }

        /// A model whose passes last until the test ends.
        private struct HungModel: VisionModel {
            let manifest: ModelManifest
            let gate: Gate
            var maxBatchSize: Int { 1 }

            func warmUp() throws(VisionError) {}
            func detect(
                _ inputs: [ModelInput], minConfidence: [Float]
            ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
                gate.pass()
                return (inputs.map { _ in [] }, StageTimes())
            }
            func classify(
                _ inputs: [ModelInput], topK: [Int]
            ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
                (inputs.map { _ in [] }, StageTimes())
            }
        }

        @Test func aWorkerThatHangsDoesNotHoldUpTheEnd() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let gate = Gate()
            try await TestNode.with(
                .detector,
                configure: {
                    $0.server.drainTimeout = .milliseconds(100)
                    $0.load = { (manifest, _) throws(VisionError) in HungModel(manifest: manifest, gate: gate) }
                }
            ) { node in
                let call = Task { try await node.detect(picture) }
                await gate.isReached()
                node.running.cancel()
                let error = await #expect(throws: NodeError.self) { try await node.running.value }
                #expect(error?.message.contains("worker 0 has not come back") == true)
                #expect(await failure { try await call.value } != nil)
                gate.open()
            }
        }

        private func startError(_ role: NodeRole, _ configure: (inout NodeConfiguration) throws -> Void) async throws
            -> String
        {
            var configuration = try TestNode.configuration(role)
            try configure(&configuration)
            do {
                _ = try await NodeServer.start(configuration, group: TestNode.group, logger: TestNode.logger)
                Issue.record("it started")
                return ""
            } catch {
                return "\(error)"
            }
        }

        @Test func settingsThatMakeNoSenseAreNamed() async throws {
            try await #expect(startError(.detector) { $0.workers = 0 } == "workers is 0, at least 1 is needed")
            try await #expect(startError(.detector) { $0.models = [] } == "a detector needs at least one model")
            try await #expect(
                startError(.detector) { $0.models.append($0.models[0]) } == "the model 'digits-detector' is given twice"
            )
            try await #expect(
                startError(.classifier) { $0.models = [try $0.store.manifest(named: TestModels.detector)] }
                    == "the model 'digits-detector' does detection, a classifier needs classification")
        }

        @Test func aModelFileThatIsNotThereIsNamed() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "node-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try FileManager.default.copyItem(
                at: TestModels.folder.appending(path: "digits-detector.yaml"),
                to: folder.appending(path: "digits-detector.yaml"))
            let store = try ModelStore(bundled: folder.path, folders: [], pulled: folder.path)
            let error = try await startError(.detector) {
                $0.store = store
                $0.models = store.models
            }
            #expect(error.contains("digits-detector"))
            #expect(!error.contains("\n"))
        }

        @Test func aPortThatIsTakenIsNamed() async throws {
            try await TestNode.with(.detector) { node in
                let port = try #require(node.server.address.port)
                let error = try await startError(.detector) { $0.listen = .host("127.0.0.1", port: port) }
                #expect(error.contains("\(port)"))
                #expect(!error.contains("\n"))
            }
        }
    }
}
