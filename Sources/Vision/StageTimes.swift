/// Microseconds of the parts of one forward pass, for the whole batch.
public struct StageTimes: Sendable, Hashable {
    public var preprocess: UInt64 = 0
    public var infer: UInt64 = 0
    public var postprocess: UInt64 = 0
    public init() {}
}
