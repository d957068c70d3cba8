import ArgumentParser
import Logging
import RPC

/// How the server of a role proves who it is, and who may call it.
struct ServerSecurityOptions: ParsableArguments {
    @OptionGroup var tlsOptions: ServerTLSOptions

    @Option(
        help: ArgumentHelp(
            "Who may call: digests of bearer tokens, and names of client certificates.", valueName: "file"))
    var credentials: String?

    @Option(help: ArgumentHelp("Who of them may call what (default: all of them all).", valueName: "file"))
    var accessRules: String?

    var isPlainText: Bool { tlsOptions.isPlainText }

    func tls(_ role: String, _ settings: Settings) throws(Fatal) -> ServerTLS? { try tlsOptions.tls(role, settings) }

    func access(_ role: String, _ settings: Settings, logger: Logger) throws(Fatal) -> AccessControl? {
        guard !isPlainText else { return nil }
        let rules = accessRules ?? settings.string(at: [role, "access-rules"])
        guard let credentials = credentials ?? settings.string(at: [role, "credentials"]) else {
            if rules != nil { throw Fatal("--access-rules needs --credentials", status: .usage) }
            return nil
        }
        do throws(RPCError) {
            var access = AccessControl(credentials: try Credentials(contentsOf: credentials, logger: logger))
            if let rules { access.rules = try AccessRules(contentsOf: rules) }
            return access
        } catch {
            throw Fatal(error.message, status: .usage)
        }
    }
}
