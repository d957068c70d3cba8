import HTTPTypes
import Hummingbird

/// The page and its files, and the description of the API.
struct PageRoutes {
    let page: PageAssets

    func add(to group: RouterGroup<GatewayContext>) {
        for (path, asset) in page.files {
            group.get("page/\(path)") { request, _ in Self.answer(request, asset) }
            if path == "index.html" { group.get("/") { request, _ in Self.answer(request, asset) } }
        }
        let description = page.apiDescription
        group.get("openapi.yaml") { request, _ in Self.answer(request, description) }
    }

    /// Always asked again, but sent only where it has changed (RFC 9110, section 13.1.2).
    private static func answer(_ request: Request, _ asset: PageAssets.Asset) -> Response {
        var headers: HTTPFields = [.eTag: asset.tag, .cacheControl: "no-cache"]
        let known = request.headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",")
        if known.contains(where: { $0.drop { $0 == " " } == asset.tag[...] || $0.hasSuffix(asset.tag) }) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.type
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: asset.bytes))
    }
}
