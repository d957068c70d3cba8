import Outbound

/// Where the frames of a stream come from.
enum StreamSource: Sendable, Hashable {
    /// RTSP or HTTP.
    case url(OutboundURL)
    /// A file of the camera folder, in real time, by its path; over and over if it is looped.
    case file(name: String, path: String, loop: Bool)
    /// Posted, one by one.
    case push
}
