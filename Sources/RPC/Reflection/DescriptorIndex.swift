import NIOCore

/// Where each file, symbol and extension is, with the answers ready to send. Built once, when the server starts.
struct DescriptorIndex: Sendable {
    private let services: ByteBuffer
    /// By file name: a `FileDescriptorResponse` with the file and all that it imports; nil: too large.
    private let answers: [String: ByteBuffer?]
    private let fileOfSymbol: [String: String]
    private let fileOfExtension: [FileDescriptor.Extension: String]
    private let extensions: [String: [Int32]]
    private let maxAnswerBytes: Int

    /// - Parameters:
    ///   - services: names of all services of the server, also of those without descriptors.
    ///   - maxAnswerBytes: the files of one answer together.
    /// - Throws: if a set is no `FileDescriptorSet`, lacks a file that it imports, or if two sets have different files of
    ///   one name: mistakes of whoever made them.
    init(
        services names: [String], sets: [DescriptorSet], maxAnswerBytes: Int = Reflection.defaultMaxAnswerBytes
    ) throws(RPCError) {
        self.maxAnswerBytes = maxAnswerBytes
        let files = try Self.files(of: sets)
        services = ByteBuffer.protobuf { response in
            for name in names.sorted() { response.writeField(1) { $0.writeField(1, name) } }
        }
        var answers: [String: ByteBuffer?] = [:]
        var fileOfSymbol: [String: String] = [:]
        var fileOfExtension: [FileDescriptor.Extension: String] = [:]
        var extensions: [String: [Int32]] = [:]
        for file in files.values.sorted(by: { $0.name < $1.name }) {
            answers.updateValue(try Self.answer(file, files, maxAnswerBytes), forKey: file.name)
            for symbol in file.symbols { fileOfSymbol[symbol] = file.name }
            for one in file.extensions {
                fileOfExtension[one] = file.name
                extensions[one.type, default: []].append(one.number)
            }
            // A message without extensions is known, too.
            for symbol in file.symbols { extensions[symbol, default: []] += [] }
        }
        self.answers = answers
        self.fileOfSymbol = fileOfSymbol
        self.fileOfExtension = fileOfExtension
        self.extensions = extensions.mapValues { $0.sorted() }
    }

    /// - Throws: RESOURCE_EXHAUSTED if the answer is too large.
    func answer(_ query: ReflectionMessages.Query) throws(RPCError) -> ReflectionMessages.Answer {
        switch query {
        case .listServices: return .services(services)
        case .file(let name):
            guard let answer = answers[name] else { return .notFound("file '\(name)' is not known here") }
            return try found(answer)
        case .symbol(let name):
            guard let file = fileOfSymbol[name] else { return .notFound("symbol '\(name)' is not known here") }
            return try found(answers[file] ?? nil)
        case .extension(let one):
            guard let file = fileOfExtension[one] else {
                return .notFound("extension \(one.number) of '\(one.type)' is not known here")
            }
            return try found(answers[file] ?? nil)
        case .extensionNumbers(let type):
            guard let numbers = extensions[type] else { return .notFound("type '\(type)' is not known here") }
            return .extensionNumbers(type: type, numbers)
        case .unknown: return .error(.invalidArgument, "message_request is not set, or is not known here")
        }
    }

    private func found(_ answer: ByteBuffer?) throws(RPCError) -> ReflectionMessages.Answer {
        guard let answer else {
            throw RPCError(
                .resourceExhausted, "the file and what it imports exceed limit \(maxAnswerBytes) bytes",
                limit: .reflectionAnswerBytes)
        }
        return .files(answer)
    }

    private static func files(of sets: [DescriptorSet]) throws(RPCError) -> [String: FileDescriptor] {
        var files: [String: FileDescriptor] = [:]
        for set in sets {
            let those: [FileDescriptor]
            do {
                those = try FileDescriptor.files(of: set)
            } catch {
                throw RPCError(.internal, "descriptors of a service are malformed: \(error.what)", cause: error)
            }
            for file in those {
                if let known = files[file.name], known != file {
                    throw RPCError(.internal, "there are two different descriptors of file '\(file.name)'")
                }
                files[file.name] = file
            }
        }
        return files
    }

    /// - Returns: nil if it is too large.
    private static func answer(
        _ file: FileDescriptor, _ files: [String: FileDescriptor], _ maxAnswerBytes: Int
    ) throws(RPCError) -> ByteBuffer? {
        var response = ByteBuffer()
        var seen: Set<String> = [file.name]
        var waiting = [file]
        while let next = waiting.popLast() {
            response.writeField(1, next.bytes)
            guard response.readableBytes <= maxAnswerBytes else { return nil }
            for name in next.dependencies where seen.insert(name).inserted {
                guard let dependency = files[name] else {
                    throw RPCError(.internal, "descriptors of '\(next.name)' lack '\(name)', which it imports")
                }
                waiting.append(dependency)
            }
        }
        return response
    }
}
