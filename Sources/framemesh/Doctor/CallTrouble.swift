import RPC

/// What a failed call means, and what to do about it.
enum CallTrouble {
    static func finding(_ check: String, _ error: RPCError) -> Finding {
        .wrong(check, "\(error)", do: advice(error.code))
    }

    private static func advice(_ code: StatusCode) -> String {
        switch code {
        case .unauthenticated: "It wants to know who calls: --token-file FILE, or --tls-certificate and --tls-key."
        case .permissionDenied: "Whose token or certificate that is may not do this: look at its access rules."
        case .unavailable, .failedPrecondition: "No node is there for it: see above, and framemesh nodes."
        case .resourceExhausted: "It is full: more nodes or workers, or less load."
        case .deadlineExceeded: "It takes too long: more nodes or workers, a smaller model, or a longer --timeout."
        case .notFound, .invalidArgument: "A model or a setting does not fit: the text says which."
        case .unimplemented: "It is another program, or another version: see above."
        default: "Look at the logs of the coordinator and of the node."
        }
    }
}
