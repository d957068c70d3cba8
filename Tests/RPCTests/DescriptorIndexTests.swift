import NIOCore
import Testing

@testable import RPC

/// .proto files, written as their descriptors.
private enum Proto {
    static func set(_ files: ByteBuffer...) -> DescriptorSet {
        DescriptorSet(serialized: .protobuf { set in for file in files { set.writeField(1, file) } })
    }

    static func file(
        _ name: String, package: String = "shop", imports: [String] = [], _ body: (inout ByteBuffer) -> Void = { _ in }
    ) -> ByteBuffer {
        .protobuf { file in
            file.writeField(1, name)
            file.writeField(2, package)
            for name in imports { file.writeField(3, name) }
            body(&file)
        }
    }

    /// Messages, each within the one before.
    static func nest(_ depth: Int) -> ByteBuffer {
        var message = ByteBuffer.protobuf { $0.writeField(1, "M") }
        for _ in 1..<depth {
            message = .protobuf { outer in
                outer.writeField(1, "M")
                outer.writeField(3, message)
            }
        }
        return message
    }
}

@Suite struct DescriptorIndexTests {
    /// Names of the files in an answer; nil: it is an error.
    private func files(_ answer: ReflectionMessages.Answer) throws -> [String]? {
        guard case .files(let response) = answer else { return nil }
        var names: [String] = []
        var reader = ProtobufReader(response)
        while let field = try reader.next() {
            if case .bytes(let file) = field.value { names.append(try FileDescriptor(file).name) }
        }
        return names
    }

    private static let shop: DescriptorSet = {
        let orders = Proto.file("orders.proto", imports: ["money.proto"]) { file in
            file.writeField(4) { message in
                message.writeField(1, "Order")
                message.writeField(3) { $0.writeField(1, "Line") }
                message.writeField(4) { $0.writeField(1, "State") }
            }
            file.writeField(5) { $0.writeField(1, "Colour") }
            file.writeField(6) { service in
                service.writeField(1, "Orders")
                service.writeField(2) { $0.writeField(1, "Place") }
            }
        }
        let money = Proto.file("money.proto") { file in file.writeField(4) { $0.writeField(1, "Money") } }
        let extra = Proto.file("extra.proto", package: "", imports: ["orders.proto"]) { file in
            for (name, number) in [("second", UInt64(101)), ("first", 100)] {
                file.writeField(7) { field in
                    field.writeField(1, name)
                    field.writeField(2, ".shop.Order")
                    field.writeField(3, varint: number)
                }
            }
        }
        return Proto.set(money, orders, extra)
    }()

    private static func index() throws -> DescriptorIndex {
        try DescriptorIndex(services: ["shop.Orders", "a.Plain"], sets: [shop])
    }

    @Test(arguments: [
        "shop.Order", "shop.Order.Line", "shop.Order.State", "shop.Colour", "shop.Orders", "shop.Orders.Place",
    ])
    func aSymbolComesWithItsFileAndAllThatItImports(_ symbol: String) throws {
        #expect(try files(try Self.index().answer(.symbol(symbol))) == ["orders.proto", "money.proto"])
    }

    @Test func filesAreFoundByName() throws {
        let index = try Self.index()
        #expect(try files(index.answer(.file("money.proto"))) == ["money.proto"])
        #expect(try files(index.answer(.file("extra.proto"))) == ["extra.proto", "orders.proto", "money.proto"])
    }

    @Test func extensionsAreFoundByTypeAndNumber() throws {
        let index = try Self.index()
        #expect(
            try index.answer(.extensionNumbers(type: "shop.Order"))
                == .extensionNumbers(type: "shop.Order", [100, 101]))
        #expect(try index.answer(.extensionNumbers(type: "shop.Money")) == .extensionNumbers(type: "shop.Money", []))
        let known = FileDescriptor.Extension(type: "shop.Order", number: 101)
        #expect(try files(index.answer(.extension(known)))?.first == "extra.proto")
        #expect(try files(index.answer(.symbol("first")))?.first == "extra.proto")
    }

    @Test func whatIsNotThereIsNotFound() throws {
        let index = try Self.index()
        let queries: [ReflectionMessages.Query] = [
            .file("no.proto"), .symbol("shop.No"), .symbol(""), .symbol(".shop.Order"),
            .extension(.init(type: "shop.Order", number: 7)), .extensionNumbers(type: "shop.No"),
        ]
        for query in queries {
            guard case .error(let code, _) = try index.answer(query) else {
                Issue.record("\(query) was found")
                continue
            }
            #expect(code == .notFound)
        }
        guard case .error(.invalidArgument, _) = try index.answer(.unknown) else {
            Issue.record("no query was answered")
            return
        }
    }

    @Test func allServicesAreListedInOrder() throws {
        let expected = ByteBuffer.protobuf { list in
            for name in ["a.Plain", "shop.Orders"] { list.writeField(1) { $0.writeField(1, name) } }
        }
        #expect(try Self.index().answer(.listServices) == .services(expected))
    }

    @Test func setsMayShareFilesButNotContradict() throws {
        _ = try DescriptorIndex(services: [], sets: [Self.shop, Self.shop])
        let other = Proto.set(Proto.file("money.proto", package: "other"))
        #expect(throws: RPCError.self) { try DescriptorIndex(services: [], sets: [Self.shop, other]) }
    }

    @Test func aSetMustHoldWhatItImports() {
        let lacking = Proto.set(Proto.file("orders.proto", imports: ["money.proto"]))
        let error = #expect(throws: RPCError.self) { try DescriptorIndex(services: [], sets: [lacking]) }
        #expect(error?.message == "descriptors of 'orders.proto' lack 'money.proto', which it imports")
    }

    @Test func filesThatImportEachOtherEnd() throws {
        let index = try DescriptorIndex(
            services: [],
            sets: [Proto.set(Proto.file("a", imports: ["b"]), Proto.file("b", imports: ["a", "b"]))])
        #expect(try files(index.answer(.file("a"))) == ["a", "b"])
    }

    @Test func messagesInMessagesAreBounded() throws {
        let deepest = Proto.set(Proto.file("deep") { $0.writeField(4, Proto.nest(FileDescriptor.maxDepth)) })
        _ = try DescriptorIndex(services: [], sets: [deepest])
        let deeper = Proto.set(Proto.file("deep") { $0.writeField(4, Proto.nest(FileDescriptor.maxDepth + 1)) })
        #expect(throws: RPCError.self) { try DescriptorIndex(services: [], sets: [deeper]) }
    }

    @Test func anAnswerThatIsTooLargeIsSaidToBe() throws {
        let large = Proto.set(Proto.file("large", package: String(repeating: "p", count: 1000)))
        let index = try DescriptorIndex(services: [], sets: [large], maxAnswerBytes: 1000)
        let error = #expect(throws: RPCError.self) { try index.answer(.file("large")) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.limit == .reflectionAnswerBytes)
        let other = try DescriptorIndex(services: [], sets: [large], maxAnswerBytes: 2000)
        #expect(try files(other.answer(.file("large"))) == ["large"])
    }

    @Test func ourOwnServicesDescribeThemselves() throws {
        let index = try DescriptorIndex(services: [], sets: [.rpc])
        let names = [
            "grpc.health.v1.Health.List", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ErrorResponse",
        ]
        for name in names { #expect(try files(index.answer(.symbol(name)))?.count == 1) }
    }
}

