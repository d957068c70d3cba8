internal import Crypto
internal import Foundation
internal import Messages
internal import Yams

extension ModelManifest {
    static let maxManifestBytes = 64 << 10
    static let maxFileBytes = 1 << 30
    static let maxInputSide = 4096
    static let maxClasses = 100_000
    static let maxTopK = 1000

    /// - Parameter path: of the file; messages name its last part.
    static func read(path: String) throws(VisionError) -> ModelManifest {
        let name = (path as NSString).lastPathComponent
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maxManifestBytes + 1)
        else { throw VisionError(.badModel, "\(name): cannot be read") }
        guard data.count <= maxManifestBytes else {
            throw VisionError(.badModel, "\(name): is longer than \(maxManifestBytes) bytes")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: name)
    }

    static func parse(_ yaml: String, file: String) throws(VisionError) -> ModelManifest {
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch {
            let text = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
            throw VisionError(.badModel, "\(file): \(text)")
        }
        guard let root else { throw VisionError(.badModel, "\(file): is empty") }
        var top = try ManifestSection(root, file: file, path: "")
        let manifest = try ModelManifest(&top)
        try top.finish()
        return manifest
    }

    private init(_ top: inout ManifestSection) throws(VisionError) {
        name = try top.text("name")
        guard Self.isPlain(name) else { throw top.wrong("name", "must be of letters, digits, '.', '-' and '_'") }
        task = try top.choice("task", Task.self)
        summary = try top.textIfAny("summary") ?? ""
        licence = try top.text("licence")
        source = try top.textIfAny("source") ?? ""
        tested = try top.flag("tested", otherwise: true)
        network = try top.choice("format", NetworkFormat.self)

        var files = try top.section("files")
        networkFile = try Self.file(&files, "network")
        weightsFile = network.keepsWeightsApart ? try Self.file(&files, "weights") : nil
        let labelsFile = try Self.fileIfAny(&files, "labels")
        try files.finish()

        let labelCount: Int
        (labels, labelCount) = try Self.labels(&top, file: labelsFile)
        input = try InputSettings(&top)
        output = try OutputSettings(&top, task: task)

        var description = ModelDescription()
        description.name = name
        description.task = task.rawValue
        description.inputWidth = input.width
        description.inputHeight = input.height
        description.labelCount = labelCount
        var digests = [networkFile.sha256, weightsFile?.sha256 ?? ""]
        if let labelsFile { digests.append(labelsFile.sha256) }
        description.version = String(SHA256.hex(of: Array(digests.joined().utf8)).prefix(12))
        self.description = description
    }

    /// Letters, digits and a few marks: safe as a file's name and in any message.
    static func isPlain(_ name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                return true
            default: return false
            }
        }
        return allowed && !name.isEmpty && name.utf8.count <= 128 && !name.hasPrefix(".")
    }

    private static func file(_ files: inout ManifestSection, _ key: String) throws(VisionError) -> ModelFile {
        guard let file = try fileIfAny(&files, key) else { throw files.wrong(key, "is missing") }
        return file
    }

    private static func fileIfAny(_ files: inout ManifestSection, _ key: String) throws(VisionError) -> ModelFile? {
        guard var section = try files.sectionIfAny(key) else { return nil }
        let name = try section.text("name")
        guard isPlain(name) else { throw section.wrong("name", "must be the plain name of a file, not \(name)") }
        let bytes = try section.whole("bytes", 1...maxFileBytes)
        let sha256 = try section.text("sha256")
        guard sha256.utf8.count == 64, sha256.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else {
            throw section.wrong("sha256", "must be 64 lower-case hexadecimal digits")
        }
        let url = try section.textIfAny("url")
        guard url == nil || url?.hasPrefix("https://") == true else {
            throw section.wrong("url", "must begin with https://")
        }
        try section.finish()
        return ModelFile(name: name, bytes: bytes, sha256: sha256, url: url, path: nil)
    }

    private static func labels(
        _ top: inout ManifestSection, file: ModelFile?
    ) throws(VisionError) -> (ModelLabels, Int) {
        let list = try top.texts("labels")
        switch (file, list) {
        case (let file?, nil): return (.file(file), try top.whole("classes", 1...maxClasses))
        case (nil, let list?): return (.list(list), list.count)
        case (nil, nil): throw top.wrong("labels", "is missing, and there is no files.labels")
        case (_?, _?): throw top.wrong("labels", "and files.labels exclude each other")
        }
    }
}

extension InputSettings {
    init(_ top: inout ManifestSection) throws(VisionError) {
        var section = try top.section("input")
        width = try section.whole("width", 1...ModelManifest.maxInputSide)
        height = try section.whole("height", 1...ModelManifest.maxInputSide)
        channels = try section.choice("channels", Channels.self)
        let count = channels == .gray ? 1 : 3
        mean = try section.numbers("mean", -1e6...1e6, count: count)
        scale = try section.numbers("scale", -1e6...1e6, count: count)
        resize = try section.choice("resize", Resize.self)
        border = try section.number("border", 0...255, otherwise: 0)
        try section.finish()
    }
}

extension OutputSettings {
    init(_ top: inout ManifestSection, task: ModelManifest.Task) throws(VisionError) {
        var section = try top.section("output")
        decoder = try section.choice("decoder", Decoder.self)
        guard (decoder == .classifier) == (task == .classification) else {
            throw section.wrong("decoder", "\(decoder.rawValue) is not for the task \(task.rawValue)")
        }
        names = try section.texts("names") ?? []
        activation = .none
        if decoder == .grid || decoder == .classifier {
            activation = try section.choice("class_activation", Activation.self)
        }
        priors = []
        if decoder == .ultraFace {
            for var prior in try section.sections("priors") { priors.append(try Priors(&prior)) }
            guard !priors.isEmpty else { throw section.wrong("priors", "is missing") }
        }
        let finds = task == .detection
        minConfidence = finds ? try section.number("min_confidence", 0.001...1) : 0
        nmsIoU = finds ? try section.number("nms_iou", 0...1) : 1
        topK = finds ? 1 : try section.whole("top_k", 1...ModelManifest.maxTopK, otherwise: 5)
        try section.finish()
    }
}

extension OutputSettings.Priors {
    init(_ section: inout ManifestSection) throws(VisionError) {
        stride = try section.whole("stride", 1...ModelManifest.maxInputSide)
        guard let sequence = section.node("sizes")?.sequence else {
            throw section.wrong("sizes", "must be a list of numbers")
        }
        let where_ = section
        sizes = try sequence.numbers(1...Float(ModelManifest.maxInputSide)) { where_.wrong("sizes", $0) }
        try section.finish()
    }
}
