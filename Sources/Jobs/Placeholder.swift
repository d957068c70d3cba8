import GRDB
import CPostgres
enum JobsPlaceholder { static let queue = DatabaseQueue.self; static let version = PQlibVersion() }
