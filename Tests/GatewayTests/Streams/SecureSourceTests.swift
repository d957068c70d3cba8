import Foundation
import Outbound
import Playback
import TestSupport
import Testing

@testable import Gateway

/// Live sources with TLS: who answers has to be who the URL names.
@Suite(.timeLimit(.minutes(5))) struct SecureSourceTests {
    enum Kind: String, CaseIterable { case https, rtsps }

    private static func certificates() async throws -> CertificateFolder {
        let folder = try CertificateFolder()
        try await folder.makeAuthority("authority")
        try await folder.makeAuthority("stranger")
        try await folder.makeCertificate(
            "camera", by: "authority", alternatives: "DNS:localhost,IP:127.0.0.1")
        try await folder.makeCertificate("elsewhere", by: "authority", alternatives: "DNS:camera.example")
        return folder
    }

    /// A camera of this test that shows who it is by `certificate`.
    private static func with<Value: Sendable>(
        _ kind: Kind, _ folder: CertificateFolder, certificate: String,
        _ body: (_ camera: ChildProcess, _ port: String) async throws -> Value
    ) async throws -> Value {
        let scripts = Place.root.appending(path: "Tests/GatewayTests/python")
        let demo = Place.resources.appending(path: "demo")
        let (crt, key) = (folder.path("\(certificate).crt"), folder.path("\(certificate).key"))
        let arguments =
            switch kind {
            case .https: ["http_camera.py", crt, key, demo.appending(path: "numbers-01.jpg").path]
            case .rtsps: ["rtsp_camera.py", demo.appending(path: "digits.mp4").path, crt, key]
            }
        let camera = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            ["python3", "-B", scripts.appending(path: arguments[0]).path] + arguments.dropFirst(), input: .open)
        defer { camera.closeInput() }
        return try await body(camera, try await camera.line(startingWith: "port "))
    }

    /// The first frame, or why there is none.
    private static func outcome(
        _ kind: Kind, _ port: String, authorities: String
    ) async throws -> String {
        try await TestGateway.with(mesh: .shared) {
            $0.streamAllow = try OutboundRule(allow: ["127.0.0.1"])
            $0.streamAuthorities = authorities
            $0.limits.streams.sources.attempts = 1
        } _: { gateway in
            let path = try await TestStream.begin(
                gateway, ["source": ["url": "\(kind)://127.0.0.1:\(port)/cam"], "pipeline": "detect"])
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            while let event = try await events.next() {
                if event.name == "frame" { return "frame" }
                let state = try event.json()
                if state["state"] as? String == "failed" { return state["cause"] as? String ?? "" }
            }
            return "the end"
        }
    }

    @Test(arguments: Kind.allCases) func aCameraThatProvesWhoItIsIsWatched(_ kind: Kind) async throws {
        let folder = try await Self.certificates()
        try await Self.with(kind, folder, certificate: "camera") { _, port in
            let outcome = try await Self.outcome(kind, port, authorities: folder.path("authority.crt"))
            #expect(outcome == "frame")
        }
    }

    @Test(arguments: Kind.allCases, [("camera", "stranger"), ("elsewhere", "authority")])
    func oneThatDoesNotIsToldNothing(_ kind: Kind, _ who: (certificate: String, authority: String)) async throws {
        let folder = try await Self.certificates()
        try await Self.with(kind, folder, certificate: who.certificate) { camera, port in
            let outcome = try await Self.outcome(kind, port, authorities: folder.path("\(who.authority).crt"))
            #expect(outcome.contains("certificate"), "\(outcome)")
            camera.closeInput()
            let said = try await camera.finish()
            #expect(!said.lines.contains("called"))
        }
    }

    @Test func withoutAuthoritiesThereIsNoTrust() async throws {
        let folder = try await Self.certificates()
        try await Self.with(.https, folder, certificate: "camera") { _, port in
            let outcome = try await Self.outcome(.https, port, authorities: folder.path("nothing.crt"))
            #expect(outcome.contains("no certificates"), "\(outcome)")
        }
    }
}
