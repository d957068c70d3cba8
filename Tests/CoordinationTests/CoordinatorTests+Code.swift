import RPC

extension CoordinatorTests {
    /// Of the error that ends `body`, with its message.
    func code(_ body: () async throws -> some Any) async -> (StatusCode?, String) {
        do {
            _ = try await body()
            return (nil, "")
        } catch let error as RPCError {
            return (error.code, error.message)
        } catch {
            return (.unknown, "\(error)")
        }
    }
}
