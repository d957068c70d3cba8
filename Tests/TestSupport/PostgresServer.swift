public import Foundation

/// A PostgreSQL server of its own, in a temporary folder and on a socket there. It ends with this process, however that
/// ends.
public final class PostgresServer: Sendable {
    /// One for all tests of a process; nil: PostgreSQL is not installed here.
    public static let shared: Task<PostgresServer?, any Error> = Task {
        guard let programs = programs() else { return nil }
        return try await PostgresServer(programs)
    }

    /// Debian keeps the programs of each version in a folder of its own, outside of PATH.
    public static func programs() -> URL? {
        let versions = URL(fileURLWithPath: "/usr/lib/postgresql")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: versions.path)) ?? []
        return names.sorted { ($0 as NSString).doubleValue > ($1 as NSString).doubleValue }
            .map { versions.appending(path: "\($0)/bin") }
            .first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "initdb").path) }
    }

    /// PostgreSQL refuses to run as root. The shell ends the server when its own input ends, as it does with this process.
    private static let script = """
        set -e
        bin=$1 dir=$2 as=
        if [ "$(id -u)" = 0 ]; then
            chown 65534:65534 "$dir"
            as="setpriv --reuid=65534 --regid=65534 --clear-groups"
        fi
        cd "$dir"
        $as "$bin/initdb" -D "$dir/data" -U framemesh -A trust -E UTF8 --locale=C --no-sync >&2
        $as "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off >&2 2>&1 &
        server=$!
        trap 'kill -INT $server; wait $server; cd /; rm -rf "$dir"' EXIT
        until "$bin/pg_isready" -q -h "$dir"; do
            kill -0 $server
            sleep 0.1
        done
        echo ready
        read -r line || true
        """

    private let process: ChildProcess
    private let folder: URL
    private let programs: URL

    private init(_ programs: URL) async throws {
        self.programs = programs
        // The path of a socket has at most 107 bytes.
        folder = URL(fileURLWithPath: "/tmp/framemesh-postgres-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process = try ChildProcess(
            URL(fileURLWithPath: "/bin/bash"), ["-c", Self.script, "postgres", programs.path, folder.path],
            input: .open)
        _ = try await process.line(startingWith: "ready")
    }

    /// Makes an empty database.
    /// - Returns: its URL.
    public func makeDatabase() async throws -> String {
        let name = "test_\(UUID().uuidString.replacing("-", with: "").lowercased())"
        let created = try await ChildProcess(
            programs.appending(path: "createdb"), ["-h", folder.path, "-U", "framemesh", name]
        ).finish(within: .seconds(300))
        guard created.code == 0 else { throw Failure("createdb: \(created.errors)") }
        return "postgres://framemesh@/\(name)?host=\(folder.path)"
    }
}
