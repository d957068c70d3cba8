// CONTRACT: the public surface that other modules compile against. The module replaces each body;
// signatures stay (additions are fine). This file itself disappears into files named after their types.
public import Messages
public import NIOCore

/// A picture, a model file or a manifest that cannot be used; one line that names the thing.
public struct VisionError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable { case badPicture, badModel, notFound, internalFailure }
    public var kind: Kind
    public var message: String
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
    public var description: String { message }
}

/// Checked against a picture's header before it is decoded.
public struct ImageLimits: Sendable, Hashable {
    public var maxPixels = 50_000_000
    public var maxSide = 16_384
    public init() {}
}

/// Decoded pixels, BGR8, upright (EXIF orientation applied), in an aligned buffer from a bounded pool. Immutable.
public final class Image: Sendable {
    /// Decodes a compressed frame, or takes the pixels of a raw one.
    public init(decoding frame: Frame, limits: ImageLimits = .init()) throws(VisionError) { fatalError() }
    public var width: Int { fatalError() }
    public var height: Int { fatalError() }
    /// BGR8, rows packed; a copy.
    public var pixels: ByteBuffer { fatalError() }
    /// A copy with boxes, labels, track ids drawn on it, and the classes of the whole picture in a corner.
    public func drawing(_ detections: [Detection], classes: [Classification] = [], caption: String? = nil) -> Image {
        fatalError()
    }
    /// - Parameter quality: 1…100.
    public func jpeg(quality: Int = 90) throws(VisionError) -> ByteBuffer { fatalError() }
}

/// A model as its manifest describes it, with the places of its files.
public struct ModelManifest: Sendable {
    public enum Task: String, Sendable { case detection, classification }
    public var name: String { fatalError() }
    public var task: Task { fatalError() }
    public var description: ModelDescription { fatalError() }
    public var licence: String { fatalError() }
    /// Files of the model: weights, network, labels.
    public var files: [ModelFile] { fatalError() }
    /// The detector's own; 0 for a classifier.
    public var minConfidence: Float { fatalError() }
}

public struct ModelFile: Sendable, Hashable {
    public var name: String
    public var bytes: Int
    /// Lower-case hexadecimal.
    public var sha256: String
    /// Where it is published; nil: not to be pulled.
    public var url: String?
    /// Where it lies on this machine; nil: not here.
    public var path: String?
}

/// All models that are known here: manifests (`*.yaml`) in the bundled folder and in those of `FRAMEMESH_MODELS`;
/// their files beside the manifest, in those folders, or in the folder that `models pull` fills.
public struct ModelStore: Sendable {
    /// - Parameters:
    ///   - bundled: the folder that comes with the program.
    ///   - folders: those of `FRAMEMESH_MODELS`; they win over `bundled`.
    ///   - pulled: where `models pull` puts files.
    public init(bundled: String, folders: [String], pulled: String) throws(VisionError) { fatalError() }
    public var pulled: String { fatalError() }
    /// Sorted by name.
    public var models: [ModelManifest] { fatalError() }
    /// - Throws: `.notFound`, naming what there is.
    public func manifest(named name: String) throws(VisionError) -> ModelManifest { fatalError() }
    /// Every file is here and has its sha256. - Throws: naming the model, the file and what is wrong.
    public func check(_ manifest: ModelManifest) throws(VisionError) { fatalError() }
}

/// Microseconds of the parts of one forward pass, for the whole batch.
public struct StageTimes: Sendable, Hashable {
    public var preprocess: UInt64 = 0
    public var infer: UInt64 = 0
    public var postprocess: UInt64 = 0
    public init() {}
}

/// What a model shall look at: a whole picture, or a box of it (clipped to the picture).
public struct ModelInput: Sendable {
    public var image: Image
    public var region: Box?
    public init(_ image: Image, region: Box? = nil) {
        self.image = image
        self.region = region
    }
}

/// One network, loaded: belongs to one thread. Each further one costs 8–19 MB.
public final class Model {
    /// Checks sha256, loads, and where `maxBatchSize` > 1 compares a batch with its singles.
    public init(_ manifest: ModelManifest, store: ModelStore, maxBatchSize: Int = 1) throws(VisionError) {
        fatalError()
    }
    public var manifest: ModelManifest { fatalError() }
    /// 1 where batches differ from their singles.
    public var maxBatchSize: Int { fatalError() }
    /// Boxes in pixels of each picture as displayed, after NMS, strongest first. Inputs beyond `maxBatchSize` run in
    /// several passes.
    /// - Parameter minConfidence: of each input; 0 means the model's own.
    public func detect(_ inputs: [ModelInput], minConfidence: [Float]) throws(VisionError) -> (
        found: [[Detection]], times: StageTimes
    ) { fatalError() }
    /// Best classes first.
    /// - Parameter topK: of each input; 0 means the model's own.
    public func classify(_ inputs: [ModelInput], topK: [Int]) throws(VisionError) -> (
        found: [[Classification]], times: StageTimes
    ) { fatalError() }
    /// A pass over a grey picture: a net's first pass allocates and is slow.
    public func warmUp() throws(VisionError) { fatalError() }
}
