internal import CVision

/// Calls the C++ core and turns what it reports into a `VisionError`.
enum Core {
    /// - Parameter call: returns nil or false where it failed, and has filled the error then.
    static func pointer(_ call: (UnsafeMutablePointer<vision_error>) -> OpaquePointer?) throws(VisionError)
        -> OpaquePointer
    {
        var error = vision_error()
        guard let pointer = unsafe call(&error) else { throw thrown(error) }
        return unsafe pointer
    }

    static func check(_ call: (UnsafeMutablePointer<vision_error>) -> Bool) throws(VisionError) {
        var error = vision_error()
        guard unsafe call(&error) else { throw thrown(error) }
    }

    private static func thrown(_ error: vision_error) -> VisionError {
        let text = unsafe withUnsafeBytes(of: error.text) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        switch error.status {
        case VISION_BAD_PICTURE: return VisionError(.badPicture, text)
        case VISION_BAD_MODEL: return VisionError(.badModel, text)
        default: return VisionError(.internalFailure, text)
        }
    }
}
