import Foundation
import Glibc
public import Logging

/// Writes each line of the log whole, to standard error. That nobody reads it is no reason to fail.
public struct LineLogHandler: LogHandler {
    private let label: String
    private let format: LogFormat
    private let levels: LogLevels
    private let write: @Sendable (String) -> Void
    private var ownLevel: Logger.Level?

    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    public init(label: String, format: LogFormat, levels: LogLevels, provider: Logger.MetadataProvider?) {
        self.init(label: label, format: format, levels: levels, provider: provider, write: Self.toStandardError)
    }

    init(
        label: String, format: LogFormat, levels: LogLevels, provider: Logger.MetadataProvider?,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        self.format = format
        self.levels = levels
        self.write = write
        metadataProvider = provider
    }

    /// That of the process, unless this logger was given one of its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? levels.current }
        set { ownLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let told = metadataProvider?.get() { fields.merge(told) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        if let told = event.metadata { fields.merge(told) { $1 } }
        let line = LogLine(
            time: Date(), level: event.level, label: label, message: "\(event.message)", metadata: fields)
        write(line.text(format) + "\n")
    }

    private static func toStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = unsafe UnsafeRawBufferPointer(bytes)[...]
            while unsafe !rest.isEmpty {
                let count = unsafe Glibc.write(
                    STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 { unsafe rest = rest.dropFirst(count) } else if errno != EINTR { return }
            }
        }
    }
}
