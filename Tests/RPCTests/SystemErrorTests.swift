import Foundation
import NIOCore
import NIOSSL
import Testing

@testable import RPC

/// What Foundation and NIO could not do is said in the system's words.
@Suite struct SystemErrorTests {
    /// nil: it could be done.
    private func trouble(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return SystemError.text(error)
        }
    }

    @Test func aFileInAFolderThatIsNotThere() {
        let file = FileManager.default.temporaryDirectory.appending(path: "no-\(UUID().uuidString)/a")
        let attempts: [() throws -> Void] = [
            { try Data("a".utf8).write(to: file) },
            { try Data("a".utf8).write(to: file, options: .atomic) },
            { _ = try Data(contentsOf: file) },
            { _ = try FileHandle(forReadingFrom: file) },
            { _ = try FileManager.default.contentsOfDirectory(atPath: file.path) },
        ]
        for (index, attempt) in attempts.enumerated() {
            #expect(trouble(attempt) == "no such file or directory", "attempt \(index)")
        }
    }

    @Test(arguments: [false, true])
    func aFolderBelowAFile(_ withIntermediateDirectories: Bool) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "file-\(UUID().uuidString)")
        try Data("a".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let said = trouble {
            try FileManager.default.createDirectory(
                atPath: "\(file.path)/folder", withIntermediateDirectories: withIntermediateDirectories)
        }
        #expect(said == "not a directory")
    }

    @Test func aCauseIsFoundHoweverDeepItIs() {
        let object = NSError(domain: NSPOSIXErrorDomain, code: Int(EACCES))
        let structure = CocoaError(.fileWriteUnknown, userInfo: [NSUnderlyingErrorKey: POSIXError(.EACCES)])
        let denied: [any Error] = [
            POSIXError(.EACCES), object, structure,
            CocoaError(.fileWriteUnknown, userInfo: [NSUnderlyingErrorKey: object]),
            CocoaError(.fileWriteUnknown, userInfo: [NSUnderlyingErrorKey: structure]),
            NSError(domain: NSCocoaErrorDomain, code: 513, userInfo: [NSUnderlyingErrorKey: structure]),
        ]
        for error in denied { #expect(SystemError.text(error) == "permission denied", "\(error)") }
        // Their numbers are those of others.
        #expect(SystemError.text(NSError(domain: "a", code: 13)) != "permission denied")
    }

    @Test func whatNIOSaysOfConnections() {
        let said: [(error: any Error, text: String)] = [
            (IOError(errnoCode: EADDRINUSE, reason: "bind(descriptor:ptr:bytes:)"), "address already in use"),
            (ChannelError.connectTimeout(.milliseconds(1500)), "no answer within 1.5 s"),
            (ChannelError.ioOnClosedChannel, "the connection is closed"),
            (ChannelError.operationUnsupported, "operation unsupported"),
            // Of a client whose certificates TLS itself looks at, as those over HTTP do.
            (NIOSSLExtraError.failedToValidateHostname, "TLS: the peer's certificate is for another name"),
        ]
        for (error, text) in said { #expect(SystemError.text(error) == text) }
    }

    @Test func aNameThatIsNotThere() throws {
        let error = #expect(throws: SocketAddressError.UnknownHost.self) {
            // An address on an interface that there is not: no name server is asked, which may take its time.
            try SocketAddress.makeAddressResolvingHost("::1%nowhere", port: 1)
        }
        let unknown = try #require(error)
        #expect(SystemError.text(unknown) == "name or service not known")
    }

    @Test func theLogIsToldTheCodeOfACall() {
        let broken = POSIXError(.EPIPE)
        #expect(SystemError.forLog(broken) == "broken pipe")
        #expect(SystemError.forLog(RPCError(.unavailable, "lost", cause: broken)) == "UNAVAILABLE: lost (broken pipe)")
        // What an interceptor threw.
        #expect(RPCError(of: broken).description == "UNKNOWN: broken pipe")
    }
}
