/// The methods of a server, found by the bytes of a path without making a string of them.
///
/// They are kept by the length of their paths, of which a service has a few at each: there is no hash that a peer could
/// find collisions for.
struct MethodTable: Sendable {
    private var byLength: [[(path: [UInt8], method: ServerMethod)]] = []

    /// A path that is there already gets the new method.
    mutating func add(_ method: ServerMethod) {
        let path = Array(method.path.utf8)
        while byLength.count <= path.count { byLength.append([]) }
        byLength[path.count].removeAll { $0.path == path }
        byLength[path.count].append((path, method))
    }

    func find(_ path: Span<UInt8>) -> ServerMethod? {
        guard path.count < byLength.count else { return nil }
        for entry in byLength[path.count] where path.equals(entry.path.span) { return entry.method }
        return nil
    }
}
