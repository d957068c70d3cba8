package import Foundation

/// All that one run of `framemesh bench` has found, as it stands in `--json`.
package struct BenchResult: Sendable, Codable, Equatable {
    package static let format = 4
    /// Formats that are read: what was measured before is compared with what is measured now.
    private static let readable = 2...format

    package var format = Self.format
    /// `mesh`, `node`, `gateway` or `in-process`.
    package var mode: String
    /// Who was asked; nil: nobody.
    package var target: String?
    package var pipeline: String
    /// What runs the models, and which, as far as it is known: in this process, or by what nodes say of themselves.
    package var engine: String?
    package var models: [String] = []
    /// Of the roles that were asked and of the nodes behind them, what they say of themselves; none of who did not say. nil: nobody
    /// was asked, or an older program did not.
    package var versions: [String: [String]]?
    /// Different pictures.
    package var inputs: Int
    /// Of all of them.
    package var inputBytes: Int
    package var environment: EnvironmentRecord
    /// Options that decide what the numbers mean, by name.
    package var configuration: [String: String]
    package var points: [BenchPoint] = []
    /// Of a search: the most frames at once that stay within the limit; nil: none does, or nobody searched.
    package var bestConcurrency: Int?
    /// Of overload: frames a second at saturation.
    package var capacity: Double?
    /// What ended the last point, or kept the next one from being measured; nil: all of them were measured.
    package var error: String?
    /// That of a command that ends with this error; nil: there is none, or an older program did not say.
    package var exitCode: Int32?
    /// It was ended in the warm-up of the next point, of which nothing was measured; nil: it was not.
    package var endedInWarmUp: Bool?

    package init(
        mode: String, target: String?, pipeline: String, engine: String? = nil, models: [String] = [], inputs: Int,
        inputBytes: Int, environment: EnvironmentRecord, configuration: [String: String]
    ) {
        self.mode = mode
        self.target = target
        self.pipeline = pipeline
        self.engine = engine
        self.models = models
        self.inputs = inputs
        self.inputBytes = inputBytes
        self.environment = environment
        self.configuration = configuration
    }

    package var isInterrupted: Bool { endedInWarmUp == true || points.contains(where: \.isInterrupted) }
    /// Not all points were measured that were to be: a search has no answer but a bound.
    package var isCutShort: Bool { isInterrupted || error != nil }
    /// What ended it came when all windows of its last point were measured.
    package var endedBehindWindows: Bool { points.contains { $0.error != nil && !$0.isInterrupted } }
    /// `error` for people.
    package var errorText: String? {
        guard let error else { return nil }
        if endedBehindWindows { return "the run ended with an error behind its last window: \(error)" }
        let isOfLast = points.contains { $0.error != nil }
        return (isOfLast ? "the run ended before its time: " : "the next point was not measured: ") + error
    }

    /// In the whole runs of all points, as `failed` and `outOfOrder`.
    package var partial: UInt64 { points.reduce(0) { $0 + $1.partialAtAll } }
    package var failed: UInt64 { points.reduce(0) { $0 + $1.failedAtAll } }
    package var outOfOrder: UInt64 { points.reduce(0) { $0 + $1.outOfOrderAtAll } }

    /// Reports for people have a column of them then.
    package var hasRefusals: Bool { points.contains { $0.refused > 0 } }

    /// Parts of the mesh that are of another version than the program that measured, with theirs, by role.
    package var otherVersions: [(role: String, versions: [String])] {
        (versions ?? [:]).filter { $0.value.contains { $0 != environment.version } }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The most frames at once of those points that were measured whole and stayed within the latency limit; nil: none did.
    package var mostWithinLimit: Int? {
        points.filter { $0.isWithinLimit == true && !$0.isInterrupted }.map(\.load.callers).max()
    }

    /// More than the capacity that was found, by more than runs differ, was answered under overload, so many frames a second; nil: it
    /// was not. Then the capacity was measured with too few callers.
    package var beyondCapacity: Double? {
        guard let capacity, let most = points.filter({ $0.load.factor != nil }).map(\.framesPerSecond).max(),
            most > capacity * (1 + Self.capacityTolerance)
        else { return nil }
        return most
    }

    private static let capacityTolerance = 0.1

    /// The most that were measured at once are within the limit: more may be, too.
    package var isBestTheMost: Bool {
        bestConcurrency != nil && bestConcurrency == points.map(\.load.callers).max()
    }

    /// The windows of the point that a search has for its answer did not agree.
    package var isBestUnstable: Bool {
        points.contains { $0.load.callers == bestConcurrency && $0.isWithinLimit == true && !$0.isStable }
    }

    /// One line of JSON with its keys in order.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The bytes of one file of results.
    package static let maxFileBytes = 256 << 20
    /// Results in one file.
    package static let maxResults = 1000

    /// Results, one a line: several runs of the same may be appended to one file.
    /// - Throws: `BenchResultError` that names the line.
    package static func read(_ data: Data) throws(BenchResultError) -> [BenchResult] {
        guard data.count <= maxFileBytes else {
            throw BenchResultError("there are more than \(maxFileBytes) bytes in it")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var results: [BenchResult] = []
        var rest = data[...]
        var number = 0
        while !rest.isEmpty {
            number += 1
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(line.count + 1)
            if line.isEmpty { continue }
            guard results.count < maxResults else { throw BenchResultError("more than \(maxResults) results") }
            let head: Head
            do {
                head = try decoder.decode(Head.self, from: line)
            } catch DecodingError.dataCorrupted {
                throw BenchResultError("line \(number) is no JSON; a result is one line of it")
            } catch {
                throw BenchResultError("line \(number) is no result of framemesh bench")
            }
            guard readable.contains(head.format) else {
                let known = "\(readable.lowerBound) to \(readable.upperBound)"
                throw BenchResultError("line \(number) has format \(head.format), this program reads \(known)")
            }
            do {
                results.append(try decoder.decode(BenchResult.self, from: line))
            } catch {
                throw BenchResultError("line \(number) is a damaged result of framemesh bench")
            }
        }
        guard !results.isEmpty else { throw BenchResultError("there is no result in it") }
        return results
    }

    private struct Head: Decodable {
        var format: Int
    }
}

/// Why a file is no result.
package struct BenchResultError: Error, Sendable, Equatable {
    package let message: String

    init(_ message: String) { self.message = message }
}
