internal import CVision

/// What runs a network. Both are OpenCV's DNN module; the numbers they give are the same but for rounding.
public enum Engine: String, CaseIterable, Sendable {
    /// OpenCV's own layers: the reference.
    case openCV = "opencv"
    /// Layers on oneDNN inside OpenCV's net.
    case openCVWithOneDNN = "opencv+onednn"

    /// The fastest of this build.
    public static var standard: Engine { openCVWithOneDNN.isBuilt ? .openCVWithOneDNN : .openCV }

    /// Whether it was there when this was built.
    public var isBuilt: Bool { vision_engine_is_built(code) }

    var code: vision_engine {
        switch self {
        case .openCV: VISION_ENGINE_OPENCV
        case .openCVWithOneDNN: VISION_ENGINE_OPENCV_ONEDNN
        }
    }
}
