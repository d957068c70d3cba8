package import Outbound
import RPC
package import Video

/// A call of a live source by its URL: at the first of its addresses that shows something, and at no other.
package struct SourceCall: Sendable {
    /// The schemes that are called, with their usual ports.
    package static let ports = ["rtsp": 554, "rtsps": 322, "http": 80, "https": 443]

    private let url: OutboundURL
    private let rule: OutboundRule
    private let name: String
    private let helper: String
    private let authorities: String?

    /// - Parameters:
    ///   - rule: which addresses may be called.
    ///   - name: of the source, in errors.
    ///   - helper: the path of the executable `framemesh-video`.
    ///   - authorities: a file of PEM with those who may vouch for a source with TLS; nil: those that the system trusts.
    package init(of url: OutboundURL, allowedBy rule: OutboundRule, name: String, helper: String, authorities: String?)
    {
        self.url = url
        self.rule = rule
        self.name = name
        self.helper = helper
        self.authorities = authorities
    }

    /// What is wrong with a file of authorities, before anybody is called; nil: nothing. Blocks.
    package static func objection(toAuthorities path: String) -> String? {
        do throws(RPCError) {
            try ClientTLS(trust: .authorities(.file(path))).check()
            return nil
        } catch {
            return error.message
        }
    }

    /// - Throws: `OutboundError` if it may not be called or its name leads nowhere, `VideoError` of its last address.
    package func open() async throws -> VideoReader {
        var failure: (any Error)?
        // Asked each time: a name may mean something else by now.
        for address in try await rule.addresses(of: url) {
            do {
                return try await VideoReader.watch(
                    url.text, at: address.with(port: url.port), name: name, helper: helper, authorities: authorities)
            } catch let error as VideoError {
                failure = error
            }
            try Task.checkCancellation()
        }
        throw failure ?? OutboundError("\(url.host) has no address", .unresolved)
    }
}
