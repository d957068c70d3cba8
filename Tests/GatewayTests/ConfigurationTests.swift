import Foundation
import Mesh
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// What is wrong with a configuration is said before anything starts, all of it.
@Suite struct ConfigurationTests {
    private static func configuration(data: String = "/tmp") throws -> GatewayConfiguration {
        GatewayConfiguration(
            listen: try ServerAddress(parsing: "127.0.0.1:0"), coordinators: try Target(parsing: BundledMesh.nowhere),
            page: Place.page.path, apiDescription: Place.apiDescription.path, data: data)
    }

    @Test(arguments: [
        "foo", "https://shop.example/", "https://shop.example/a", "HTTPS://shop.example", "https://Shop.example", "*",
        "null", "https://", "shop.example:80", "https://shop.example:443",
    ])
    func whatNoBrowserWouldSendIsNoOrigin(_ origin: String) throws {
        var configuration = try Self.configuration()
        configuration.origins = [origin]
        #expect(configuration.objections().count == 1 && configuration.objections()[0].contains("'\(origin)'"))
    }

    @Test(arguments: ["a/b", "gateway:8080", "a b", "http://gateway", ""])
    func whatIsNoNameIsNoHost(_ host: String) throws {
        var configuration = try Self.configuration()
        configuration.hosts = [host]
        #expect(configuration.objections().count == 1 && configuration.objections()[0].contains("'\(host)'"))
    }

    @Test func allOfItIsSaidAndWhatIsRightIsNot() async throws {
        let authorities = try CertificateFolder()
        try await authorities.makeAuthority("authority")
        var configuration = try Self.configuration()
        configuration.origins = ["https://shop.example", "http://localhost:3000", "http://[::1]:8080"]
        configuration.hosts = ["gateway", "gate.example", "192.0.2.7", "::1"]
        configuration.cameraFolder = Place.page.path
        configuration.streamAuthorities = authorities.path("authority.crt")
        let digest = "sha256:" + String(repeating: "0", count: 64)
        configuration.credentials = try Credentials(text: "token \(digest) a analyze,detect")
        #expect(configuration.objections() == [])
        #expect(configuration.objectionsToFiles() == [])

        configuration.origins = ["shop"]
        configuration.hosts = ["a/b"]
        configuration.cameraFolder = Place.apiDescription.path
        configuration.streamAuthorities = "/nowhere.pem"
        configuration.credentials = try Credentials(text: "token \(digest) a analize,admin,detect")
        let objections = configuration.objections()
        #expect(objections.count == 5, "\(objections)")
        #expect(objections.contains("the tokens have the scope 'analize', did you mean 'analyze'?"))
        configuration.page = "/nowhere"
        configuration.data = "/proc/nothing/new"
        #expect(configuration.objectionsToFiles().count == 2)
    }

    @Test(arguments: [("/nowhere.pem", "cannot read"), (Place.apiDescription.path, "holds no certificate")])
    func authoritiesHaveToBeThere(_ path: String, _ words: String) throws {
        var configuration = try Self.configuration()
        configuration.streamAuthorities = path
        let objections = configuration.objections()
        #expect(objections.count == 1 && objections[0].contains(path) && objections[0].contains(words), "\(objections)")
    }

    @Test func aFolderThatIsNotThereIsMadeForTheLookAlone() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "look-\(UUID().uuidString)")
        let configuration = try Self.configuration(data: folder.appending(path: "a/b").path)
        #expect(configuration.objectionsToFiles() == [])
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try Self.configuration(data: folder.path).objectionsToFiles() == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func whatWasThereBeforeStays() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "look-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (link, file) = (folder.appending(path: "link").path, folder.appending(path: "file").path)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "nowhere")
        try Data("kept".utf8).write(to: URL(fileURLWithPath: file))
        for data in [link, file, link + "/below", file + "/below"] {
            #expect(try Self.configuration(data: data).objectionsToFiles().count == 1, "\(data)")
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "nowhere")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "kept")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    @Test(arguments: [
        ("127.0.0.1", false, 0), ("::1", false, 0), ("0.0.0.0", false, 1), ("192.0.2.7", false, 1),
        ("0.0.0.0", true, 0),
    ])
    func whoIsOpenToEverybodyIsTold(_ address: String, _ hasTokens: Bool, _ count: Int) throws {
        var configuration = try Self.configuration()
        if hasTokens { configuration.credentials = try Credentials(text: "") }
        let warnings = configuration.warnings(listeningAt: try SocketAddress(ipAddress: address, port: 1))
        #expect(warnings.count == count)
    }
}
