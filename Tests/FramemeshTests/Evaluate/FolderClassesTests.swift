import Testing

@testable import framemesh

@Suite struct FolderClassesTests {
    private let classes = FolderClasses(labels: ["tench, Tinca tinca", "crane", "goldfish", "crane"])

    @Test func foldersGoByNameOrNumber() throws {
        #expect(try classes.numbers(of: ["goldfish", "Tench", "tench, tinca tinca", "3"]) == [2, 0, 0, 3])
    }

    @Test(arguments: ["crane", "dog", "4", "-1"])
    func othersAreNamed(folder: String) {
        let error = #expect(throws: Fatal.self) { try classes.numbers(of: ["goldfish", folder]) }
        #expect(error?.message?.contains("'\(folder)'") == true, "\(error?.message ?? "")")
        #expect(error?.status == .usage)
    }

    @Test func idsOfWordNetAreInTheOrderOfImageNet() throws {
        #expect(try classes.numbers(of: ["n01443537", "n01440764", "n02012849", "n01496331"]) == [1, 0, 3, 2])
    }
}
