public import Messages

/// A model as its manifest describes it, with the places of its files. docs/models.md describes the file format.
public struct ModelManifest: Sendable {
    public enum Task: String, Sendable, CaseIterable { case detection, classification }

    public let name: String
    public let task: Task
    /// What it is good for, one line.
    public let summary: String
    public let licence: String
    /// Where it was published.
    public let source: String
    /// False: nobody here has run it.
    public let tested: Bool
    public let description: ModelDescription

    let network: NetworkFormat
    var networkFile: ModelFile
    /// Of formats that keep weights apart.
    var weightsFile: ModelFile?
    var labels: ModelLabels
    let input: InputSettings
    let output: OutputSettings

    /// Files of the model: weights, network, labels.
    public var files: [ModelFile] {
        var all = [networkFile]
        if let weightsFile { all.append(weightsFile) }
        if case .file(let file) = labels { all.append(file) }
        return all
    }

    /// The detector's own; 0 for a classifier.
    public var minConfidence: Float { task == .detection ? output.minConfidence : 0 }

    /// How many classes a classifier answers with for each input of which so many are asked; 0: its own number.
    public func classes(topK: Int) -> Int { min(topK == 0 ? output.topK : topK, description.labelCount) }

    /// With each file's path as `find` gives it.
    func located(_ find: (ModelFile) -> String?) -> ModelManifest {
        func locate(_ file: ModelFile) -> ModelFile {
            var found = file
            found.path = find(file)
            return found
        }
        var result = self
        result.networkFile = locate(networkFile)
        result.weightsFile = weightsFile.map(locate)
        if case .file(let file) = labels { result.labels = .file(locate(file)) }
        return result
    }
}

enum NetworkFormat: String, CaseIterable {
    case darknet, onnx
    /// A frozen graph.
    case tensorflow
    case caffe

    /// Whether weights are in a file of their own.
    var keepsWeightsApart: Bool { self == .darknet || self == .caffe }
}

enum ModelLabels: Sendable {
    case list([String])
    /// A line for each class.
    case file(ModelFile)
}

/// How a picture becomes the network's input.
struct InputSettings: Sendable {
    enum Channels: String, CaseIterable { case bgr = "BGR", rgb = "RGB", gray = "GRAY" }
    enum Resize: String, CaseIterable { case stretch, letterbox }

    var width: Int
    var height: Int
    var channels: Channels
    /// Per channel, in the network's order: input = (pixel - mean) * scale.
    var mean: [Float]
    var scale: [Float]
    var resize: Resize
    /// Pixel value of a letterbox's borders.
    var border: Float
}

/// How the network's outputs become detections or classes.
struct OutputSettings: Sendable {
    enum Decoder: String, CaseIterable {
        case darknetRegion = "darknet-region"
        case fastestDet = "fastestdet"
        case ultraFace = "ultraface"
        case grid, classifier
    }
    enum Activation: String, CaseIterable { case none, softmax, sigmoid }

    /// Prior boxes of one stride, pixels of the network's input.
    struct Priors: Sendable {
        var stride: Int
        var sizes: [Float]
    }

    var decoder: Decoder
    /// Output layers; empty: all that no other layer reads.
    var names: [String]
    var activation: Activation
    var priors: [Priors]
    var minConfidence: Float
    var nmsIoU: Float
    var topK: Int
}
