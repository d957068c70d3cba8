internal import CVision

/// What runs a network. The numbers they give are the same but for rounding.
public enum Engine: String, CaseIterable, Sendable {
    /// OpenCV's own layers: the reference.
    case openCV = "opencv"
    /// Layers on oneDNN inside OpenCV's net.
    case openCVWithOneDNN = "opencv+onednn"
    /// OpenVINO from its shared library, if that is found; ONNX only.
    case openVINO = "openvino"

    /// The fastest that every build with oneDNN has. OpenVINO is used where somebody asks for it.
    public static var standard: Engine { openCVWithOneDNN.isAvailable ? .openCVWithOneDNN : .openCV }

    public var isAvailable: Bool { (try? check()) != nil }

    /// - Throws: a `VisionError` that says why it cannot be used: it is not in this build, or its library not here. For
    ///   OpenVINO this loads the library.
    public func check() throws(VisionError) {
        try unsafe Core.check { unsafe vision_engine_check(code, $0) }
    }

    var code: vision_engine {
        switch self {
        case .openCV: VISION_ENGINE_OPENCV
        case .openCVWithOneDNN: VISION_ENGINE_OPENCV_ONEDNN
        case .openVINO: VISION_ENGINE_OPENVINO
        }
    }
}
