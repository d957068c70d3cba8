internal import CVision

/// The C++ core, as it was built.
package enum VisionCore {
    /// Name and version of its compiler, and of which source that was made, as it says itself.
    package static let compiler = unsafe String(cString: vision_compiler())
}
