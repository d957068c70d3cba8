internal import CVision
public import Messages

/// One network, loaded: belongs to one thread. docs/engines.md says what each further one costs.
@safe public final class Model {
    /// Inputs of one forward pass; a model that shall take more is refused.
    public static let batchSizeLimit = Int(VISION_MAX_BATCH_SIZE)

    public let manifest: ModelManifest
    /// 1 where batches differ from their singles.
    public let maxBatchSize: Int
    /// What runs its layers, in one line.
    public let engineDescription: String
    /// By number of the class.
    public var labelNames: [String] { labels.names }
    private let labels: Labels
    /// Owned; freed with this object.
    private let handle: OpaquePointer

    /// Checks sha256, loads, and where `maxBatchSize` > 1 compares a batch with its singles.
    public init(
        _ manifest: ModelManifest, store: ModelStore, engine: Engine = .standard, maxBatchSize: Int = 1
    ) throws(VisionError) {
        let labels = try Labels(manifest, store: store)
        let network = try store.file(manifest.networkFile).verifiedBytes(model: manifest.name)
        var weights: [UInt8] = []
        if let file = manifest.weightsFile { weights = try store.file(file).verifiedBytes(model: manifest.name) }
        let settings = vision_settings(manifest, engine: engine, maxBatchSize: maxBatchSize)
        let priors = manifest.output.priors.flatMap { prior in
            prior.sizes.map { vision_prior(stride: Int32(clamping: prior.stride), size: $0) }
        }
        let handle: OpaquePointer
        do {
            unsafe handle = try unsafe Core.pointer { error in
                unsafe network.withUnsafeBufferPointer { network in
                    unsafe weights.withUnsafeBufferPointer { weights in
                        unsafe priors.withUnsafeBufferPointer { priors in
                            unsafe manifest.output.names.joined(separator: "\n").withCString { names in
                                let parts = unsafe vision_model_parts(
                                    network: network.baseAddress, network_length: network.count,
                                    weights: weights.baseAddress, weights_length: weights.count, outputs: names,
                                    priors: priors.baseAddress, prior_count: priors.count)
                                return unsafe vision_model_create(settings, parts, error)
                            }
                        }
                    }
                }
            }
        } catch {
            throw VisionError(error.kind, "model \(manifest.name): \(error.message)")
        }
        self.manifest = manifest
        self.labels = labels
        unsafe self.handle = handle
        self.maxBatchSize = unsafe Int(vision_model_max_batch_size(handle))
        self.engineDescription = unsafe String(cString: vision_model_engine_description(handle))
    }

    deinit { unsafe vision_model_free(handle) }

    /// Boxes in pixels of each picture as displayed, after NMS, strongest first. Inputs beyond `maxBatchSize` run in
    /// several passes.
    /// - Parameter minConfidence: of each input; 0 means the model's own.
    public func detect(
        _ inputs: [ModelInput], minConfidence: [Float]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
        try require(.detection)
        var found = Array(repeating: [Detection](), count: inputs.count)
        let wanted = inputs.indices.map {
            Wanted(minConfidence: minConfidence.indices.contains($0) ? minConfidence[$0] : 0)
        }
        let times = try run(inputs, wanted) { finding in
            let id = Int(finding.class_id)
            let box = Box(x: finding.x, y: finding.y, width: finding.width, height: finding.height)
            found[Int(finding.input)].append(
                Detection(classID: id, label: labels[id], confidence: finding.confidence, box: box))
        }
        return (found, times)
    }

    /// Best classes first.
    /// - Parameter topK: of each input; 0 means the model's own.
    public func classify(
        _ inputs: [ModelInput], topK: [Int]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
        try require(.classification)
        var found = Array(repeating: [Classification](), count: inputs.count)
        let wanted = inputs.indices.map { Wanted(topK: topK.indices.contains($0) ? topK[$0] : 0) }
        let times = try run(inputs, wanted) { finding in
            let id = Int(finding.class_id)
            found[Int(finding.input)].append(
                Classification(classID: id, label: labels[id], confidence: finding.confidence))
        }
        return (found, times)
    }

    /// A pass over grey pictures, as many as a batch takes: a net's first pass allocates and is slow.
    public func warmUp() throws(VisionError) { _ = try pass(over: maxBatchSize) }

