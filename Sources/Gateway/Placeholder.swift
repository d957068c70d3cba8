import Hummingbird
import HummingbirdTLS
import AsyncHTTPClient
enum GatewayPlaceholder { static let router = Router<BasicRequestContext>.self; static let client = HTTPClient.self }
