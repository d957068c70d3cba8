import ArgumentParser
import CHotPieces

/// The hot pieces, one at a time, for `benchmarks/micro`, which counts their instructions.
///
/// Not an asynchronous command: those end their first thread, and with it valgrind 3.19.
@main
struct HotPieces: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hot-pieces", abstract: "Does one piece of work again and again, and says how often.")

    /// Before the count, since the first turns fill pools and caches.
    private static let turnsBefore = 3

    @Argument(help: "Which piece; without it, all names.")
    var piece: String?

    func run() throws {
        guard let piece else { return Piece.all.forEach { print($0.name) } }
        guard let piece = Piece.all.first(where: { $0.name == piece }) else {
            throw ValidationError("there is no piece \(piece)")
        }
        let work = Work(try piece.prepare(), result: piece.result)
        for _ in 0..<Self.turnsBefore { work.turn() }
        unsafe hot_pieces_measured(
            piece.turns,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().turn()
            }, Unmanaged.passUnretained(work).toOpaque())
        print(piece.turns)
    }
}

/// A piece that is ready; it ends the process when a turn goes wrong.
private final class Work {
    private let body: () throws -> Int
    private let result: Int

    init(_ body: @escaping () throws -> Int, result: Int) {
        self.body = body
        self.result = result
    }

    func turn() {
        do {
            let got = try body()
            guard got == result else { fatalError("a turn says \(got), and should say \(result)") }
        } catch { fatalError("\(error)") }
    }
}
