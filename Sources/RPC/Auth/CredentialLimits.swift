import Synchronization

/// Of what proves who somebody is.
public struct CredentialLimits: Sendable, Hashable {
    /// One bearer token, of a caller or in a file: longer than any that is worth its bytes. A caller with a longer one is
    /// UNAUTHENTICATED.
    public var maxTokenBytes = 4096
    /// Of one file. Every call that brings a token is compared with all of them.
    public var maxTokens = 1024
    /// One file of certificates, keys, tokens or rules; one that is longer is such a file only by mistake.
    public var maxFileBytes = 1 << 20

    public init() {}

    private static let shared = Mutex(CredentialLimits())

    /// Those of the process, for what is read or made from now on.
    static var ofProcess: CredentialLimits {
        get { shared.withLock { $0 } }
        set { shared.withLock { $0 = newValue } }
    }
}
