import Foundation
import Glibc
package import NIOCore
import Outbound
import Playback
import RPC

extension GatewayConfiguration {
    /// What is wrong with it, one line for each; found before anything starts. Looks at folders and files, and so blocks.
    package func objections() -> [String] {
        origins.sorted().filter { !Self.isOrigin($0) }.map {
            "'\($0)' is no origin: it is scheme://host or scheme://host:port, such as https://shop.example"
        }
            + hosts.sorted().filter { !OutboundURL.isHost($0) }.map { "'\($0)' is no name of a host (without a port)" }
            + unknownScopes + [objectionToCameraFolder, objectionToStreamAuthorities].compactMap(\.self)
    }

    /// The same of what only a start would find: the page, and the folder for what is kept. Folders that
    /// are not there are made for the look, and removed again.
    package func objectionsToFiles() -> [String] {
        var all: [String] = []
        do throws(GatewayError) {
            _ = try PageAssets(page: page, apiDescription: apiDescription)
        } catch {
            all.append(error.message)
        }
        if let objection = objectionToData { all.append(objection) }
        return all
    }

    /// What whoever runs it should know.
    package func warnings(listeningAt address: SocketAddress) -> [String] {
        guard !address.isLoopback, !hasCredentials else { return [] }
        return [
            "everybody who reaches this port may have pictures analysed: say who may (--tokens), or listen on 127.0.0.1"
        ]
    }

    // ---- each ----

    /// As browsers write it (RFC 6454, section 6.2): nothing else would ever be equal to what they send.
    private static func isOrigin(_ text: String) -> Bool {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host, !host.isEmpty,
            text == text.lowercased(), parts.port == nil || parts.port != usualPorts[scheme]
        else { return false }
        let place = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return text == "\(scheme)://\(place)" + (parts.port.map { ":\($0)" } ?? "")
    }

    private static let usualPorts = ["http": 80, "https": 443]

    /// A file of tokens may be shared with roles that have other scopes; one that is nearly one of ours is a slip.
    private var unknownScopes: [String] {
        let known = Access.allCases.filter { $0 != .open }.map(\.rawValue)
        let scopes = (credentialsFile?.held ?? credentials)?.scopes ?? []
        return scopes.subtracting(known).sorted().compactMap { scope in
            Spelling.nearest(to: scope, of: known).map {
                "the tokens have the scope '\(scope)', did you mean '\($0)'?"
            }
        }
    }

    private var objectionToCameraFolder: String? {
        guard let cameraFolder else { return nil }
        let path = URL(fileURLWithPath: cameraFolder).resolvingSymlinksInPath().path
        let found = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        return found == .typeDirectory ? nil : "there is no folder \(cameraFolder) for cameras"
    }

    private var objectionToStreamAuthorities: String? {
        streamAuthorities.flatMap { SourceCall.objection(toAuthorities: $0) }
    }

    private var objectionToData: String? {
        var made: [String] = []
        // What was there before, or has something in it by now, stays.
        defer { made.reversed().forEach { unsafe rmdir($0) } }
        let folder = URL(fileURLWithPath: data).standardizedFileURL
        var place = URL(fileURLWithPath: "/")
        for name in folder.pathComponents.dropFirst() {
            place = place.appending(path: name)
            if unsafe mkdir(place.path, 0o700) == 0 { made.append(place.path) }
        }
        let probe = folder.appending(path: ".framemesh-check-\(UUID().uuidString)").path
        let descriptor = unsafe open(probe, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return "cannot write to the folder \(data)" }
        close(descriptor)
        unsafe unlink(probe)
        return nil
    }
}
