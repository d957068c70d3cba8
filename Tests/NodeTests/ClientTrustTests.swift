import Logging
import Services
import Testing

@testable import Node
@testable import RPC

@Suite struct ClientTrustTests {
    private let trust = ClientTrust(logger: TestNode.logger)

    private func client(_ metadata: Metadata, of principal: Principal? = nil) -> CallOrigin {
        var context = CallContext(path: "/a/b", metadata: metadata, deadline: nil, peer: "p", takesAttachments: false)
        context.principal = principal
        return trust.client(of: context)
    }

    @Test func aCoordinatorSaysWhoseFrameItIs() {
        for number in [1, 42, UInt64.max] {
            #expect(client(ClientKey.metadata(for: CallOrigin(number))) == CallOrigin(number))
        }
    }

    @Test func whoIsKnownNeedsTheScopeForIt() {
        let told = ClientKey.metadata(for: CallOrigin(42))
        let camera = Principal(name: "camera", scopes: ["detect"])
        #expect(client(told, of: camera) == client([:], of: camera))
        #expect(client(told, of: Principal(name: "c", scopes: ["coordinator"])) == CallOrigin(42))
    }

    @Test(arguments: ["", "-1", "hello world", "zzzzzzzzzzzzz", "00000000000001", "٣"])
    func whatIsNoNumberCountsAsNothing(_ text: String) {
        #expect(client([ClientKey.field: text]) == client([:]))
    }
}
