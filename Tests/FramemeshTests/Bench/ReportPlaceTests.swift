import ArgumentParser
import Foundation
import Testing

@testable import framemesh

/// Where the reports of `bench` may go.
@Suite struct ReportPlaceTests {
    @Test(arguments: [
        (["--json", "-", "--csv", "-"], "--json and --csv both write to standard output (-)"),
        (["--json", "-", "--html", "-", "--csv", "a"], "--json and --html both write to standard output (-)"),
        (["--csv", "/tmp/a", "--html", "/tmp/a"], "--csv and --html both write to /tmp/a"),
        (["--json", "/nowhere/a.json"], "cannot write /nowhere/a.json: no such file or directory"),
        (["--csv", "/etc/passwd/a.csv"], "cannot write /etc/passwd/a.csv: not a directory"),
        (["--html", "/tmp"], "cannot write /tmp: it is a directory"),
    ])
    func eachReportHasAPlaceOfItsOwn(_ arguments: [String], _ words: String) throws {
        let reports = try BenchCommand.parse(arguments).reports
        let error = #expect(throws: Fatal.self) { try reports.check() }
        #expect(error?.status == .usage && error?.message?.hasPrefix(words) == true, "\(error?.message ?? "")")
        try BenchCommand.parse(["--json", "-", "--csv", "/tmp/a", "--html", "/tmp/b"]).reports.check()
    }

    /// Not only after all was measured; who may write to a folder may not make every name in it.
    @Test func whetherAReportCanBeMadeIsTried() throws {
        let folder = FileManager.default.temporaryDirectory.path
        func check(_ name: String) throws { try BenchCommand.parse(["--html", "\(folder)/\(name)"]).reports.check() }
        let tooLong = String(repeating: "a", count: 256)
        let error = #expect(throws: Fatal.self) { try check(tooLong) }
        #expect(error?.status == .usage && error?.message == "cannot write \(folder)/\(tooLong): file name too long")
        let name = "bench-\(UUID()).html"
        try check(name)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(name)"))
    }

    /// There the file would be made at the end.
    @Test(
        arguments: [
            ("nowhere/a.html", "no such file or directory"), ("/etc/passwd/a.html", "not a directory"),
            ("link", "too many levels of symbolic links"), ("a.html", nil), ("other", nil),
        ] as [(String, String?)])
    func aLinkToNothingIsFollowed(_ target: String, _ reason: String?) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { "\(folder.path)/\(name)" }
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: target)
        try FileManager.default.createSymbolicLink(atPath: path("other"), withDestinationPath: path("b.html"))
        let reports = try BenchCommand.parse(["--html", path("link")]).reports
        if let reason {
            let error = #expect(throws: Fatal.self) { try reports.check() }
            #expect(error?.status == .usage && error?.message == "cannot write \(path("link")): \(reason)")
        } else {
            try reports.check()
        }
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["link", "other"])
    }

    /// They would be written one over the other, once all was measured.
    @Test(arguments: [("link", "b.html"), ("b.html", "link"), ("link", "other")])
    func twoReportsAreOneFileThroughALinkToNothing(_ one: String, _ two: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { "\(folder.path)/\(name)" }
        for link in ["link", "other"] {
            try FileManager.default.createSymbolicLink(atPath: path(link), withDestinationPath: "b.html")
        }
        let reports = try BenchCommand.parse(["--csv", path(one), "--html", path(two)]).reports
        let error = #expect(throws: Fatal.self) { try reports.check() }
        let words = "--csv and --html both write to \(path(two)): name another file"
        #expect(error?.status == .usage && error?.message == words, "\(error?.message ?? "")")
    }

    /// By whatever name it has, here and there.
    @Test(arguments: [
        ("--json", "a.jpg", "a.jpg"), ("--csv", "link", "a.jpg"), ("--html", "a.jpg", "link"), ("--json", "a.jpg", "."),
    ])
    func noPictureThatIsSentIsWrittenOver(_ option: String, _ report: String, _ input: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { "\(folder.path)/\(name)" }
        for name in ["a.jpg", "b.jpg"] { try Data("a".utf8).write(to: URL(fileURLWithPath: path(name))) }
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: "a.jpg")
        let command = try BenchCommand.parse(
            ["--in-process", "--pipeline", "detect", option, path(report), "--input", path(input)])
        let error = await #expect(throws: Fatal.self) { try await command.run() }
        let words = "\(path(report)) would be written over, and it is read: name another place"
        #expect(error?.status == .usage && error?.message == words, "\(error?.message ?? "")")
        let other = try BenchCommand.parse([option, path("b.jpg")]).reports
        try other.check(reading: [.file(path("a.jpg")), .standardInput])
    }
}