    /// Grey pictures, 1…`maxBatchSize` of them, in one pass.
    func pass(over count: Int) throws(VisionError) -> StageTimes {
        let image = try Image.grey(width: manifest.input.width, height: manifest.input.height)
        let inputs = Array(repeating: ModelInput(image), count: count)
        return try run(inputs, inputs.map { _ in Wanted() }) { _ in }
    }

    /// What one input asks for; 0: the model's own.
    private struct Wanted {
        var minConfidence: Float = 0
        var topK = 0
    }

    private func require(_ task: ModelManifest.Task) throws(VisionError) {
        guard manifest.task == task else {
            throw VisionError(
                .badModel, "model \(manifest.name) is for \(manifest.task.rawValue), not \(task.rawValue)")
        }
    }

    private func run(
        _ inputs: [ModelInput], _ wanted: [Wanted], _ take: (vision_finding) -> Void
    ) throws(VisionError) -> StageTimes {
        var all: [vision_input] = unsafe []
        for (input, wish) in zip(inputs, wanted) { unsafe all.append(try Self.input(input, wish)) }
        var result = unsafe vision_result()
        // The inputs' images must live until the run is over.
        try withExtendedLifetime(inputs) { () throws(VisionError) in
            try unsafe Core.check { error in
                unsafe all.withUnsafeBufferPointer { list in
                    unsafe vision_model_run(handle, list.baseAddress, list.count, &result, error)
                }
            }
        }
        unsafe UnsafeBufferPointer(start: result.findings, count: result.count).forEach(take)
        var times = StageTimes()
        times.preprocess = unsafe result.preprocess_microseconds
        times.infer = unsafe result.infer_microseconds
        times.postprocess = unsafe result.postprocess_microseconds
        return times
    }

    private static func input(_ input: ModelInput, _ wanted: Wanted) throws(VisionError) -> vision_input {
        if let box = input.region, !(box.width > 0 && box.height > 0) {
            throw VisionError(.badPicture, "region of \(box.width) x \(box.height) pixels is empty")
        }
        return unsafe vision_input(
            image: input.image.handle, x: input.region?.x ?? 0, y: input.region?.y ?? 0,
            width: input.region?.width ?? 0, height: input.region?.height ?? 0, min_confidence: wanted.minConfidence,
            top_k: Int32(clamping: wanted.topK))
    }
}

extension vision_settings {
    fileprivate init(_ manifest: ModelManifest, engine: Engine, maxBatchSize: Int) {
        let input = manifest.input
        let output = manifest.output
        self.init()
        self.engine = engine.code
        switch manifest.network {
        case .darknet: network = VISION_DARKNET
        case .onnx: network = VISION_ONNX
        case .tensorflow: network = VISION_TENSORFLOW
        case .caffe: network = VISION_CAFFE
        }
        input_width = Int32(clamping: input.width)
        input_height = Int32(clamping: input.height)
        switch input.channels {
        case .bgr: channels = VISION_CHANNELS_BGR
        case .rgb: channels = VISION_CHANNELS_RGB
        case .gray: channels = VISION_CHANNELS_GRAY
        }
        mean = Self.three(input.mean)
        scale = Self.three(input.scale)
        resize = input.resize == .stretch ? VISION_STRETCH : VISION_LETTERBOX
        border = input.border
        switch output.decoder {
        case .darknetRegion: decoder = VISION_DARKNET_REGION
        case .fastestDet: decoder = VISION_FASTESTDET
        case .ultraFace: decoder = VISION_ULTRAFACE
        case .grid: decoder = VISION_GRID
        case .classifier: decoder = VISION_CLASSIFIER
        }
        switch output.activation {
        case .none: activation = VISION_ACTIVATION_NONE
        case .softmax: activation = VISION_ACTIVATION_SOFTMAX
        case .sigmoid: activation = VISION_ACTIVATION_SIGMOID
        }
        class_count = Int32(clamping: manifest.description.labelCount)
        min_confidence = output.minConfidence
        top_k = Int32(clamping: output.topK)
        nms_iou = output.nmsIoU
        max_batch_size = Int32(clamping: maxBatchSize)
    }

    private static func three(_ values: [Float]) -> (Float, Float, Float) {
        values.count == 3 ? (values[0], values[1], values[2]) : (values.first ?? 0, 0, 0)
    }
}
