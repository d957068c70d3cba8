import Foundation
import Testing

/// The arrows between modules point down only (docs/architecture.md).
@Suite struct ArchitectureTests {
    /// Our modules that each module may import.
    static let arrows: [String: Set<String>] = [
        "HTTP2": ["CNghttp2"],
        "ProtobufStructs": ["CProtobufC", "CBoundedProtobuf"],
        "RPC": ["HTTP2", "CRPCMessages", "CProtobufC", "ProtobufStructs", "CZlib", "CEventDescriptor"],
        "Messages": ["CMessages", "CProtobufC", "ProtobufStructs"],
        "Services": ["RPC", "Messages"],
        "Threads": [],
        "Mesh": ["RPC", "Threads", "CAres"],
        "Traces": ["RPC", "CTraceMessages", "ProtobufStructs"],
        "Vision": ["CVision", "Messages"],
        "Tracking": ["Messages"],
        "Evaluation": ["Messages", "Tracking"],
        "Bench": [],
        "Video": ["Messages", "Threads"],
        "Node": ["Services", "RPC", "Vision", "Messages", "Telemetry", "Threads", "Traces"],
        "Coordination": ["Mesh", "Services", "RPC", "Tracking", "Messages", "Telemetry", "Traces"],
        "Client": ["Mesh", "Services", "RPC", "Messages"],
        "Outbound": ["Mesh"],
        "Playback": ["Client", "Outbound", "RPC", "Results", "Video", "Vision", "Messages"],
        "Results": ["Messages", "Vision"],
        "Areas": ["Messages"],
        "Telemetry": [],
        "Jobs": ["CPostgres"],
        "Gateway": [
            "Areas", "Client", "Jobs", "Mesh", "Messages", "Outbound", "Playback", "RPC", "Results", "Services",
            "Telemetry", "Traces", "Video", "Vision",
        ],
        "rpc-interop": ["RPC", "CInteropMessages", "CProtobufC", "ProtobufStructs"],
        "framemesh": [
            "Areas", "Bench", "Evaluation", "Gateway", "Jobs", "Outbound", "Playback", "Results", "Telemetry", "Traces",
            "Node", "Coordination", "Client", "Video", "Vision", "Mesh", "Services", "RPC", "Messages", "Threads",
            "Tracking",
        ],
    ]
    static let ours = Set(arrows.keys).union([
        "CNghttp2", "CMessages", "CRPCMessages", "CInteropMessages", "CTraceMessages", "CProtobufC",
        "CBoundedProtobuf", "CVision", "CZlib", "CEventDescriptor", "CAres", "CPostgres",
    ])

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func swiftFiles(_ module: String) throws -> [URL] {
        let folder = root.appending(path: "Sources/\(module)")
        let all = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return all.filter { $0.hasSuffix(".swift") }.map { folder.appending(path: $0) }
    }

    private static func imports(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") || ["public", "package", "internal"].contains(first) {
                words.removeFirst()
            }
            guard words.first == "import", words.count >= 2 else { return nil }
            // `import struct Module.Name` names its module too.
            let name = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) ? words[2] : words[1]
            return String(name.split(separator: ".")[0])
        }
    }

    @Test(arguments: arrows.keys.sorted())
    func importsPointDownOnly(_ module: String) throws {
        let files = try Self.swiftFiles(module)
        #expect(!files.isEmpty)
        let allowed = try #require(Self.arrows[module])
        for file in files {
            for name in try Self.imports(file) where Self.ours.contains(name) {
                #expect(allowed.contains(name), "\(module)/\(file.lastPathComponent) must not import \(name)")
            }
        }
    }

    /// C libraries stay in small rooms.
    @Test(arguments: [
        "CNghttp2", "CVision", "CMessages", "CRPCMessages", "CInteropMessages", "CTraceMessages", "CBoundedProtobuf",
        "CZlib", "CEventDescriptor", "CAres", "CPostgres",
    ])
    func fewFilesSpeakC(_ library: String) throws {
        var speakers: [String] = []
        for module in Self.arrows.keys {
            for file in try Self.swiftFiles(module) where try Self.imports(file).contains(library) {
                speakers.append("\(module)/\(file.lastPathComponent)")
            }
        }
        let limit = [
            "CNghttp2": 5, "CVision": 5, "CMessages": 8, "CBoundedProtobuf": 2, "CRPCMessages": 2, "CZlib": 1,
            "CEventDescriptor": 1, "CAres": 1, "CPostgres": 1,
            "CInteropMessages": 4, "CTraceMessages": 2,
        ][library]!
        #expect(!speakers.isEmpty)
        #expect(speakers.count <= limit, "\(library) is imported by \(speakers.sorted())")
    }

    @Test func everyModuleOfThePackageIsListedHere() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Sources").path)
        let swift = folders.filter { !$0.hasPrefix("C") || Self.arrows[$0] != nil }.filter { $0 != "framemesh-video" }
        #expect(Set(swift) == Set(Self.arrows.keys))
    }
}
