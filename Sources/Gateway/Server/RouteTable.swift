package import HTTPTypes
import Hummingbird
import Synchronization

/// Which methods each path has, for the answer to a request that no route takes: 405 with `Allow` where the path has
/// other methods (RFC 9110, section 15.5.6), else 404.
package final class RouteTable: Sendable {
    package struct Route: Sendable, Hashable {
        package var method: HTTPRequest.Method
        /// With `{name}` for a part that varies.
        package var path: String
        package var access: Access
    }

    private let found = Mutex<[Route]>([])

    package var routes: [Route] { found.withLock { $0 } }

    func add(_ route: Route) {
        found.withLock { all in
            all.append(route)
            // Each GET is a HEAD, too (RFC 9110, section 9.3.2).
            if route.method == .get { all.append(Route(method: .head, path: route.path, access: route.access)) }
        }
    }

    func absence(of request: Request) -> Problem {
        let allowed = methods(of: request.uri.path)
        // By this method there is a route, which found nothing.
        guard !allowed.isEmpty, !allowed.contains(request.method) else {
            return Problem(.notFound, "there is nothing here")
        }
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(.methodNotAllowed, "this takes \(names), not \(request.method.rawValue.prefix(20))")
        problem.headers[.allow] = names
        return problem
    }

    func methods(of path: String) -> [HTTPRequest.Method] {
        let parts = Self.parts(path)
        let found = routes.filter { route in
            let pattern = Self.parts(route.path)
            return pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return Set(found.map(\.method)).sorted { $0.rawValue < $1.rawValue }
    }

    private static func parts(_ path: String) -> [Substring] { path.split(separator: "/") }
}