@Suite struct ReflectionMessagesTests {
    @Test func requestsAreRead() throws {
        func query(_ body: (inout ByteBuffer) -> Void) throws -> ReflectionMessages.Query {
            try ReflectionMessages.query(.protobuf(body))
        }
        #expect(try query { $0.writeField(3, "a.proto") } == .file("a.proto"))
        #expect(try query { $0.writeField(4, "a.B") } == .symbol("a.B"))
        let one = try query { request in
            request.writeField(5) { message in
                message.writeField(1, "a.B")
                message.writeField(2, varint: UInt64(bitPattern: -5))
            }
        }
        #expect(one == .extension(.init(type: "a.B", number: -5)))
        #expect(try query { $0.writeField(6, "a.B") } == .extensionNumbers(type: "a.B"))
        #expect(try query { $0.writeField(7, "") } == .listServices)
        #expect(try query { $0.writeField(1, "host") } == .unknown)
        // The last one of a oneof counts.
        let two = try query { request in
            request.writeField(4, "a.B")
            request.writeField(3, "a.proto")
        }
        #expect(two == .file("a.proto"))
    }

    @Test func otherBytesAreRefused() {
        for bytes in [[0x22, 1, 0xff], [0x22, 9], [0xff]] as [[UInt8]] {
            let error = #expect(throws: RPCError.self) { try ReflectionMessages.query(ByteBuffer(bytes: bytes)) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func theAnswerRepeatsItsRequest() throws {
        let request = ByteBuffer.protobuf { $0.writeField(4, "a.B") }
        var reader = ProtobufReader(ReflectionMessages.response(.notFound("no"), to: request))
        #expect(try reader.next()?.value == .bytes(request))
        let error = ByteBuffer.protobuf { message in
            message.writeField(1, varint: 5)
            message.writeField(2, "no")
        }
        #expect(try reader.next() == ProtobufReader.Field(number: 7, value: .bytes(error)))
    }
}

@Suite(.timeLimit(.minutes(5))) struct ReflectionTests {
    private static func request(_ body: (inout ByteBuffer) -> Void) -> Payload { Payload(.protobuf(body)) }

    @Test(arguments: ["v1", "v1alpha"]) func requestsOfOneStreamAreAnsweredInOrder(_ version: String) async throws {
        let health = HealthService()
        let services = [health] + (try Reflection.services(describing: [health]))
        try await Loopback.with(services: services) { loopback in
            let call = try await loopback.connection.open(
                "/grpc.reflection.\(version).ServerReflection/ServerReflectionInfo")
            var answers = call.responses.makeAsyncIterator()
            for (symbol, field) in [
                ("grpc.health.v1.Health", UInt64(4)), ("no.Such", 7), ("grpc.health.v1.Health.Watch", 4),
            ] {
                try await call.send(Self.request { $0.writeField(4, symbol) })
                let answer = try await answers.next()
                var reader = ProtobufReader(answer?.message ?? ByteBuffer())
                _ = try reader.next()
                #expect(try reader.next()?.number == field)
            }
            call.finishSending()
            #expect(try await answers.next() == nil)
        }
    }

    @Test func requestsOfOneStreamAreBounded() async throws {
        try await Loopback.with(services: try Reflection.services(describing: [])) { loopback in
            let call = try await loopback.connection.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
            async let sent: Void = {
                for _ in 0...Reflection.defaultMaxRequests {
                    try await call.send(Self.request { $0.writeField(4, "a") })
                }
            }()
            var count = 0
            let error = await failure { for try await _ in call.responses { count += 1 } }
            #expect(error?.code == .resourceExhausted)
            #expect(count == Reflection.defaultMaxRequests)
            _ = try? await sent
        }
    }

    @Test func bytesThatAreNoRequestEndTheStream() async throws {
        try await Loopback.with(services: try Reflection.services(describing: [])) { loopback in
            let call = try await loopback.connection.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
            try await call.send(Payload(ByteBuffer(bytes: [0xff])))
            #expect(await failure { for try await _ in call.responses {} }?.code == .invalidArgument)
        }
    }
}
