public import Foundation

/// Certificates for tests, made by the command `openssl` in a folder of their own, which goes with the value's owner.
public final class CertificateFolder: Sendable {
    public let folder: URL

    /// - Parameter other: whose files are copied.
    public init(copying other: CertificateFolder? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID().uuidString)")
        if let other {
            try FileManager.default.copyItem(at: other.folder, to: folder)
            return
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try "[req]\ndistinguished_name = name\n[name]\n".write(
            to: folder.appending(path: "openssl.cnf"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Makes `NAME.crt` and `NAME.key`, an authority.
    public func makeAuthority(_ name: String) async throws {
        try await request(
            name,
            [
                "-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:true", "-addext",
                "keyUsage=critical,keyCertSign",
            ])
    }

    /// Makes `NAME.crt` and `NAME.key`, certified by an authority made before.
    /// - Parameter alternatives: for example `DNS:localhost,IP:127.0.0.1`.
    public func makeCertificate(
        _ name: String, by authority: String, commonName: String? = nil, alternatives: String? = nil
    ) async throws {
        try await request(
            name,
            [
                "-CA", path("\(authority).crt"), "-CAkey", path("\(authority).key"), "-subj",
                "/CN=\(commonName ?? name)", "-addext", "basicConstraints=critical,CA:false", "-addext",
                "extendedKeyUsage=serverAuth,clientAuth",
            ] + (alternatives.map { ["-addext", "subjectAltName=\($0)"] } ?? []))
    }

    private func request(_ name: String, _ options: [String]) async throws {
        _ = try await run(
            [
                "req", "-x509", "-config", path("openssl.cnf"), "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ]
                + ["-nodes", "-days", "2", "-keyout", path("\(name).key"), "-out", path("\(name).crt")] + options)
    }

    /// Runs `openssl` with these arguments.
    /// - Returns: what it wrote.
    public func run(_ arguments: [String]) async throws -> String {
        let text = folder.appending(path: "openssl.txt")
        _ = FileManager.default.createFile(atPath: text.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: text)
        process.standardError = process.standardOutput
        let code: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let output = try String(contentsOf: text, encoding: .utf8)
        guard code == 0 else { throw Failure("openssl: \(output)") }
        return output
    }

    /// Puts the contents of one file into another, in one step, as a careful administrator does.
    public func replace(_ name: String, with source: String) throws {
        let copy = folder.appending(path: "\(name).new")
        try Data(contentsOf: folder.appending(path: source)).write(to: copy)
        guard unsafe rename(copy.path, path(name)) == 0 else { throw Failure("rename: \(errno)") }
    }
}
