import NIOCore
import Testing

@testable import Mesh

@Suite struct DNSMessageTests {
    private typealias Record = DNSMessage.Record

    /// An answer to a question for `a.test`, with records as bytes.
    private func message(_ records: [[UInt8]], count: Int? = nil) -> [UInt8] {
        [0, 1, 0x81, 0x80, 0, 1, 0, UInt8(count ?? records.count), 0, 0, 0, 0] + DNSMessage.bytes(ofName: "A.test")
            + [0, 1, 0, 1] + records.flatMap { $0 }
    }

    private func record(_ name: [UInt8], _ kind: UInt8, ttl: [UInt8] = [0, 0, 0, 30], _ data: [UInt8]) -> [UInt8] {
        name + [0, kind, 0, 1] + ttl + [0, UInt8(data.count)] + data
    }

    /// The name of the question.
    private let asked: [UInt8] = [0xC0, 12]

    @Test func addressesOfTheNameAreRead() throws {
        let read = try DNSMessage(
            parsing: message([record(asked, 1, [10, 0, 0, 1]), record(asked, 1, [10, 0, 0, 2])]))
        #expect(read.question == "a.test")
        #expect(read.addresses.values.map(\.ipAddress) == ["10.0.0.1", "10.0.0.2"])
        #expect(read.addresses.ttl == .seconds(30))
        #expect(read.services.ttl == nil)
    }

    @Test func aliasesAreFollowedAndStrangersAreNot() throws {
        let b = DNSMessage.bytes(ofName: "b.test")
        let c = DNSMessage.bytes(ofName: "c.test")
        let read = try DNSMessage(
            parsing: message([
                record(DNSMessage.bytes(ofName: "evil.test"), 1, [6, 6, 6, 6]), record(c, 1, [10, 0, 0, 3]),
                record(b, 5, ttl: [0, 0, 0, 2], c), record(asked, 5, b),
                record(c, 5, DNSMessage.bytes(ofName: "a.test")),
            ]))
        #expect(read.addresses.values.map(\.ipAddress) == ["10.0.0.3"])
        #expect(read.addresses.ttl == .seconds(2))
    }

    @Test func servicesAreRead() throws {
        let read = try DNSMessage(
            parsing: message([record(asked, 33, [0, 1, 0, 2, 0x1F, 0x90] + DNSMessage.bytes(ofName: "Node-1.test"))]))
        #expect(read.services.values == [ServiceRecord(priority: 1, weight: 2, port: 8080, host: "node-1.test")])
    }

    @Test(arguments: [
        ([0, 0, 0, 0], Duration.zero), ([0x3B, 0x9A, 0xCA, 0], .seconds(1_000_000_000)), ([0x80, 0, 0, 0], .zero),
        ([0xFF, 0xFF, 0xFF, 0xFF], .zero),
    ])
    func timesToLiveOfAnyKind(_ bytes: [UInt8], _ ttl: Duration) throws {
        let read = try DNSMessage(parsing: message([record(asked, 1, ttl: bytes, [10, 0, 0, 1])]))
        #expect(read.addresses.ttl == ttl)
    }

    @Test func whatIsNotWholeIsMalformed() {
        let whole = message([record(asked, 33, [0, 1, 0, 2, 0, 80] + DNSMessage.bytes(ofName: "b.test"))])
        for length in 0..<whole.count {
            #expect(throws: DNSMessage.Malformed.self) { try DNSMessage(parsing: Array(whole.prefix(length))) }
        }
    }

    @Test(
        arguments: [
            // A pointer to itself, one that goes on, one to nowhere, a label of a kind that there is not.
            [0xC0, 31], [0xC0, 40], [0xFF, 0xFF], [0x80, 0], [0x40, 0],
        ] as [[UInt8]])
    func namesThatLeadNowhereEnd(_ name: [UInt8]) {
        #expect(throws: DNSMessage.Malformed.self) {
            try DNSMessage(parsing: message([record(name, 1, [10, 0, 0, 1])]))
        }
    }

    @Test func anAddressOfAnotherLengthIsMalformed() {
        for (kind, bytes) in [(1, 3), (1, 5), (1, 16), (28, 4), (28, 0)] as [(UInt8, Int)] {
            #expect(throws: DNSMessage.Malformed.self) {
                try DNSMessage(parsing: message([record(asked, kind, Array(repeating: 1, count: bytes))]))
            }
        }
    }

    @Test func aLongNameIsMalformed() {
        let long = Array(repeating: [UInt8(63)] + Array(repeating: UInt8(ascii: "x"), count: 63), count: 4).flatMap {
            $0
        }
        #expect(throws: DNSMessage.Malformed.self) {
            try DNSMessage(parsing: message([record(long + [0], 1, [10, 0, 0, 1])]))
        }
    }

    @Test func bytesThatAreNoTextAreWritten() throws {
        let read = try DNSMessage(parsing: message([record([3, 0x0A, 0x2E, 0xFF, 0], 5, asked)]))
        #expect(read.answers.map(\.name) == [#"\010\046\255"#])
    }

    /// Whatever one byte is, it is read or refused.
    @Test func damagedMessagesEnd() {
        let whole = message([
            record(asked, 5, DNSMessage.bytes(ofName: "b.test")),
            record(DNSMessage.bytes(ofName: "b.test"), 1, [1, 2, 3, 4]),
        ])
        for index in whole.indices {
            for value in 0...UInt8.max {
                var damaged = whole
                damaged[index] = value
                let read = try? DNSMessage(parsing: damaged)
                #expect((read?.addresses.values.count ?? 0) <= 1)
            }
        }
    }
}

@Suite struct DNSServerTests {
    @Test(arguments: [
        ("127.0.0.1:5353", "127.0.0.1:5353"), ("127.0.0.1", "127.0.0.1:53"), ("[::1]:5353", "[::1]:5353"),
        ("::1", "[::1]:53"), ("[::1]", "[::1]:53"),
    ])
    func anAddressIsAServer(_ text: String, _ server: String) throws {
        #expect("\(try DNSServer(parsing: text))" == server)
    }

    @Test(arguments: ["", "dns.test:53", ":53", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "1.2.3:53", "[::1]:x"])
    func othersAreRefused(_ text: String) {
        let error = #expect(throws: MeshError.self) { try DNSServer(parsing: text) }
        #expect(error?.message == "'\(text)' is not ADDRESS:PORT of a DNS server")
    }

    @Test func severalAreAList() throws {
        #expect(try DNSServer.list(parsing: "127.0.0.1:1,[::1]:2").map(\.port) == [1, 2])
        #expect(throws: MeshError.self) { try DNSServer.list(parsing: "127.0.0.1:1,") }
        let many = Array(repeating: "127.0.0.1", count: DNSServer.maxServers + 1).joined(separator: ",")
        #expect(throws: MeshError.self) { try DNSServer.list(parsing: many) }
    }
}
